"""Whether a recipe's metrics go with its data and its early stopping; nothing is computed."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.errors import HarnessError
from harness.data.dataset import Dataset
from harness.metrics.base import Metric
from harness.regularizers.stopping import EarlyStopping
from harness.spec.metrics import has_direction, no_direction
from harness.spec.resolved import ResolvedRecipe


def check_metrics(
    recipe: ResolvedRecipe,
    metrics: Sequence[Metric],
    stopping: EarlyStopping | None,
    data: Dataset,
) -> None:
    """Refuse metrics that are not for the data, and early stopping by what is not measured.

    Args:
        recipe: names the data.
        metrics: the recipe's.
        stopping: its early stopping, if it has one.
        data: the data set.

    Raises:
        HarnessError: so they are; the message says why, and the fix.
    """
    for metric in metrics:
        # tokens are classes, many to a sample
        metric.check_data("classification" if data.task == "tokens" else data.task, data.outputs)
    if stopping is None:
        return
    watched = stopping.metric.partition("/")[2]
    classes = ["accuracy"] if data.task in ("classification", "tokens") else []
    measured = ["loss", *classes, *(metric.recorded for metric in metrics)]
    # of a function that returns several numbers the names are known when it has been called
    if watched.partition("/")[0] not in measured:
        raise HarnessError(
            f"recipe.regularizers: EarlyStopping watches {stopping.metric}, got validation metrics "
            f"{', '.join(measured)} of data {recipe.data.name}; use valid/loss, or add it to "
            "recipe.metrics"
        )
    if not has_direction(stopping.metric, recipe.declared):
        raise HarnessError(f"recipe.regularizers.EarlyStopping: {no_direction(stopping.metric)}")
