"""The curve of a user's own training run, put together from what it tells, and its outcome."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from typing import Any

from harness.core.errors import HarnessError
from harness.core.metric_names import (
    NOTHING_DECLARED,
    Declared,
    may_be_undefined,
    why_impossible,
)
from harness.core.records import Outcome, Point, Status
from harness.trainers.training_run import POSITIONS

WATCHED = ("train", "valid", "batch")
"""Parts of the data whose losses, accuracies and metrics that nobody has described must be finite:
a run with one that is not has diverged. Other metrics that are not finite are left out."""


TOLD_UNITS = ("epochs", "samples")
"""Units, beside steps, in which a run may say where it is."""


class ToldError(HarnessError):
    """A run told what it may not."""


class OwnCurve:
    """What a run has told so far.

    Args:
        unit: what its length is given in.
        length: how long it is to train.
        confirming: whether it may tell metrics of test data.
        declared: metrics that the recipe declares.
    """

    def __init__(
        self, unit: str, length: float, confirming: bool, declared: Declared = NOTHING_DECLARED
    ) -> None:
        self.unit, self.length, self.confirming = unit, length, confirming
        self.declared, self.undefined = declared, may_be_undefined(declared)
        self._epoch = self._samples = math.nan
        """Where it was when it last said so; not a number before it has."""
        self._without: set[str] = set()
        """Metrics that were not defined when they were told last."""
        self.points: list[Point] = []
        self.tested: dict[str, float] = {}
        self.diverged = ""
        """Why it has diverged; empty while it has not."""
        self._fresh = True
        self.started = time.time()
        self.times: dict[int, float] = {}
        """When each point was told, in seconds since 1970."""

    @property
    def last(self) -> float:
        """The step told last; 0 before the first."""
        return self.points[-1].step if self.points else 0

    def restart(self) -> None:
        """Expect an interrupted run to go on from an earlier step than the last."""
        self._fresh = True

    def add(self, step: float, metrics: Mapping[str, Any], at: float | None = None) -> None:
        """Add metrics at a step; those of equal steps are joined.

        Args:
            step: where they were measured.
            metrics: by name.
            at: when they were told, in seconds since 1970; now by default.

        Raises:
            ToldError: the step is past the length, or before the last one, or a metric can't have
                such a value.
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
        self._check_possible(finite)
        self._without -= finite.keys()
        for name in metrics.keys() - finite.keys():
            part, _, own = name.partition("/")
            if name in self.undefined or own in self.undefined:
                self._without.add(name)
            elif part in WATCHED:
                self.diverged = f"{name} not finite at step {step:g}"
        if not self.diverged:
            self._put(int(step), finite)
            self.times[int(step)] = time.time() if at is None else at

    def _check_possible(self, metrics: Mapping[str, float]) -> None:
        """Refuse values that their metrics can't have, such as an accuracy in percent.

        Raises:
            ToldError: there is one.
        """
        for name, value in metrics.items():
            if said := why_impossible(name, value, self.declared):
                raise ToldError(f"it told a metric wrongly: {said}")

    def _put(self, step: int, values: dict[str, float]) -> None:
        self._epoch = float(step) if self.unit == "epochs" else values.pop("epoch", self._epoch)
        self._samples = step if self.unit == "samples" else values.pop("samples", self._samples)
        values = {name: value for name, value in values.items() if name not in POSITIONS}
        if self.points and self.points[-1].step == step:
            values = self.points.pop().metrics | values
        self.points.append(Point(step, self._epoch, self._samples, values))

    def test(self, metrics: Mapping[str, Any]) -> None:
        """Add the metrics of the test data.

        Raises:
            ToldError: the run is of the search, or has told them before, or a metric can't have
                such a value.
        """
        if not self.confirming:
            raise ToldError(
                f"it told {next(iter(metrics))} in the search, which must not see test data; test "
                "where run.confirming is true, or {confirming} is 1"
            )
        if self.tested:
            raise ToldError("it told metrics of test data twice; test once, at the end")
        self.tested = {name: float(value) for name, value in metrics.items()}
        self._check_possible(self.tested)

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
        told = {point.step: self.times[point.step] for point in self.points}
        return Outcome(
            status, tuple(self._placed()), summary, detail, started=self.started, times=told
        )

    def _placed(self) -> Iterator[Point]:
        """Yield the points; those before a run first said where it is are at its beginning."""
        for point in self.points:
            epoch = 0.0 if math.isnan(point.epoch) and self.knows("epochs") else point.epoch
            samples = 0.0 if math.isnan(point.samples) and self.knows("samples") else point.samples
            yield point._replace(epoch=epoch, samples=samples)

    def knows(self, unit: str) -> bool:
        """Return whether the run has said where it is in a unit; steps it always says."""
        where = {"epochs": self._epoch, "samples": self._samples}.get(unit, 0.0)
        return not math.isnan(where)

    def _closing(self) -> dict[str, float]:
        """Return the last value of each metric, those of the test, and when it was at its best."""
        last = {name: value for point in self.points for name, value in point.metrics.items()}
        last = {name: value for name, value in last.items() if name not in self._without}
        finite = {name: value for name, value in self.tested.items() if math.isfinite(value)}
        evaluated = [point for point in self._placed() if "valid/loss" in point.metrics]
        if not evaluated:
            return last | finite
        best = min(evaluated, key=lambda point: point.metrics["valid/loss"])
        at = {"best/step": float(best.step)}
        if self.knows("epochs"):
            at["best/epoch"] = best.epoch
        return last | finite | at | {"best/valid/loss": best.metrics["valid/loss"]}


def told(point: Point) -> dict[str, float]:
    """Return a point's metrics and where the run was, as far as it said so: what gave the point."""
    where = zip(POSITIONS, (point.epoch, point.samples), strict=True)
    return point.metrics | {name: value for name, value in where if not math.isnan(value)}


def named_metrics(value: object) -> Mapping[str, object]:
    """Return metrics as they were told, by name.

    Raises:
        ToldError: it is something else.
    """
    if not isinstance(value, Mapping):
        raise ToldError(f"expected metrics by name, got {value!r}")
    return value
