"""Optuna's ask and tell, in batches that fill cohorts.

The search is replayed in memory from its first trial whenever a study is run: samplers are seeded, results come from
the cache, and so a killed search goes on exactly as it would have. Every finished trial is also written to Optuna's
storage, for its dashboard and its analyses.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.exceptions import OptunaError, StorageInternalError
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

from harness.core.errors import StoreError
from harness.core.streams import derive, numpy_stream
from harness.spec.arms import Arm
from harness.spec.keys import digest
from harness.spec.resolved import ResolvedRecipe, resolve
from harness.spec.space import Choice, IntUniform, LogUniform, Space
from harness.spec.study import Search
from harness.tracking.spool import AwayError, insist
from harness.tracking.uris import public, said

optuna.logging.set_verbosity(optuna.logging.ERROR)


class Ask(NamedTuple):
    """One trial to be trained."""

    number: int
    recipe: ResolvedRecipe
    values: dict[str, Any]


class ArmSearch:
    """The search of one arm.

    Args:
        arm: the arm, whose recipe may hold spaces.
        search: how it is tuned.
    """

    def __init__(self, arm: Arm, search: Search) -> None:
        self.arm, self.search = arm, search
        self.spaces = arm.recipe.spaces()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.study = optuna.create_study(
                study_name=f"{arm.name}-{digest([arm.recipe.dump(), search.dump_asks()])[:8]}",
                direction="maximize" if search.maximize else "minimize",
                sampler=_sampler(search, derive(search.seed, "search", arm.name) % 2**32),
                pruner=_pruner(search),
            )
        self.open: dict[int, optuna.Trial] = {}
        self.grid = _grid(self.spaces, search) if search.sampler == "grid" else None
        self.budget = search.trials if self.grid is None else min(search.trials, len(self.grid))

    @property
    def left(self) -> int:
        """Trials still to be asked."""
        return self.budget - len(self.study.trials) if self.spaces else 0

    def ask(self) -> list[Ask]:
        """Return the next batch of trials."""
        count = min(self.search.batch, self.left)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trials = [self._next(len(self.study.trials)) for _ in range(count)]
        self.open |= {trial.number: trial for trial in trials}
        return [self._ask(trial) for trial in trials]

    def _next(self, number: int) -> optuna.Trial:
        if self.grid is not None:
            self.study.enqueue_trial(self.grid[number])
        return self.study.ask({path: _distribution(space) for path, space in self.spaces.items()})

    def _ask(self, trial: optuna.Trial) -> Ask:
        values = {path: _value(self.spaces[path], v) for path, v in trial.params.items()}
        return Ask(trial.number, resolve(self.arm.recipe.with_values(values)), values)

    def hopeless(self, number: int, rung: int, value: float) -> bool:
        """Report a value at a rung; return whether the trial should end there."""
        trial = self.open[number]
        trial.report(_finite(value, self.search.maximize), rung)
        return bool(trial.should_prune())

    def tell(self, number: int, value: float, status: str) -> None:
        """Close a trial with its objective; a diverged one is as bad as can be."""
        trial = self.open.pop(number)
        trial.set_user_attr("status", status)
        if status == "pruned":
            self.study.tell(trial, state=TrialState.PRUNED)
        elif status == "failed":
            self.study.tell(trial, state=TrialState.FAIL)
        else:
            self.study.tell(trial, _finite(value, self.search.maximize))

    def best(self) -> float | None:
        """Return the best objective so far."""
        values = [
            t.value
            for t in self.study.trials
            if t.state == TrialState.COMPLETE and t.value is not None
        ]
        return (max(values) if self.search.maximize else min(values)) if values else None

    def winner(self) -> tuple[int, ResolvedRecipe]:
        """Return the number and recipe of the best finished trial; the first one if none finished."""
        if not self.spaces:
            return 0, resolve(self.arm.recipe)
        finished = [
            t for t in self.study.trials if t.state == TrialState.COMPLETE
        ] or self.study.trials[:1]
        sign = -1.0 if self.search.maximize else 1.0
        best = min(
            finished, key=lambda t: (sign * t.value if t.value is not None else math.inf, t.number)
        )
        values = {path: _value(self.spaces[path], v) for path, v in best.params.items()}
        return best.number, resolve(self.arm.recipe.with_values(values))

    def importance(self) -> dict[str, float]:
        """Return each hyperparameter's share in reaching good trials (PED-ANOVA, Watanabe et al. 2023); empty below 8."""
        done = [t for t in self.study.trials if t.state == TrialState.COMPLETE]
        if len(done) < 8 or len(self.spaces) < 2 or len({t.value for t in done}) < 2:
            return {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            evaluator = optuna.importance.PedAnovaImportanceEvaluator()
            return {
                k: float(v)
                for k, v in optuna.importance.get_param_importances(
                    self.study, evaluator=evaluator
                ).items()
            }

    def ended(self) -> list[FrozenTrial]:
        """Return the finished trials, in order."""
        return [trial for trial in self.study.trials if trial.state.is_finished()]


class Mirror:
    """Every finished trial, also in Optuna's storage: written by a thread, later if the storage is away.

    Args:
        place: as for :func:`open_storage`.
        study: name that the searches' names begin with.

    Raises:
        StoreError: the storage can't be used.
    """

    def __init__(self, place: str | None, study: str) -> None:
        self.place, self.study = place or os.environ.get("HARNESS_STORAGE") or "", study
        self.storage = open_storage(place)
        self.worker = ThreadPoolExecutor(1, "mirror")
        self.writing: list[Future[None]] = []

    def add(self, searches: Iterable[ArmSearch]) -> None:
        """Have the searches' finished trials written."""
        self.writing += [
            self.worker.submit(self._write, s.study.study_name, s.study.direction, s.ended())
            for s in searches
        ]

    def finish(self) -> None:
        """Wait until all is written.

        Raises:
            StoreError: the storage was away for too long, or refused.
        """
        self.worker.shutdown()
        if isinstance(self.storage, optuna.storages.RDBStorage):
            self.storage.engine.dispose()
        for write in self.writing:
            try:
                write.result()
            except (AwayError, OptunaError, SQLAlchemyError) as error:
                raise StoreError(
                    f"Optuna's storage {public(self.place)} lacks trials: {said(error, self.place)}; "
                    "start the same command again when it is back, nothing is trained twice"
                ) from error

    def _write(self, name: str, direction: StudyDirection, ended: Sequence[FrozenTrial]) -> None:
        def attempt(again: bool) -> None:
            try:
                self._add_missing(f"{self.study}/{name}", direction, ended)
            except (StorageInternalError, OperationalError, InterfaceError) as error:
                raise AwayError(
                    f"Optuna's storage can't be reached: {said(error, self.place)}"
                ) from error

        insist(attempt)

    def _add_missing(
        self, name: str, direction: StudyDirection, ended: Sequence[FrozenTrial]
    ) -> None:
        kept = optuna.create_study(
            study_name=name,
            storage=self.storage,
            direction=direction.name.lower(),
            load_if_exists=True,
        )
        have = len(kept.get_trials(deepcopy=False))
        for trial in ended[have:]:
            kept.add_trial(trial)


def open_storage(place: str | None) -> Any:
    """Return Optuna's storage, a journal file or a database by URL: by default ``HARNESS_STORAGE``, or a journal here.

    Raises:
        StoreError: the database can't be reached.
    """
    place = place or os.environ.get("HARNESS_STORAGE")
    if place and "://" in place:
        try:
            return optuna.storages.RDBStorage(place)
        except (SQLAlchemyError, ImportError, ValueError) as error:
            raise StoreError(
                f"Optuna's storage {public(place)} can't be used: {said(error, place)}"
            ) from error
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    path = Path(place or "optuna.journal")
    _trim_torn_line(path)
    return JournalStorage(
        JournalFileBackend(str(path), lock_obj=JournalFileOpenLock(str(path), grace_period=5))
    )


def _trim_torn_line(path: Path) -> None:
    """Cut off a last line that a killed process wrote only half of: an append after it would ruin the file."""
    if not path.exists():
        return
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    try:
        if whole:
            json.loads(whole.splitlines()[-1])
    except ValueError:
        whole = whole[: whole.rstrip(b"\n").rfind(b"\n") + 1]
    if len(whole) < len(content):
        with path.open("r+b") as file:
            file.truncate(len(whole))


def _grid(spaces: Mapping[str, Space], search: Search) -> list[dict[str, Any]]:
    """Return the grid's points in a seeded random order, so that a budget below their number cuts them fairly."""
    axes = [
        [_label(value) for value in grid_points(space, search.grid)] for space in spaces.values()
    ]
    points = [dict(zip(spaces, values, strict=True)) for values in itertools.product(*axes)]
    return [points[i] for i in numpy_stream(search.seed, "grid").permutation(len(points))]


def _sampler(search: Search, seed: int) -> optuna.samplers.BaseSampler:
    made = {
        "grid": optuna.samplers.RandomSampler,
        "tpe": optuna.samplers.TPESampler,
        "random": optuna.samplers.RandomSampler,
        "qmc": optuna.samplers.QMCSampler,
        "gp": optuna.samplers.GPSampler,
        "cmaes": optuna.samplers.CmaEsSampler,
    }[search.sampler]
    return made(seed=seed, scramble=True) if search.sampler == "qmc" else made(seed=seed)


def _pruner(search: Search) -> optuna.pruners.BasePruner:
    top = len(search.rungs) + 1
    return {
        "none": optuna.pruners.NopPruner,
        "median": optuna.pruners.MedianPruner,
        "hyperband": lambda: optuna.pruners.HyperbandPruner(
            min_resource=1, max_resource=top, reduction_factor=2
        ),
        "asha": lambda: optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=2),
    }[search.pruner]()


