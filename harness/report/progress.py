"""The table of training progress: loss and accuracy at a few epochs."""

from __future__ import annotations

from typing import Any, NamedTuple

import pandas as pd

EPOCHS = (1, 10, 50, 100, 200, 500, 1000)
METRICS = ("train/loss", "train/accuracy", "valid/loss", "valid/accuracy")


class Progress(NamedTuple):
    """Means over an arm's seeds at one epoch."""

    arm: str
    epoch: int
    values: dict[str, float]


def progress_table(curves: pd.DataFrame) -> list[Progress]:
    """Return the mean loss and accuracy of every arm at epochs 1, 10, 50, 100, 200, … that were evaluated."""
    names = [name for name in METRICS if name in curves]
    shown = curves[curves["epoch"].isin(EPOCHS)]
    means = (
        shown.groupby(["arm", "epoch"], sort=False)[names].mean().dropna(how="all").reset_index()
    )
    rows: list[dict[str, Any]] = means.to_dict("records")  # type: ignore[assignment]
    return [
        Progress(str(row["arm"]), int(row["epoch"]), {name: float(row[name]) for name in names})
        for row in rows
    ]
