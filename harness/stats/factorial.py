"""Main effects and interactions of a factorial study in which every cell ran with every seed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Effect(NamedTuple):
    """What one factor, or several together beyond their single effects, do to the outcome."""

    factors: tuple[str, ...]
    """Their names; several are an interaction."""
    share: float
    """Share of the variance over all runs, η²."""
    f: float
    """The F statistic."""
    df: tuple[int, int]
    """Degrees of freedom of the effect and of its error."""
    p: float
    """p-value of no effect."""


def factorial_effects(
    outcomes: ArrayLike, factors: Sequence[str], order: int | None = None
) -> list[Effect]:
    """Split the variance of a complete factorial study: repeated-measures analysis of variance.

    With x̄_A the mean over all that is not in A, the effect of a set A of factors is
    e_A = Σ_{B⊆A} (−1)^{|A|−|B|} x̄_B. Its sum of squares is that of e_A over all runs, and its
    error that of A ∪ {seeds}: F = MS_A / MS_{A×seeds} (Fisher 1925; Winer 1971).

    Args:
        outcomes: (levels of the first factor, …, of the last, seeds), all finite.
        factors: their names.
        order: factors taken together at most; all by default.

    Returns:
        Single factors first, then pairs, and so on.

    Raises:
        ValueError: the shape does not fit the names, or there is a single seed.

    >>> cells = np.array([[[0.0, 0.1], [1.0, 1.2]], [[0.0, 0.2], [3.0, 3.1]]])
    >>> [(e.factors, round(e.share, 2)) for e in factorial_effects(cells, ["a", "b"])]
    [(('a',), 0.17), (('b',), 0.67), (('a', 'b'), 0.15)]
    """
    x = np.asarray(outcomes, dtype=float)
    if x.ndim != len(factors) + 1 or x.shape[-1] < 2:
        raise ValueError(
            f"expected an axis for each of {len(factors)} factors and one of two seeds or more, "
            f"got shape {x.shape}"
        )
    # what all effects, seeds and errors together add up to
    total = float(((x - x.mean()) ** 2).sum())
    effects = []
    for size in range(1, (order or len(factors)) + 1):
        for axes in itertools.combinations(range(len(factors)), size):
            effects.append(_effect(x, axes, [factors[i] for i in axes], total))
    return effects


def _effect(x: np.ndarray, axes: tuple[int, ...], names: Sequence[str], total: float) -> Effect:
    """Return the effect of the factors on the given axes; seeds are the last axis."""
    seeds = x.ndim - 1
    # df_A = Π (levels − 1), and F = MS_A / MS_{A×seeds} with MS = squares/df
    df = math.prod(x.shape[i] - 1 for i in axes)
    df_error = df * (x.shape[seeds] - 1)
    squares, error = sum_of_squares(x, axes), sum_of_squares(x, (*axes, seeds))
    f = _ratio(squares / df, error / df_error)
    share = squares / total if total else 0.0
    return Effect(tuple(names), share, f, (df, df_error), _tail(f, df, df_error))


def sum_of_squares(x: np.ndarray, axes: tuple[int, ...]) -> float:
    """Return the sum of squares, over all runs, of the effect of some axes beyond fewer of them.

    Args:
        x: an array with an axis for each factor.
        axes: the set A of axes.
    """
    # e_A = Σ_{B⊆A} (−1)^{|A|−|B|} x̄_B, with an entry for each combination of A's levels
    effect = np.zeros([x.shape[i] if i in axes else 1 for i in range(x.ndim)])
    for size in range(len(axes) + 1):
        for subset in itertools.combinations(axes, size):
            others = tuple(i for i in range(x.ndim) if i not in subset)
            effect = effect + (-1) ** (len(axes) - size) * x.mean(axis=others, keepdims=True)
    # the sum over all runs: each entry stands for size/entries of them
    return float((effect**2).sum()) * x.size / effect.size


def _ratio(a: float, b: float) -> float:
    """Return a/b; ∞ for a/0, and 0 for 0/0."""
    # below 1e-300, which could make the quotient overflow, a number counts as 0
    if b <= 1e-300:
        return math.inf if a > 1e-300 else 0.0
    return a / b


def _tail(f: float, df: int, df_error: int) -> float:
    """Return P(F > f) under no effect."""
    from scipy.special import fdtrc

    return float(fdtrc(df, df_error, f)) if math.isfinite(f) else 0.0
