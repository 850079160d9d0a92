"""The table of training progress: loss and accuracy at a few epochs."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

SHOWN_EPOCHS = (1, 10, 50, 100, 200, 500, 1000)
SHOWN_METRICS = ("train/loss", "train/accuracy", "valid/loss", "valid/accuracy")


class ProgressRow(NamedTuple):
    """Means over an arm's seeds at one epoch."""

    arm: str
    epoch: int
    values: dict[str, float]
    """By metric."""


def progress_table(curves: pd.DataFrame) -> list[ProgressRow]:
    """Return every arm's mean loss and accuracy at the shown epochs that were evaluated."""
    names = [name for name in SHOWN_METRICS if name in curves]
    shown = curves[curves["epoch"].isin(SHOWN_EPOCHS)]
    means = shown.groupby(["arm", "epoch"], sort=False)[names].mean().dropna(how="all")
    return [
        ProgressRow(str(arm), int(epoch), dict(zip(names, map(float, row), strict=True)))
        for (arm, epoch), row in zip(means.index, means.to_numpy(), strict=True)
    ]
