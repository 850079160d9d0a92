"""The search of one arm: Optuna's ask and tell, in batches that fill cohorts.

The one file that knows Optuna's samplers and pruners. The search lives in memory and is replayed
from its first trial whenever a study is run: samplers are seeded and results come from the store,
so that a killed search goes on exactly as it would have.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping
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
)
from harness.spec.arms import Arm
from harness.spec.keys import digest
from harness.spec.resolved import ResolvedRecipe, resolve
from harness.spec.search import Search
from harness.spec.space import Choice, IntUniform, LogUniform, Range, Space

# one line a trial would drown the progress; a process that tunes has imported this file
optuna.logging.set_verbosity(optuna.logging.ERROR)

WORST = 1e300
"""Stands for an infinitely bad objective: samplers compute with what they are told."""
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

    Batches are asked (:meth:`ask`), and every trial is closed (:meth:`tell`) before the next batch:
    a sampler learns only from what it has been told.

    Args:
        arm: the arm; what is tuned are the spaces in its recipe.
        search: how it is tuned.
    """

    def __init__(self, arm: Arm, search: Search) -> None:
        self.arm, self.search = arm, search
        self.spaces = arm.recipe.spaces()
        with _without_warnings():
            # In memory. Its name, which the storage takes over, changes with whatever changes the
            # trials; the stream is named by the arm, so that more arms change no other arm's.
            self.study = optuna.create_study(
                study_name=f"{arm.name}-{digest([arm.recipe.dump(), search.dump_asks()])[:8]}",
                direction="maximize" if search.maximize else "minimize",
                sampler=_sampler(search, derive(search.seed, "search", arm.name) % SEEDS),
                pruner=_pruner(search),
            )
        self._open: dict[int, optuna.Trial] = {}
        """Trials asked and not yet told, by number."""
        self._grid = shuffled_grid(self.spaces, search) if search.sampler == "grid" else None
        self._budget = count_trials(self.spaces, search)

    @property
    def trials_left(self) -> int:
        """Trials that are still to be asked; none for an arm without spaces."""
        return self._budget - len(self.study.trials) if self.spaces else 0

    def ask(self) -> list[AskedTrial]:
        """Ask for the next batch of trials.

        Returns:
            As many as ``search.batch``, fewer at the end of the budget, and none when it is spent.
        """
        count = min(self.search.batch, self.trials_left)
        with _without_warnings():
            trials = [self._next_trial() for _ in range(count)]
        self._open |= {trial.number: trial for trial in trials}
        return [AskedTrial(trial.number, *self._resolved(trial.params)) for trial in trials]

    def _next_trial(self) -> optuna.Trial:
        """Ask for one trial; of a grid, the next of its points."""
        if self._grid is not None:
            # as many points are used up as trials were asked; what is enqueued is asked next
            self.study.enqueue_trial(self._grid[len(self.study.trials)])
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
            value: its objective; one that is not finite counts as the worst there can be.
            status: how it ended. To Optuna a pruned trial has its value at the last rung, a failed
                one none, and one that diverged a huge one, so that samplers avoid its region.
        """
        trial = self._open.pop(number)
        trial.set_user_attr("status", status)
        if status == "pruned":
            self.study.tell(trial, state=TrialState.PRUNED)
        elif status == "failed":
            self.study.tell(trial, state=TrialState.FAIL)
        else:
            self.study.tell(trial, self._finite(value))

    def _finite(self, value: float) -> float:
        """Return the value, or a huge one on the bad side for one that is not finite (NaN too)."""
        if math.isfinite(value):
            return value
        return -WORST if self.search.maximize else WORST

    def best_value(self) -> float | None:
        """Return the best objective so far, of trials that ran to their end; None before the
        first."""
        values: list[float] = [t.value for t in self._complete() if t.value is not None]
        if not values:
            return None
        return max(values) if self.search.maximize else min(values)

    def winner(self) -> tuple[int, ResolvedRecipe]:
        """Return the number and recipe of the best trial; the first one if none has ended well.

        Of equal objectives the earlier trial wins, so that the choice is the same on every start.

        Returns:
            Number and resolved recipe; of an arm without spaces 0 and its recipe.
        """
        if not self.spaces:
            return 0, resolve(self.arm.recipe)
        sign = -1.0 if self.search.maximize else 1.0

        def loss_then_number(trial: FrozenTrial) -> tuple[float, int]:
            return (math.inf if trial.value is None else sign * trial.value), trial.number

        best = min(self._complete() or self.study.trials[:1], key=loss_then_number)
        recipe, _ = self._resolved(best.params)
        return best.number, recipe

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
        """Return the trials that have ended in any way, in the order they were asked in."""
        return [trial for trial in self.study.trials if trial.state.is_finished()]

    def _complete(self) -> list[FrozenTrial]:
        """Return the trials that have an objective."""
        return [trial for trial in self.study.trials if trial.state == TrialState.COMPLETE]


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Silence Optuna's warnings that samplers are experimental: the spec asks for them by name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _sampler(search: Search, seed: int) -> optuna.samplers.BaseSampler:
    """Return the search's sampler; a grid's points are enqueued, and its sampler is never asked.

    Args:
        search: names it.
        seed: from 0 to 2³² − 1.
    """
    if search.sampler == "qmc":
        return optuna.samplers.QMCSampler(seed=seed, scramble=True)
    samplers: dict[str, Callable[..., optuna.samplers.BaseSampler]] = {
        "grid": optuna.samplers.RandomSampler,
        "tpe": optuna.samplers.TPESampler,
        "random": optuna.samplers.RandomSampler,
        "gp": optuna.samplers.GPSampler,
        "cmaes": optuna.samplers.CmaEsSampler,
    }
    return samplers[search.sampler](seed=seed)


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
