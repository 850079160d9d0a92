"""Training without a study, for notebooks and tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from harness.core.records import Outcome
from harness.execution.jobs import Job, chunks, cohort_limit
from harness.execution.local import Serial
from harness.execution.pool import Pool
from harness.probes.base import Probe
from harness.spec.arms import Run
from harness.spec.probes import expanded
from harness.spec.recipe import Recipe
from harness.spec.resolved import resolve


class Trained(NamedTuple):
    """The tables of some runs."""

    runs: pd.DataFrame
    """One row a run: ``seed``, ``status``, ``detail`` and the closing values (``valid/loss``, ``test/loss``, …)."""
    curves: pd.DataFrame
    """One row an evaluation of a run: ``seed``, ``step``, ``epoch``, ``samples`` and a column a metric."""
    arrays: dict[int, dict[str, np.ndarray]]
    """The arrays that probes measured last, such as ``confusion/matrix``, by seed and name."""


def train(
    recipe: Recipe,
    seeds: int | Iterable[int] = 1,
    *,
    probes: Sequence[Any] | str = (),
    cohort: int | None = None,
) -> Trained:
    """Train a recipe with some seeds, all together where the recipe allows it, and evaluate the test data.

    Args:
        recipe: a resolved recipe, without spaces.
        seeds: the seeds; a number n stands for 0 … n−1.
        probes: quantities to measure while training, such as ``[GradientNorm(every=2)]``, or "light" or "full" sets of them.
        cohort: runs trained together at most; by default as the model's size and the machine allow.

    Returns:
        The tables of runs and curves.

    Raises:
        ValueError: the recipe holds spaces.

    >>> from harness import MLP, Recipe, SGD, train
    >>> found = train(Recipe(data="iris", model=MLP(widths=(8,)), optimizer=SGD(lr=0.1), epochs=2), seeds=2)
    >>> found.runs["status"].tolist()
    ['finished', 'finished']
    """
    wanted = tuple(range(seeds)) if isinstance(seeds, int) else tuple(seeds)
    return _tables(
        wanted, outcomes(recipe, wanted, cohort, tuple(map(Probe.parse, expanded(probes))))
    )


def outcomes(
    recipe: Recipe, seeds: Sequence[int], cohort: int | None = None, probes: tuple[Probe, ...] = ()
) -> list[Outcome]:
    """Return what became of each seed's run."""
    resolved = resolve(recipe)
    parts = chunks(len(seeds), cohort or cohort_limit(resolved))
    jobs = [
        Job(tuple(part), tuple(Run(resolved, seeds[i], probes) for i in part), test=True)
        for part in parts
    ]
    found: dict[int, Outcome] = {}
    with Pool(Serial) as pool:
        for _, done in pool.run(jobs):
            found |= done.outcomes
    return [found[i] for i in range(len(seeds))]


def _tables(seeds: Sequence[int], ended: Sequence[Outcome]) -> Trained:
    pairs = list(zip(seeds, ended, strict=True))
    runs = [
        {"seed": seed, "status": o.status, "detail": o.detail, **o.summary} for seed, o in pairs
    ]
    curves = [
        {"seed": seed, "step": p.step, "epoch": p.epoch, "samples": p.samples, **p.metrics}
        for seed, o in pairs
        for p in o.points
    ]
    arrays = {
        seed: {name: np.array(array) for name, array in o.arrays.items()} for seed, o in pairs
    }
    return Trained(pd.DataFrame(runs), pd.DataFrame(curves), arrays)
