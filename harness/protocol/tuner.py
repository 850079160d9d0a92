"""The search of one arm: Optuna's ask and tell, in rounds that fill cohorts.

The one file that knows Optuna's samplers and pruners. The search lives in memory and is replayed
from its first trial whenever a study is run: samplers are seeded and results come from the store,
so that a killed search goes on exactly as it would have.

A search that learns begins with scrambled Sobol' points, all asked at once since none of them
depends on another, and goes on in small rounds (``Search.round_sizes``). Rounds, and not a trial
for each worker that is free: the members of a cohort end together, so that no trial is known before
the others of its round, and what is asked then depends on no worker's speed.
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, TrialState

from harness.core.streams import derive
from harness.protocol.search_space import (
    Sampled,
    count_trials,
    recipe_form,
    sampled_forms,
    shuffled_grid,
    sobol_points,
)
from harness.spec.arms import Arm
from harness.spec.keys import ENGINE, digest
from harness.spec.resolved import ResolvedRecipe, resolve
from harness.spec.search import STARTUP, Search
from harness.spec.space import Choice, IntUniform, LogUniform, Range, Space

# one line a trial would drown the progress; a process that tunes has imported this file
optuna.logging.set_verbosity(optuna.logging.ERROR)

WORST = 1e300
"""Stands for an infinitely bad objective where values are only compared: at rungs, and where no
trial of a search is finite."""
GOOD_SHARE, MOST_GOOD = 0.2, 25
"""The trials that TPE counts as good: the best fifth. Optuna's tenth is one of the first ten, and
finds worse trials within 16 (``python -m benchmarks.regret``'s landscapes); its limit is kept."""
FEWEST_FOR_IMPORTANCE = 8
"""Finished trials below which shares of importance would be noise."""
SEEDS = 2**32
"""Samplers take seeds below this."""


class AskedTrial(NamedTuple):
    """A trial that is to be trained."""

    number: int
    """Counts the arm's trials from 0."""
    recipe: ResolvedRecipe
    values: Mapping[str, object]
    """The hyperparameters by their path in the recipe."""


class ArmTuner:
    """Tunes one arm.

    Rounds are asked (:meth:`ask`), and every trial is closed (:meth:`tell`) before the next round:
    a sampler learns only from what it has been told.

    A trial that diverged is told to the sampler as the worst finite objective of the trials up to
    its round. As infinite, or as a huge number, it would flatten what a sampler makes of all
    others. While none is finite it counts as still in training, which samplers keep away from too.

    Args:
        arm: the arm; what is tuned are the spaces in its recipe.
        search: how it is tuned.
        number: which of the study's searches it is.
    """

    def __init__(self, arm: Arm, search: Search, number: int = 0) -> None:
        self.arm, self.search, self.number = arm, search, number
        self.spaces = arm.recipe.spaces()
        self._start: dict[str, Sampled] | None = None
        """Where CMA-ES sets out from: the best of the first round, once it is told."""
        with _without_warnings():
            # In memory. Its name, which the storage takes over, changes with whatever changes the
            # trials; the stream is named by the arm, so that more arms change no other arm's.
            self.study = optuna.create_study(
                study_name=self._study_name(),
                direction="maximize" if search.maximize else "minimize",
                sampler=self._make_sampler(),
                pruner=_pruner(search),
            )
        self._open: dict[int, optuna.Trial] = {}
        """Trials asked and not yet told, by number."""
        self._diverged: dict[int, optuna.Trial] = {}
        """Trials that diverged and that the sampler has not been told of."""
        self._objectives: dict[int, float] = {}
        """Of the trials that ran to their end, by number; infinite where one diverged."""
        self._rounds = list(search.round_sizes(count_trials(self.spaces, search)))
        """Sizes of the rounds that are still to be asked."""
        self._given = self._given_points()

    def _fixed_by(self) -> list[object]:
        """Return what the trials follow from, beside the code of the samplers."""
        return [ENGINE, self.arm.recipe.dump(), self.search.dump_asks()]

    def _make_sampler(self) -> optuna.samplers.BaseSampler:
        """Return the arm's sampler."""
        stream = self.search.sampler_stream(self.number)
        seed = derive(self.search.seed, "search", self.arm.name, *stream) % SEEDS
        with _without_warnings():
            return _sampler(self.search, seed, self._start)

    def _given_points(self) -> list[dict[str, Sampled]]:
        """Return the points that are known beforehand, which are the first trials.

        All of a grid or of the Sobol' sampler, the start of a sampler that learns.
        """
        search, trials = self.search, self.trials_left
        if not self.spaces or search.sampler == "random":
            return []
        if search.sampler == "grid":
            return shuffled_grid(self.spaces, search, self.number)
        count = min(trials, STARTUP) if search.learns else trials
        return sobol_points(self.spaces, search, self.arm.name, count, self.number)

    def _study_name(self) -> str:
        """Return the name of this search of the arm in Optuna's storage."""
        name = f"{self.arm.name}-{digest(self._fixed_by())[:8]}"
        return f"{name}-{self.number}" if self.number else name

    @property
    def trials(self) -> list[FrozenTrial]:
        """The trials asked so far, in order, to be read only.

        Not copied, as Optuna's own ``study.trials`` are: copies of all trials at every ask would
        cost the square of their number.
        """
        trials: list[FrozenTrial] = self.study.get_trials(deepcopy=False)
        return trials

    @property
    def trials_left(self) -> int:
        """Trials that are still to be asked; none for an arm without spaces."""
        return sum(self._rounds)

    def ask(self) -> list[AskedTrial]:
        """Ask for the next round of trials.

        Returns:
            As many as ``search.round_sizes`` says, and none when the budget is spent.
        """
        count = self._rounds.pop(0) if self._rounds else 0
        if self.search.sampler == "cmaes" and self._start is None and self._objectives:
            self._start = self.trials[self._best()].params
            self.study.sampler = self._make_sampler()
        with _without_warnings():
            trials = [self._next_trial() for _ in range(count)]
        self._open |= {trial.number: trial for trial in trials}
        return [AskedTrial(trial.number, *self._resolved(trial.params)) for trial in trials]

    def _next_trial(self) -> optuna.Trial:
        """Ask for one trial: the next of the points known beforehand, or the sampler's."""
        asked = len(self.trials)
        if asked < len(self._given):
            self.study.enqueue_trial(self._given[asked])  # what is enqueued is asked next
        return self.study.ask({path: _distribution(space) for path, space in self.spaces.items()})

    def _resolved(self, params: Mapping[str, Sampled]) -> tuple[ResolvedRecipe, dict[str, object]]:
        """Return the recipe of a trial, and the values in it that the sampler chose."""
        values = {path: recipe_form(self.spaces[path], value) for path, value in params.items()}
        return resolve(self.arm.recipe.with_values(values)), values

    def should_prune(self, number: int, rung: int, value: float) -> bool:
        """Tell a trial's objective at a rung; return whether the trial should end there.

        Args:
            number: the trial's.
            rung: number of the rung, from 1.
            value: its objective so far; one that is not finite counts as the worst there can be.
        """
        trial = self._open[number]
        trial.report(self._finite(value), rung)
        return bool(trial.should_prune())

    def tell(self, number: int, value: float, status: str) -> None:
        """Close a trial.

        Args:
            number: the trial's.
            value: its objective; one that is not finite counts as worse than all that are.
            status: how it ended. To Optuna a pruned trial has its value at the last rung, a failed
                one none, and one that diverged the worst finite value.
        """
        trial = self._open.pop(number)
        trial.set_user_attr("status", status)
        if status == "pruned":
            self.study.tell(trial, state=TrialState.PRUNED)
        elif status == "failed":
            self.study.tell(trial, state=TrialState.FAIL)
        else:
            self._objectives[number] = value
            if math.isfinite(value):
                self.study.tell(trial, value)
            else:
                self._diverged[number] = trial
        if not self._open:
            self._tell_diverged()

    def _tell_diverged(self) -> None:
        """Tell the trials that diverged, at the end of a round, as the worst finite value.

        While there is none they wait; at the end of the search nothing learns from them any more.
        """
        finite = [value for value in self._objectives.values() if math.isfinite(value)]
        if not finite and self.trials_left:
            return
        worst = min if self.search.maximize else max
        for trial in self._diverged.values():
            self.study.tell(trial, worst(finite) if finite else self._finite(math.inf))
        self._diverged.clear()

    def _finite(self, value: float) -> float:
        """Return the value, or a huge one on the bad side for one that is not finite (NaN too)."""
        if math.isfinite(value):
            return value
        return -WORST if self.search.maximize else WORST

    def best_value(self) -> float | None:
        """Return the best objective so far, of trials that ran to their end; None before the
        first that is finite."""
        finite = [value for value in self._objectives.values() if math.isfinite(value)]
        if not finite:
            return None
        return max(finite) if self.search.maximize else min(finite)

    def winner(self) -> tuple[int, ResolvedRecipe]:
        """Return the number and recipe of the best trial; the first one if none has ended well.

        Of equal objectives the earlier trial wins, so that the choice is the same on every start.

        Returns:
            Number and resolved recipe; of an arm without spaces 0 and its recipe.
        """
        if not self.spaces:
            return 0, resolve(self.arm.recipe)
        number = self._best()
        recipe, _ = self._resolved(self.trials[number].params)
        return number, recipe

    def _best(self) -> int:
        """Return the number of the best trial, the earlier of equal ones; 0 if none has ended
        well."""
        sign = -1.0 if self.search.maximize else 1.0

        def loss_then_number(number: int) -> tuple[float, int]:
            value = self._objectives[number]
            return (sign * value if math.isfinite(value) else math.inf), number

        return min(self._objectives, key=loss_then_number, default=0)

    def importance(self) -> dict[str, float]:
        """Return each hyperparameter's share in good trials (PED-ANOVA, Watanabe et al. 2023).

        Returns:
            Shares by path that sum to 1; empty where there is nothing to compare: fewer than 8
            trials, one hyperparameter, or the same objective in all trials.
        """
        complete = self._complete()
        if len(complete) < FEWEST_FOR_IMPORTANCE or len(self.spaces) < 2:
            return {}
        if len({trial.value for trial in complete}) < 2:
            return {}
        with _without_warnings():
            # no seed: it draws nothing
            evaluator = optuna.importance.PedAnovaImportanceEvaluator()
            shares = optuna.importance.get_param_importances(self.study, evaluator=evaluator)
        return {path: float(share) for path, share in shares.items()}

    def finished_trials(self) -> list[FrozenTrial]:
        """Return the trials that have ended in any way, in the order they were asked in.

        Those after one that diverged and waits to be told wait with it: the list only grows at its
        end.
        """
        return list(itertools.takewhile(lambda t: t.state.is_finished(), self.trials))

    def _complete(self) -> list[FrozenTrial]:
        """Return the trials that have an objective."""
        return [trial for trial in self.trials if trial.state == TrialState.COMPLETE]


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Silence Optuna's warnings that samplers are experimental: the spec asks for them by name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _sampler(
    search: Search, seed: int, start: Mapping[str, Sampled] | None
) -> optuna.samplers.BaseSampler:
    """Return the search's sampler; where all points are known beforehand it is never asked.

    A sampler that learns has its start given, and learns from whatever came of that.

    Args:
        search: names it.
        seed: from 0 to 2³² − 1.
        start: where CMA-ES sets out from; by itself it would draw its first generation around the
            middle, whatever the trials before found.
    """
    if search.sampler == "tpe":
        return optuna.samplers.TPESampler(seed=seed, n_startup_trials=1, gamma=_count_good)
    if search.sampler == "gp":
        return optuna.samplers.GPSampler(seed=seed, n_startup_trials=1)
    if search.sampler == "cmaes":
        return optuna.samplers.CmaEsSampler(seed=seed, x0=None if start is None else dict(start))
    return optuna.samplers.RandomSampler(seed=seed)


