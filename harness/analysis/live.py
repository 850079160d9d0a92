"""What a running study has so far."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import pandas as pd

from harness.analysis.results import Results
from harness.core.errors import StoreError
from harness.spec.arms import arms
from harness.spec.study import Study
from harness.tracking import Store


class ArmSoFar(NamedTuple):
    """One arm of a running study."""

    arm: str
    searched: int
    confirmed: int
    best: float | None
    """Best objective of its search so far."""
    last: float | None
    """Mean held-out loss of its confirm runs."""
    wrong: int
    """Runs that diverged or failed."""


def progress(store: Store, study: Study) -> tuple[ArmSoFar, ...]:
    """Return a row an arm."""
    leaves = store.leaves()
    return tuple(
        _so_far(arm.name, [r for r in leaves if r["tags"]["harness.arm"] == arm.name], study)
        for arm in arms(study)
    )


def _so_far(name: str, mine: list[dict[str, Any]], study: Study) -> ArmSoFar:
    stages = {
        stage: [row for row in mine if row["tags"]["harness.stage"] == stage]
        for stage in ("search", "confirm")
    }
    values: list[float] = []
    if study.search:
        metric = f"final/{study.search.objective}"
        values = [
            v
            for row in stages["search"]
            if (v := row["metrics"].get(metric)) is not None and math.isfinite(v)
        ]
    pick = max if study.search and study.search.maximize else min
    closing = [
        v for row in stages["confirm"] if (v := row["metrics"].get("final/valid/loss")) is not None
    ]
    return ArmSoFar(
        name,
        len(stages["search"]),
        len(stages["confirm"]),
        pick(values) if values else None,
        sum(closing) / len(closing) if closing else None,
        sum(row["tags"]["harness.status"] in ("diverged", "failed") for row in mine),
    )


def spec_of(store: Store) -> Study:
    """Return the study that runs, or has run, in a store.

    Raises:
        StoreError: it has not begun.
    """
    top = store.top()
    if top is None:
        raise StoreError(f"study {store.study!r} has not begun; start it with 'harness run'")
    return Study.model_validate(store.artifact(top, "spec.json"))


def so_far(store: Store, study: Study) -> Results:
    """Return the runs so far as results: those of the confirm stage, or before it has begun those of the search."""
    rows = [_place(row) for row in store.leaves()]
    index = {"runs": rows, "trials": [], "winners": {}, "importances": {}, "clock": {}}
    return Results(store, study.dump(), index, {})


def _place(row: dict[str, Any]) -> dict[str, Any]:
    tags = row["tags"]
    numbers = {name: int(tags[f"harness.{name}"]) for name in ("trial", "seed")}
    texts = {name: tags[f"harness.{name}"] for name in ("arm", "stage", "status", "key")}
    return {"run_id": row["run_id"], **texts, **numbers}


def newest(curves: pd.DataFrame) -> pd.DataFrame:
    """Return the curves of the confirm stage if there are any, else those of the search, each run of it as a seed."""
    confirm = curves[curves["stage"] == "confirm"]
    return confirm if len(confirm) else curves.assign(seed=pd.factorize(curves["run_id"])[0])
