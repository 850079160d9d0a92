"""Results of a study that was never run: the tables that judging reads, made of arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import pandas as pd

import harness as h
from harness.analysis.results import Results
from harness.core.study_record import FrozenEntry, Length, LookShown
from harness.spec.arms import Arm, build_arms

FACTORS = {
    "optimizer": {name: h.SGD(lr=h.LogUniform(1e-3, 1.0)) for name in "ABC"},
    "batch_size": {"x": 32, "y": 64},
}
"""Three levels, for claims along a factor, and twins, for an interaction."""
ARMS = tuple(f"{a} / {b}" for a in FACTORS["optimizer"] for b in FACTORS["batch_size"])


def make_study(seeds: int | h.Seeds, searches: int | h.Searches = 1, claims=()) -> h.Study:
    """Return a study of six arms.

    Args:
        seeds: of each search.
        searches: one speaks of its winners, three or more of methods.
        claims: what is tested; needed where seeds or searches grow.
    """
    recipe = h.Recipe(data="digits", model=h.MLP(widths=(4,)), epochs=1, optimizer=h.SGD(lr=0.1))
    return h.Study(
        name="drawn",
        recipe=recipe,
        compare=FACTORS,
        search=h.Search(trials=1, searches=searches),
        seeds=seeds,
        claims=claims,
    )


@cache
def shared_arms() -> tuple[Arm, ...]:
    """Return the arms, which all drawn studies share."""
    return build_arms(make_study(1))


class DrawnResults(Results):
    """Results with given numbers: verdicts on them go the way of those on runs.

    Args:
        study: says which searches and seeds there are.
        values: (K, S) by arm and metric; infinite for a run that diverged.
        times: (K, S) by arm: the epoch after which ``goal`` was reached; infinite for never.
        goal: metric and value.
        epochs: planned length.
        looks_shown: earlier answers by fewer of these runs.
    """

    def __init__(
        self,
        study: h.Study,
        values: Mapping[str, Mapping[str, np.ndarray]],
        times: Mapping[str, np.ndarray] | None = None,
        goal: tuple[str, float] = ("valid/loss", 0.0),
        epochs: int = 1,
        looks_shown: Sequence[LookShown] = (),
    ) -> None:
        self.study, self.arms, self.looks_shown = study, shared_arms(), looks_shown
        look = study.looks[-1]
        seeds = np.ravel(look.seeds)
        self.confirmed = {"seed": seeds}
        places = {seed: place for place, seed in enumerate(seeds.tolist())}
        self.by_arm = {arm: _runs(arm, own, places) for arm, own in values.items()}
        length = Length(step=epochs, epoch=epochs, samples=epochs)
        self.winners = {
            arm: [FrozenEntry(0, {}, {}, True, "", k, length) for k in look.searches]
            for arm in times or ()
        }
        self.clock = {}
        if times:
            self.confirmed_curves = _curves(times, seeds, *goal)

    def asking(self, study: h.Study) -> DrawnResults:
        """Return the same numbers for other claims."""
        other = object.__new__(DrawnResults)
        other.__dict__ = {**self.__dict__, "study": study}
        return other


class _Column:
    """The few things that judging asks of a pandas column, which take pandas half a millisecond."""

    def __init__(self, values: np.ndarray, places: Mapping[int, int], diverged: np.ndarray) -> None:
        self.values, self.places, self.diverged = values, places, diverged

    def isin(self, _: Sequence[str]) -> np.ndarray:
        """Return which runs diverged: what the column of statuses is asked."""
        return self.diverged

    def where(self, kept: np.ndarray, other: float) -> _Column:
        """Return the column with another value where it is not kept."""
        return _Column(np.where(kept, self.values, other), self.places, self.diverged)

    def reindex(self, seeds: np.ndarray) -> _Column:
        """Return the column for these seeds."""
        at = [self.places[seed] for seed in seeds.tolist()]
        return _Column(self.values[at], {}, self.diverged[at])

    def to_numpy(self, dtype: type) -> np.ndarray:
        """Return the values."""
        return self.values.astype(dtype)


def _runs(arm: str, values: Mapping[str, np.ndarray], places: Mapping[int, int]) -> dict:
    """Return an arm's confirm runs: their columns by name, in the order of seeds."""
    diverged = np.isinf(next(iter(values.values()))).ravel()
    columns = {
        metric: _Column(own.ravel(), places, diverged)
        for metric, own in [*values.items(), ("status", diverged)]
    }
    return {**columns, "run_id": {seed: f"{arm}-{seed}" for seed in places}}


def _curves(
    times: Mapping[str, np.ndarray], seeds: np.ndarray, metric: str, target: float
) -> pd.DataFrame:
    """Return curves of one point each: where a run reached the target, if it did."""
    there = {arm: np.isfinite(np.ravel(own)) for arm, own in times.items()}
    ids = [f"{arm}-{seed}" for arm in times for seed in seeds[there[arm]]]
    at = np.concatenate([np.ravel(own)[there[arm]] for arm, own in times.items()])
    arms = np.repeat(list(times), [own.sum() for own in there.values()])
    rows = {"arm": arms, "run_id": ids, "step": at, "epoch": at, "samples": at}
    return pd.DataFrame({**rows, metric: np.full(len(at), target)})
