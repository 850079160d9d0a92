"""Training without a study, for notebooks and tests.

Nothing is recorded and nothing is known: every call trains. Runs are those that a study would have
with the same recipe and seeds. Test data are left alone unless they are asked for: who tries out
recipes by hand searches, and a search is judged on validation data.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from harness.core.errors import HarnessError
from harness.core.records import Outcome
from harness.data.base import load_data
from harness.execution.jobs import Job, cohort_limit, cut_cohorts
from harness.execution.local import Serial
from harness.execution.pool import Pool
from harness.probes.base import Probe
from harness.protocol.recipe_check import check_recipe
from harness.spec.arms import Run
from harness.spec.component import Component
from harness.spec.probes import expand_sets
from harness.spec.recipe import Recipe
from harness.spec.resolved import resolve


class TrainedRuns(NamedTuple):
    """The tables of some runs."""

    runs: pd.DataFrame
    """One row a run: ``seed``, ``status``, ``detail`` and closing values (``valid/loss``, …)."""
    curves: pd.DataFrame
    """One row an evaluation: ``seed``, ``step``, ``epoch``, ``samples`` and a column a metric."""
    arrays: dict[int, dict[str, np.ndarray]]
    """The arrays that probes measured last, such as ``confusion/matrix``, by seed and name."""


def train(
    recipe: Recipe,
    seeds: int | Iterable[int] = 1,
    *,
    probes: Sequence[Component | str | Mapping[str, object]] | str = (),
    cohort: int | None = None,
    test: bool = False,
) -> TrainedRuns:
    """Train a recipe with some seeds.

    The runs are trained together where the recipe allows it. What should be known of the data, and
    that test data were evaluated, is said on the standard error stream.

    Args:
        recipe: a resolved recipe, without spaces.
        seeds: the seeds; a number n stands for 0 … n−1.
        probes: quantities to measure while training, such as ``[GradientNorm(every=2)]``, or a set
            of them by its name, "light" or "full".
        cohort: runs trained together at most; by default as the model's size and the machine allow.
        test: evaluate each run on the test data at its end (``test/loss``, …), for a recipe that is
            chosen already.

    Returns:
        The tables of runs and curves, and the arrays that probes measured. Of a run that fails
        beside others the table has the reason, and the standard error stream as well.

    Raises:
        HarnessError: the recipe's parts do not go together, as ``harness plan`` says it, the seeds
            are none, or every run failed.
        ValueError: the recipe holds spaces, or a probe is unknown (pydantic's error is one).

    >>> from harness import MLP, Recipe, SGD, train
    >>> recipe = Recipe(data="iris", model=MLP(widths=(8,)), optimizer=SGD(lr=0.1), epochs=2)
    >>> trained = train(recipe, seeds=2)
    >>> trained.runs["status"].tolist()
    ['finished', 'finished']
    """
    wanted = _check_seeds(tuple(range(seeds)) if isinstance(seeds, int) else tuple(seeds))
    parsed = tuple(Probe.parse(probe) for probe in expand_sets(probes))
    resolved = resolve(recipe)
    if resolved.trainer is None:
        check_recipe(resolved, parsed)
    outcomes = train_outcomes(resolved, wanted, cohort, parsed, test)
    _say_failures(wanted, outcomes)
    for note in load_data(recipe.data).notes:
        print(f"note: {note}", file=sys.stderr)
    if test:
        print("note: every run was evaluated on the test data", file=sys.stderr)
    return _tables(wanted, outcomes)


def train_outcomes(
    recipe: Recipe,
    seeds: Sequence[int],
    cohort: int | None = None,
    probes: tuple[Probe, ...] = (),
    test: bool = False,
) -> list[Outcome]:
    """Return what became of each seed's run; the arguments are those of :func:`train`.

    Returns:
        Outcomes in the order of the seeds. A run that fails has the status ``failed``, with the
        reason in ``detail``; nothing is raised.
    """
    resolved = resolve(recipe)
    runs = [Run(resolved, seed, probes) for seed in seeds]
    jobs = [
        Job(tuple(part), tuple(runs[i] for i in part), test=test)
        for part in cut_cohorts(len(runs), cohort or cohort_limit(resolved))
    ]
    outcomes: dict[int, Outcome] = {}
    # in this process: a notebook need not wait for workers to start, and can use a debugger
    with Pool(Serial) as pool:
        for _, done in pool.run(jobs):
            outcomes |= done.outcomes
    return [outcomes[i] for i in range(len(seeds))]


def _check_seeds(seeds: tuple[int, ...]) -> tuple[int, ...]:
    """Return the seeds, which are different whole numbers, or refuse them.

    Raises:
        HarnessError: there is none, or one of them is no whole number or stands twice.
    """
    whole = all(isinstance(s, (int, np.integer)) and not isinstance(s, bool) for s in seeds)
    if not seeds or not whole or len(set(seeds)) < len(seeds):
        got = ", ".join(map(repr, seeds)) or "none"
        raise HarnessError(f"seeds: expected one or more different whole numbers, got {got}")
    return tuple(map(int, seeds))


def _say_failures(seeds: Sequence[int], outcomes: Sequence[Outcome]) -> None:
    """Say of each run that failed why it did, equal reasons once.

    Raises:
        HarnessError: all of them failed.
    """
    reasons: dict[str, list[int]] = {}
    for seed, outcome in zip(seeds, outcomes, strict=True):
        if outcome.status == "failed":
            reasons.setdefault(outcome.detail, []).append(seed)
    said = [f"seed {', '.join(map(str, own))}: {reason}" for reason, own in reasons.items()]
    if sum(map(len, reasons.values())) == len(seeds) > 0:
        raise HarnessError(f"no run ended: {'; '.join(said)}")
    for sentence in said:
        print(f"note: the run failed, {sentence}", file=sys.stderr)


def _tables(seeds: Sequence[int], outcomes: Sequence[Outcome]) -> TrainedRuns:
    """Return the outcomes as tables, one run a seed."""
    runs: list[dict[str, object]] = []
    curves: list[dict[str, object]] = []
    arrays = {}
    for seed, outcome in zip(seeds, outcomes, strict=True):
        ended = {"seed": seed, "status": outcome.status, "detail": outcome.detail}
        runs.append({**ended, **outcome.summary})
        for point in outcome.points:
            place = {"step": point.step, "epoch": point.epoch, "samples": point.samples}
            curves.append({"seed": seed, **place, **point.metrics})
        arrays[seed] = {name: np.array(array) for name, array in outcome.arrays.items()}
    return TrainedRuns(pd.DataFrame(runs), pd.DataFrame(curves), arrays)
