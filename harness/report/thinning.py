"""Fewer points and digits of curves, without losing what a person would see."""

from __future__ import annotations

import math

import numpy as np

POINTS_PER_CURVE = 200
"""Points of a curve at most; longer ones keep the lowest and the highest of every stretch."""
DIGITS = 6
"""Significant digits of a drawn number: a screen resolves about four."""


def extremes(y: np.ndarray, limit: int) -> np.ndarray:
    """Return the places of at most ``limit`` points: both ends, and the lowest and highest of every
    stretch between.

    Keeping extremes instead of every n-th point keeps single spikes, which are often what one looks
    for.

    Args:
        y: values (T,).
        limit: points to keep at most; 4 or more.

    Returns:
        Increasing indices into ``y``.

    >>> extremes(np.array([0.0, 1.0, 9.0, 2.0, -5.0, 3.0, 4.0, 0.5]), 6)
    array([0, 1, 2, 4, 6, 7])
    """
    if len(y) <= limit:
        return np.arange(len(y))
    inner = np.asarray(y, dtype=float)[1:-1]
    # each stretch gives two points, its lowest and its highest
    length = -(-len(inner) // max(1, (limit - 2) // 2))
    # the last stretch is filled up with its last value, which may put a place past the end: see
    # minimum() below
    stretches = np.pad(inner, (0, -len(inner) % length), mode="edge").reshape(-1, length)
    starts = 1 + length * np.arange(len(stretches))
    places = np.concatenate(
        [[0, len(y) - 1], starts + stretches.argmin(1), starts + stretches.argmax(1)]
    )
    return np.unique(np.minimum(places, len(y) - 1))


def round_digits(values: np.ndarray) -> list[float | None]:
    """Return the numbers in six significant digits; what is not finite becomes None, which JSON can
    say and Plotly takes for a missing point.

    x ← round(x · 10ᵖ) / 10ᵖ with p = 5 − ⌊log₁₀|x|⌋, for all numbers at once.

    Args:
        values: of one dimension.

    >>> round_digits(np.array([1 / 3, np.nan, 1e-9 / 7]))
    [0.333333, None, 1.42857e-10]
    """
    x = np.asarray(values, dtype=float)
    # log₁₀ of 1 where it does not exist
    size = np.abs(np.where(np.isfinite(x) & (x != 0), x, 1.0))
    places = DIGITS - 1 - np.floor(np.log10(size)).astype(int)
    # powers of ten above 1 are exact up to 10²²: multiply for small numbers, divide for large ones,
    # never by 10⁻ⁿ, so that 1/3 prints as 0.333333 and not as 0.33333300000000005
    up, down = 10.0 ** np.clip(places, 0, 300), 10.0 ** np.clip(-places, 0, 300)
    rounded = np.where(places >= 0, np.rint(x * up) / up, np.rint(x / down) * down)
    if np.isfinite(rounded).all():
        return list(rounded.tolist())
    return [v if math.isfinite(v) else None for v in rounded.tolist()]
