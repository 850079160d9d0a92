"""Studies drawn from pools of stored runs, whose truths are known: those of the pool.

A study of a method draws searches with replacement, and seeds within each; the truth is the pool's
mean over all of its searches. A study of a winner draws one search and seeds of it; the truth is
the mean of that search.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from benchmarks.drawn_results import ARMS
from benchmarks.pools import Pool
from harness import stats

Shape = tuple[int, int]
"""Searches K and seeds S."""
DIVERGING = 0.15
"""Share of runs that diverge under the condition of that name."""
MANY = 2001
"""Draws that a median is known by."""
CONDITIONS = {
    "stored runs": "arms of one optimizer",
    "discrete": "accuracies of digits and MNIST-1D: ties",
    "unequal": "arms of three optimizers, their means made equal, paired by search and seed",
    "t3 tails": "noise of Student's t with 3 degrees of freedom added, as large as the spread",
    "lognormal": "the same with skewed noise (σ = 1)",
    "divergences": "15 % of the runs of every arm diverge; of methods in 1 of 5 searches",
}
"""What is done to the pools' numbers."""


class Drawn(NamedTuple):
    """A study without any difference between its six arms."""

    values: dict[str, np.ndarray]
    """(K, S) by arm, all of one mean."""
    truth: float
    """That mean."""
    middle: float
    """The median of what is repeated, under stored runs: of searches' own medians, or of runs."""
    spread: float
    """Standard deviation of what is repeated: the pool's runs, or the winner's."""
    times: dict[str, np.ndarray]
    """(K, S) epochs to the target of two arms; none where the arms differ in them."""


def whole(pool: Pool) -> np.ndarray:
    """Return the searches of a pool in which no arm's run diverged."""
    tables = [table for by_arm in pool.values.values() for table in by_arm.values()]
    return np.flatnonzero(np.isfinite(tables).all(axis=(0, 2)))


def places(pool: Pool, shape: Shape, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return which searches (K, 1) and seeds (K, S) of a pool make a study."""
    seeds = next(iter(pool.reached.values())).shape[1]
    searches = rng.choice(whole(pool), size=(shape[0], 1))
    return searches, rng.integers(seeds, size=shape)


def draw_null(
    pool: Pool, metric: str, condition: str, shape: Shape, rng: np.random.Generator
) -> Drawn:
    """Draw a study whose arms have one mean.

    Args:
        pool: of one task.
        metric: loss or accuracy.
        condition: a key of :data:`CONDITIONS`.
        shape: one search speaks of its winners, several of methods.
        rng: draws.
    """
    tables = pool.values[metric]
    own = str(rng.choice(list(tables)))
    first = places(pool, shape, rng)
    second = (first[0], places(pool, shape, rng)[1])
    kept = whole(pool) if shape[0] > 1 else first[0].ravel()
    truth, spread = float(tables[own][kept].mean()), float(tables[own][kept].std())
    mine = next(iter(tables)) if condition == "unequal" else own
    shift = truth - float(tables[mine][kept].mean())
    middle = shift + middle_of(tables[mine][kept], condition, shape, spread, rng)
    values, times = {}, {}
    for arm in ARMS:
        at = places(pool, shape, rng)
        at = at if shape[0] > 1 else (first[0], at[1])
        if condition == "unequal":
            optimizer = list(tables)["ABC".index(arm[0])]
            # arms share their searches and seeds, as those of a study do; twins their searches
            at = first if arm.endswith("x") else second
            values[arm] = tables[optimizer][at] - tables[optimizer][kept].mean() + truth
        else:
            values[arm] = tables[own][at] + spread * noise(condition, shape, rng)
            times[arm] = pool.reached[own][at]
    if condition == "divergences":
        lost = {arm: diverged(shape, rng) for arm in ARMS}
        values = {arm: np.where(lost[arm], np.inf, values[arm]) for arm in ARMS}
        times = {arm: np.where(lost[arm], np.inf, times[arm]) for arm in ARMS}
    return Drawn(values, truth, middle, spread, {arm: times[arm] for arm in ARMS[:3:2] if times})


def middle_of(
    table: np.ndarray, condition: str, shape: Shape, spread: float, rng: np.random.Generator
) -> float:
    """Return the median of what is repeated, by many draws of it.

    Args:
        table: (K, S) the searches that are drawn from.
        condition: what is added to their numbers.
        shape: searches and seeds of a study; of several searches each one's median is repeated.
        spread: size of what is added.
        rng: draws.
    """
    many = (MANY, shape[1]) if shape[0] > 1 else (1, MANY)
    at = rng.integers(len(table), size=(many[0], 1)), rng.integers(table.shape[1], size=many)
    x = table[at] + spread * noise(condition, many, rng)
    return float(np.median(stats.repeated(x, "method" if shape[0] > 1 else "winner")))


def noise(condition: str, shape: Shape, rng: np.random.Generator) -> np.ndarray:
    """Return noise of mean 0 and variance 1 on what is repeated: searches, or a winner's runs."""
    repeated = (shape[0], 1) if shape[0] > 1 else shape
    if condition == "t3 tails":
        return rng.standard_t(3, repeated) / np.sqrt(3)
    if condition == "lognormal":
        return (rng.lognormal(size=repeated) - np.exp(0.5)) / np.sqrt(np.e**2 - np.e)
    return np.zeros(repeated)


def diverged(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    """Return which runs diverge: of one search any, of several those of few searches."""
    if shape[0] == 1:
        return rng.random(shape) < DIVERGING
    bad = rng.random((shape[0], 1)) < 0.2
    return bad & (rng.random(shape) < DIVERGING / 0.2)
