"""The table of training progress: loss and accuracy at a few epochs."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

SHOWN_EPOCHS = (1, 10, 50, 100, 200, 500, 1000)
"""Epochs with a row, where runs were evaluated then."""
SHOWN_METRICS = ("train/loss", "train/accuracy", "valid/loss", "valid/accuracy")


class ProgressRow(NamedTuple):
    """Means over an arm's runs at one epoch."""

    arm: str
    epoch: int
    values: dict[str, float]
    """By metric."""


def progress_table(curves: pd.DataFrame) -> list[ProgressRow]:
    """Return every arm's mean loss and accuracy at the shown epochs that were evaluated.

    Args:
        curves: rows of :attr:`harness.analysis.results.Results.confirmed_curves`.

    Returns:
        A row for each arm and epoch, in the order of the curves. A mean is over the runs that have
        a value there: runs that had diverged or stopped by then are not in it.
    """
    names = [name for name in SHOWN_METRICS if name in curves]
    # exactly: an evaluation in mid-epoch is at no whole number
    shown = curves[curves["epoch"].isin(SHOWN_EPOCHS)]
    means = shown.groupby(["arm", "epoch"], sort=False)[names].mean().dropna(how="all")
    return [
        ProgressRow(str(arm), int(epoch), dict(zip(names, map(float, row), strict=True)))
        for (arm, epoch), row in zip(means.index, means.to_numpy(), strict=True)
    ]
