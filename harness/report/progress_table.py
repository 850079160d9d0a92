"""The table of training progress: loss and accuracy at a few epochs."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from harness.analysis.number_column import value_column
from harness.analysis.quantities import quantity_of
from harness.core.metric_names import NOTHING_DECLARED, Declared, describe

SHOWN_EPOCHS = (1, 10, 50, 100, 200, 500, 1000)
"""Epochs with a row, where runs were evaluated then."""
SHOWN_METRICS = ("train/loss", "train/accuracy", "valid/loss", "valid/accuracy")


class ProgressColumn(NamedTuple):
    """Means of one metric over an arm's runs at some epochs."""

    name: str
    """The metric as it is recorded."""
    label: str
    unit: str
    cells: tuple[str, ...]


class ProgressTable(NamedTuple):
    """Means over each arm's runs at some epochs."""

    rows: tuple[tuple[str, int], ...]
    """Arm and epoch."""
    columns: tuple[ProgressColumn, ...]


def progress_table(
    curves: pd.DataFrame, declared: Declared = NOTHING_DECLARED
) -> ProgressTable | None:
    """Return every arm's mean loss and accuracy at the shown epochs that were evaluated.

    Args:
        curves: rows of :attr:`harness.analysis.results.Results.confirmed_curves`.
        declared: what the study declares of metrics of its own.

    Returns:
        None where there is nothing to show. A row for each arm and epoch, in the order of the
        curves. A mean is over the runs that have a value there: runs that had diverged or stopped
        by then are not in it.
    """
    names = [name for name in SHOWN_METRICS if name in curves]
    # exactly: an evaluation in mid-epoch is at no whole number
    shown = curves[curves["epoch"].isin(SHOWN_EPOCHS)]
    means = shown.groupby(["arm", "epoch"], sort=False)[names].mean().dropna(how="all")
    if not len(means):
        return None
    columns = [
        ProgressColumn(
            name,
            describe(name, declared).label,
            *value_column([float(v) for v in means[name]], quantity_of(name, declared)),
        )
        for name in names
    ]
    rows = tuple((str(arm), int(epoch)) for arm, epoch in means.index)
    return ProgressTable(rows, tuple(columns))
