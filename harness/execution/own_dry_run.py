"""A user's own training loop is tried for two steps: does it run, and what does it tell."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, cast

from harness.core.errors import HarnessError
from harness.core.temporary import temporary_folder
from harness.execution.own_assignment import assignment_of
from harness.execution.own_curve import TOLD_UNITS, OwnCurve, ToldError, named_metrics
from harness.execution.own_failures import exit_in_words, failure
from harness.execution.watched_process import LimitError, Limits, WatchedProcess
from harness.spec.arms import Run
from harness.spec.component import as_a
from harness.spec.resolved import ResolvedRecipe
from harness.trainers.base import Trainer


class DryRun(NamedTuple):
    """What came of trying a training loop for a few steps."""

    told: frozenset[str]
    """The metrics that it told, those of the test data among them."""
    error: str
    """Why it failed; empty where it did not."""
    ended: bool
    """Whether it came to its end, as a loop does that asks ``should_stop``."""
    units: frozenset[str] = frozenset()
    """Units in which it said where it is, of those that a speed may be counted in."""
    whole: bool = False
    """Whether that was a whole run, which never asked: what it has not told it never tells."""
    read: frozenset[str] = frozenset()
    """Names of the values of ``run.config`` that it asked for before its end."""


def try_run(recipe: ResolvedRecipe, limit: float) -> DryRun:
    """Start a training loop that is told to stop after two steps, and see what it does.

    Args:
        recipe: with a trainer of a user's own.
        limit: seconds after which it is given up, which is no mistake: not every loop asks.
    """
    assert recipe.trainer is not None
    trainer = as_a(Trainer, recipe.trainer)
    unit, length = recipe.length
    curve = OwnCurve(unit, recipe.seconds or length, True, recipe.declared)
    ended, whole = False, False
    read: frozenset[str] = frozenset()
    with temporary_folder("dry") as folder:
        asked = assignment_of(Run(recipe, 0), True, Path(folder) / "run")._replace(dry=True)
        process = None
        try:
            process = WatchedProcess(trainer.launch(asked), Limits(limit, trainer.memory))
            for event in (trainer.event_of(line) for lines in process.lines() for line in lines):
                if event is not None and "end" in event:
                    ended, whole = True, not event["asked"]
                    read = frozenset(cast("list[str]", event["read"]))
                _take_dry(curve, event or {})
            if not ended:
                return DryRun(frozenset(), failure(exit_in_words(process.code), process), False)
        except LimitError as error:
            if process is None or process.seconds < limit:
                return DryRun(frozenset(), str(error), False)
        except (HarnessError, OSError) as error:
            return DryRun(frozenset(), failure(str(error), process), False)
        finally:
            if process is not None:
                process.kill()
    told = {name for point in curve.points for name in point.metrics} | curve.tested.keys()
    units = frozenset(filter(curve.knows, TOLD_UNITS)) if curve.points else frozenset()
    return DryRun(frozenset(told), "", ended, units, whole and not curve.diverged, read)


def _take_dry(curve: OwnCurve, event: Mapping[str, object]) -> None:
    """Take what a loop tells that is only tried."""
    if "error" in event:
        raise ToldError(str(event["error"]))
    if "test" in event:
        curve.test(named_metrics(event["test"]))
    elif "metrics" in event:
        curve.add(float(str(event["step"])), named_metrics(event["metrics"]))
