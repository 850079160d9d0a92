"""What the stages ask for and get back: runs with their place in the study.

Plain values that stages, dispatcher and recorded runs hand to each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from harness.core.records import Outcome
from harness.core.study_record import RunEntry
from harness.data.base import fingerprint
from harness.spec.arms import Arm, Run
from harness.spec.keys import run_key
from harness.spec.source_code import code_of

MetricCurve = Sequence[Sequence[float]]
"""``(step, value)`` pairs of one metric, steps rising; lists where they come from stored JSON."""


class RunRequest(NamedTuple):
    """A run that the study needs, and its place in it."""

    arm: Arm
    stage: str
    """``search`` or ``confirm``."""
    trial: int
    """The trial it belongs to; of a confirm run, the one that its recipe was frozen from."""
    run: Run
    search: int = 0
    """Number of the search that it belongs to, or that froze its recipe."""


class Ended(NamedTuple):
    """How a run ended."""

    status: str
    """``finished``, ``stopped``, ``diverged``, ``pruned`` or ``failed``."""
    closing: Mapping[str, float]
    """Values at the end of training, by the trainer's names."""

    @property
    def steps(self) -> float:
        """Updates that it made; none where it failed."""
        return self.closing.get("cost/steps", 0.0)


class SoFar(NamedTuple):
    """What is known of a run at a rung."""

    curve: MetricCurve
    """Its watched metric up to the rung."""
    ended: Ended | None
    """How it ended by itself before; None while it is in training, or where a pruner ended it."""


class RunResult(NamedTuple):
    """A run that the store has."""

    key: str
    """Hash of all that its numbers follow from."""
    run_id: str
    """MLflow's id, or one of its own while it waits for a server."""
    status: str
    """``finished``, ``stopped``, ``diverged``, ``pruned`` or ``failed``."""
    closing: Mapping[str, float]
    """Values at the end of training, by the trainer's names."""
    curve: MetricCurve
    """The watched metric over training; empty where none is watched."""
    kept: str = ""
    """Which of its weights were kept, if any: ``best`` or ``last``."""


def run_entry(request: RunRequest, result: RunResult) -> RunEntry:
    """Return what the study's record says of a run: place from the request, end from the result.

    Arms that ask for the same run get an entry each, with one run id.
    """
    return RunEntry(
        run_id=result.run_id,
        key=result.key,
        arm=request.arm.name,
        levels=request.arm.levels,
        stage=request.stage,
        trial=request.trial,
        seed=request.run.seed,
        status=result.status,
        search=request.search,
    )


def key_of(run: Run) -> str:
    """Return a run's key: the hash of its recipe, seed, data, and the user's code it names.

    Data are loaded once for their fingerprint, and files of code read each time.
    """
    return run_key(run, fingerprint(run.recipe.data), code_of(run.targets()))


def watched_curve(outcome: Outcome, metric: str | None) -> MetricCurve:
    """Return one metric of an outcome's points.

    Args:
        outcome: points without the metric are passed over.
        metric: its name; None where no metric is watched.

    Returns:
        The curve; empty where there is nothing of it.
    """
    if metric is None:
        return []
    return [
        (point.step, point.metrics[metric]) for point in outcome.points if metric in point.metrics
    ]
