"""Fewer points and digits, without losing what a person would see."""

from __future__ import annotations

import numpy as np

DIGITS = 6


def extremes(y: np.ndarray, limit: int) -> np.ndarray:
    """Return the places of at most ``limit`` points: the ends, and the lowest and highest of every stretch between.

    >>> extremes(np.array([0.0, 1.0, 9.0, 2.0, -5.0, 3.0, 4.0, 0.5]), 6)
    array([0, 1, 2, 4, 6, 7])
    """
    if len(y) <= limit:
        return np.arange(len(y))
    stretches = np.array_split(np.arange(1, len(y) - 1), max(1, (limit - 2) // 2))
    found = {0, len(y) - 1}
    for stretch in stretches:
        found |= {int(stretch[np.argmin(y[stretch])]), int(stretch[np.argmax(y[stretch])])}
    return np.array(sorted(found))


def short(values: np.ndarray) -> list[float | None]:
    """Return the numbers in six significant digits; what is not finite becomes None.

    >>> short(np.array([1 / 3, np.nan, 1e-9 / 7]))
    [0.333333, None, 1.42857e-10]
    """
    return [float(f"{v:.{DIGITS}g}") if np.isfinite(v) else None for v in values.tolist()]
