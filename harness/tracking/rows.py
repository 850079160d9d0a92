"""From a finished run to what MLflow keeps of it: tags, parameters and metrics."""

from __future__ import annotations

import getpass
import json
import math
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from harness.core.records import Outcome, Point
from harness.spec.arms import Run
from harness.spec.keys import ENGINE
from harness.tracking.provenance import environment

POINTS = 250
"""Points of a curve that MLflow shows; longer curves are kept whole in an artifact."""
CLOSING = ("final/", "test/", "cost/", "best/")
"""How the names of numbers begin that a run has once, at its end."""
Curves = Mapping[str, Sequence[Sequence[float]]]
"""``(step, value)`` pairs by metric."""


class Record(NamedTuple):
    """A finished run and its place in the study."""

    key: str
    run: Run
    outcome: Outcome
    stage: str
    arm: str
    trial: int
    levels: Mapping[str, str]

    @property
    def title(self) -> str:
        """The run's name in the UI."""
        trial = f"trial {self.trial} · " if self.stage == "search" else ""
        return f"{self.arm} · {trial}seed {self.run.seed}"[:250]


class Row(NamedTuple):
    """One run as MLflow keeps it."""

    run_id: str
    key: str
    name: str
    status: str
    start: int
    end: int
    tags: dict[str, str]
    params: dict[str, str]
    metrics: list[tuple[str, int, float]]
    """``(name, step, value)``."""
    files: dict[str, Mapping[str, Any]]
    """Artifacts by file name: the curves in full, where ``metrics`` had to thin them, and the arrays of probes."""

    def whole(self) -> Curves:
        """Return the curves in full."""
        return self.files.get("curves.json") or _by_metric(
            [m for m in self.metrics if not m[0].startswith(CLOSING)]
        )


def row_of(record: Record, parent: str) -> Row:
    """Return the row of a finished run that is nested in ``parent``."""
    outcome, end = record.outcome, int(time.time() * 1000)
    long = len(outcome.points) > POINTS + 1
    files: dict[str, Mapping[str, Any]] = (
        {"curves.json": _by_metric(_points(outcome.points))} if long else {}
    )
    if outcome.arrays:
        files["arrays.json"] = outcome.arrays
    tags = _tags(record, parent) | {
        f"harness.{name.removesuffix('.json')}": "artifact" for name in files
    }
    settings = record.run.recipe.settings() | {
        "seed": record.run.seed,
        "stage": record.stage,
        "arm": record.arm,
    }
    return Row(
        run_id=uuid.uuid4().hex,
        key=record.key,
        name=record.title,
        status="FAILED" if outcome.status == "failed" else "FINISHED",
        start=end - int(1000 * outcome.summary.get("cost/seconds", 0)),
        end=end,
        tags=tags,
        params={name: _text(value)[:6000] for name, value in settings.items() if value is not None},
        metrics=_points(thin(outcome.points)) + _closing(outcome),
        files=files,
    )


def _tags(record: Record, parent: str) -> dict[str, str]:
    detail = {"harness.detail": record.outcome.detail[:4000]} if record.outcome.detail else {}
    return {
        "mlflow.runName": record.title,
        "mlflow.parentRunId": parent,
        "harness.kind": "run",
        "harness.key": record.key,
        "harness.stage": record.stage,
        "harness.arm": record.arm[:4000],
        "harness.trial": str(record.trial),
        "harness.seed": str(record.run.seed),
        "harness.status": record.outcome.status,
        **detail,
        **level_tags(record.levels),
        **origin_tags(),
    }


def level_tags(levels: Mapping[str, str]) -> dict[str, str]:
    """Return one tag a factor, for grouping in the UI."""
    return {f"level.{factor}": level for factor, level in levels.items()}


def origin_tags() -> dict[str, str]:
    """Return what made the results: engine, commit, uncommitted changes, command, user."""
    found = environment()
    return {
        "harness.engine": ENGINE,
        "harness.commit": found["commit"],
        "harness.dirty": found["dirty"] or "no",
        "mlflow.user": user(),
        "harness.command": found["command"][:4000],
        "mlflow.source.name": found["command"].partition(" ")[0],
        "mlflow.source.git.commit": found["commit"],
    }


def user() -> str:
    """Return the name of the account."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def thin(points: Sequence[Point], limit: int = POINTS) -> list[Point]:
    """Return at most ``limit`` + 1 points, evenly spaced, the first and the last among them."""
    if len(points) <= limit + 1:
        return list(points)
    return [points[round(i * (len(points) - 1) / limit)] for i in range(limit + 1)]


def _points(points: Sequence[Point]) -> list[tuple[str, int, float]]:
    return [
        (name, p.step, value)
        for p in points
        for name, value in {**p.metrics, "epoch": p.epoch, "samples": float(p.samples)}.items()
    ]


def _closing(outcome: Outcome) -> list[tuple[str, int, float]]:
    step = int(outcome.summary.get("cost/steps", 0))
    return [(name, step, value) for name, value in closing(outcome).items()]


def closing(outcome: Outcome) -> dict[str, float]:
    """Return the closing numbers by the names that MLflow has them under: ``final/valid/loss`` beside the curve's own."""
    named = {
        k if k.startswith(("test/", "cost/", "best/")) else f"final/{k}": v
        for k, v in outcome.summary.items()
    }
    return {name: value for name, value in named.items() if math.isfinite(value)}


def _by_metric(points: Sequence[tuple[str, int, float]]) -> Curves:
    found: dict[str, list[tuple[int, float]]] = {}
    for name, step, value in points:
        found.setdefault(name, []).append((step, value))
    return found


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
