"""The curve of a user's own training run, put together from what it tells, and its outcome."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from harness.core.errors import HarnessError
from harness.core.records import Outcome, Point, Status
from harness.trainers.training_run import POSITIONS

WATCHED = ("train", "valid", "batch")
"""Parts of the data whose losses, accuracies and metrics that nobody has described must be finite:
a run with one that is not has diverged. Other metrics that are not finite are left out."""


class ToldError(HarnessError):
    """A run told what it may not."""


class OwnCurve:
    """What a run has told so far.

    Args:
        unit: what its length is given in.
        length: how long it is to train.
        confirming: whether it may tell metrics of test data.
        undefined: metrics, without the part of the data, that may have no value.
    """

    def __init__(
        self, unit: str, length: float, confirming: bool, undefined: tuple[str, ...] = ()
    ) -> None:
        self.unit, self.length, self.confirming = unit, length, confirming
        self.undefined = undefined
        self._without: set[str] = set()
        """Metrics that were not defined when they were told last."""
        self.points: list[Point] = []
        self.tested: dict[str, float] = {}
        self.diverged = ""
        """Why it has diverged; empty while it has not."""
        self._fresh = True

    @property
    def last(self) -> float:
        """The step told last; 0 before the first."""
        return self.points[-1].step if self.points else 0

    def restart(self) -> None:
        """Expect an interrupted run to go on from an earlier step than the last."""
        self._fresh = True

    def add(self, step: float, metrics: Mapping[str, Any]) -> None:
        """Add metrics at a step; those of equal steps are joined.

        Raises:
            ToldError: the step is past the length, or before the last one.
        """
        if self.unit != "seconds" and step > self.length:
            raise ToldError(
                f"it told metrics of step {step:g}, past the length of {self.length:g} {self.unit} "
                "that every arm has"
            )
        if self._fresh:  # it goes on from a checkpoint: what came after that is told again
            self.points = [point for point in self.points if point.step < step]
            self._fresh = False
        if step < self.last:
            raise ToldError(f"it told metrics of step {step:g} after those of {self.last:g}")
        finite = {name: float(v) for name, v in metrics.items() if math.isfinite(float(v))}
        self._without -= finite.keys()
        for name in metrics.keys() - finite.keys():
            part, _, own = name.partition("/")
            if name in self.undefined or own in self.undefined:
                self._without.add(name)
            elif part in WATCHED:
                self.diverged = f"{name} not finite at step {step:g}"
        if not self.diverged:
            self._put(int(step), finite)

    def _put(self, step: int, values: dict[str, float]) -> None:
        where = {name: values.pop(name) for name in POSITIONS if name in values}
        if self.points and self.points[-1].step == step:
            values = self.points.pop().metrics | values
        epoch = where.get("epoch", float(step) if self.unit == "epochs" else 0.0)
        samples = where.get("samples", step if self.unit == "samples" else 0)
        self.points.append(Point(step, epoch, int(samples), values))

    def test(self, metrics: Mapping[str, Any]) -> None:
        """Add the metrics of the test data.

        Raises:
            ToldError: the run is of the search, or has told them before.
        """
        if not self.confirming:
            raise ToldError(
                f"it told {next(iter(metrics))} in the search, which must not see test data; test "
                "where run.confirming is true, or {confirming} is 1"
            )
        if self.tested:
            raise ToldError("it told metrics of test data twice; test once, at the end")
        self.tested = {name: float(value) for name, value in metrics.items()}

    def outcome(self, status: Status, seconds: float, detail: str = "") -> Outcome:
        """Return what became of the run.

        Args:
            status: how it ended.
            seconds: that it has trained.
            detail: why it failed or diverged.
        """
        costs = {"cost/seconds": seconds, "cost/steps": float(self.last)}
        if status == "failed":
            return Outcome(status, (), {}, detail)
        summary = costs if status == "diverged" else self._closing() | costs
        return Outcome(status, tuple(self.points), summary, detail)

    def _closing(self) -> dict[str, float]:
        """Return the last value of each metric, those of the test, and when it was at its best."""
        last = {name: value for point in self.points for name, value in point.metrics.items()}
        last = {name: value for name, value in last.items() if name not in self._without}
        evaluated = [point for point in self.points if "valid/loss" in point.metrics]
        finite = {name: value for name, value in self.tested.items() if math.isfinite(value)}
        if not evaluated:
            return last | finite
        best = min(evaluated, key=lambda point: point.metrics["valid/loss"])
        at = {"best/step": float(best.step), "best/epoch": best.epoch}
        return last | finite | at | {"best/valid/loss": best.metrics["valid/loss"]}
