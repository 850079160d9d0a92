"""Training a recorded run again from what MLflow has of it, and comparing every point."""

from __future__ import annotations

import json
import math
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from harness.core.errors import HarnessError
from harness.core.metric_names import current_name
from harness.core.records import Outcome
from harness.execution.jobs import Job
from harness.execution.local import Serial
from harness.execution.pool import Pool
from harness.protocol.dispatch import key_of
from harness.spec.arms import Run, arms
from harness.spec.keys import ENGINE
from harness.spec.study import Study
from harness.tracking import Curves
from harness.tracking.provenance import environment
from harness.tracking.record import Found, find

TOLERANCE = {"float64": 1e-9, "float32": 1e-4, "bfloat16": 1e-2}
"""Largest relative difference of a point that rounding alone explains, by the recipe's dtype."""
TIMED = ("cost/", "throughput/")
"""Metrics that are never twice the same."""


class Reproduced(NamedTuple):
    """What came of it."""

    verdict: Literal["identical", "within tolerance", "different"]
    points: int
    """Points compared."""
    largest: float
    """Largest relative difference of a point."""
    where: str
    """Metric and step of that difference; empty if there is none."""
    changed: tuple[str, ...]
    """What is not as it was then: code, data, engine, packages, processor."""


def reproduce(run_id: str, uri: str | None = None) -> Reproduced:
    """Rebuild a run's recipe, seed, probes and code from MLflow alone, train it, and compare every recorded point.

    Raises:
        StoreError: there is no such run.
        HarnessError: it can't be trained here.
    """
    with tempfile.TemporaryDirectory() as folder:
        found = find(run_id, uri, Path(folder))
        sys.path.insert(0, str(Path(folder) / "code"))
        try:
            run = run_of(found)
            outcome = _trained(run, found.tags["harness.stage"] == "confirm")
            changed = _changes(found, key_of(run))
        finally:
            sys.path.remove(str(Path(folder) / "code"))
    return compared(found.curves, outcome, TOLERANCE[run.recipe.dtype], changed)


def run_of(found: Found) -> Run:
    """Return the run that a record is of."""
    study = Study.model_validate(found.spec)
    arm = next((arm for arm in arms(study) if arm.name == found.tags["harness.arm"]), None)
    if arm is None:
        raise HarnessError(
            f"study {found.study!r} no longer has the arm {found.tags['harness.arm']!r}; its spec was replaced"
        )
    values = {path: _value(found.params[path]) for path in arm.recipe.spaces()}
    probes = study.probes if found.tags["harness.stage"] == "confirm" else ()
    return Run.of(arm.recipe.with_values(values), int(found.tags["harness.seed"]), probes)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _trained(run: Run, test: bool) -> Outcome:
    with Pool(Serial) as pool:
        for _, done in pool.run([Job((0,), (run,), test=test)]):
            if done.outcomes:
                return done.outcomes[0]
            raise HarnessError(f"the run can't be trained here: {done.error}")
    raise HarnessError("the run can't be trained here")


def compared(
    then: Curves, outcome: Outcome, tolerance: float, changed: tuple[str, ...] = ()
) -> Reproduced:
    """Compare every recorded point with the new run's; a point that the new run lacks differs without bounds."""
    now = {
        (name, point.step): value
        for point in outcome.points
        for name, value in point.metrics.items()
    }
    recorded = {
        (current_name(name), int(step)): value
        for name, pairs in then.items()
        if not name.startswith((*TIMED, "final/", "test/", "best/"))
        and name not in ("epoch", "samples")
        for step, value in pairs
    }
    apart = {place: _relative(value, now.get(place, math.nan)) for place, value in recorded.items()}
    place = max(apart, key=lambda p: apart[p], default=None)
    largest = apart[place] if place is not None else 0.0
    verdict: Any = (
        "identical" if largest == 0 else "within tolerance" if largest <= tolerance else "different"
    )
    where = f"{place[0]} at step {place[1]}" if place is not None and largest > 0 else ""
    return Reproduced(verdict, len(recorded), largest, where, changed)


def _relative(then: float, now: float) -> float:
    if then == now:
        return 0.0
    scale = max(abs(then), abs(now))
    return abs(then - now) / scale if math.isfinite(then - now) else math.inf


def _changes(found: Found, key: str) -> tuple[str, ...]:
    """Return what is not as it was when the run was recorded."""
    then, now = found.environment, environment()
    engine = found.tags["harness.engine"]
    changes = [f"engine {engine}, now {ENGINE}"] if engine != ENGINE else []
    if not changes and found.tags["harness.key"] != key:
        changes.append("its recipe, data or own code give another key")
    changes += _packages(then.get("packages", {}), now["packages"])
    if then.get("processor") != now["processor"]:
        changes.append(f"processor {then.get('processor')}, now {now['processor']}")
    return tuple(changes)


def _packages(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    wanted = ("torch", "numpy", "scipy", "scikit-learn")
    return [
        f"{name} {then[name]}, now {now.get(name)}"
        for name in wanted
        if name in then and then[name] != now.get(name)
    ]