def _count_good(trials: int) -> int:
    """Return how many of so many trials TPE counts as good."""
    return min(math.ceil(GOOD_SHARE * trials), MOST_GOOD)


def _pruner(search: Search) -> optuna.pruners.BasePruner:
    """Return the search's pruner, whose resource is the rung; the end counts as the last one.

    Rungs are numbered 1, 2, … here, whatever shares of the length they stand for. A factor of 2
    keeps the better half at a rung; Optuna's defaults of 3 and 4 suppose more rungs than a few.
    """
    if search.pruner == "median":
        return optuna.pruners.MedianPruner()
    if search.pruner == "hyperband":
        return optuna.pruners.HyperbandPruner(
            min_resource=1, max_resource=len(search.rungs) + 1, reduction_factor=2
        )
    if search.pruner == "asha":
        return optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=2)
    return optuna.pruners.NopPruner()


def _distribution(space: Space) -> BaseDistribution:
    """Return a space as Optuna knows it; its ends, which are included, and scale are the same."""
    if isinstance(space, Choice):
        return CategoricalDistribution(sampled_forms(space))
    assert isinstance(space, Range)
    low, high = space.low, space.high
    if isinstance(space, IntUniform):
        return IntDistribution(int(low), int(high))
    return FloatDistribution(low, high, log=isinstance(space, LogUniform))