def _distribution(space: Space) -> BaseDistribution:
    if isinstance(space, Choice):
        return CategoricalDistribution([_label(option) for option in space.options])
    low, high = space.arguments()
    if isinstance(space, IntUniform):
        return IntDistribution(int(low), int(high))
    return FloatDistribution(low, high, log=isinstance(space, LogUniform))


def grid_points(space: Space, count: int) -> list[Any]:
    """Return a grid axis: the options of a choice, else ``count`` points evenly spaced on the space's scale."""
    if isinstance(space, Choice):
        return [_label(option) for option in space.options]
    low, high = space.arguments()
    if isinstance(space, IntUniform):
        return sorted({round(low + (high - low) * i / (count - 1)) for i in range(count)})
    if isinstance(space, LogUniform):
        return [min(high, max(low, low * (high / low) ** (i / (count - 1)))) for i in range(count)]
    return [low + (high - low) * i / (count - 1) for i in range(count)]


def _label(option: Any) -> Any:
    return (
        option
        if isinstance(option, (str, int, float, bool)) or option is None
        else json.dumps(option)
    )


def _value(space: Space, sampled: Any) -> Any:
    if isinstance(space, Choice):
        return next(option for option in space.options if _label(option) == sampled)
    return sampled


def _finite(value: float, maximize: bool) -> float:
    worst = -1e300 if maximize else 1e300
    return value if math.isfinite(value) else worst


def judge(search: Search, series: Sequence[float], closing: float | None, status: str) -> float:
    """Return a run's objective: its curve's closing value, best one or mean; infinitely bad if it diverged."""
    worst = -math.inf if search.maximize else math.inf
    if status in ("diverged", "failed") or not series:
        return worst
    if search.reduce == "final":
        return closing if closing is not None else series[-1]
    if search.reduce == "best":
        return max(series) if search.maximize else min(series)
    return sum(series) / len(series)
