"""Checks of the recipe's metrics: whether each was defined wherever it was measured."""

from __future__ import annotations

from collections.abc import Iterator

from harness.analysis.audit.finding import Finding, first_of
from harness.analysis.results import Results
from harness.spec.component import as_a
from harness.spec.metrics import DeclaredMetric


def undefined_metrics(results: Results) -> Iterator[Finding]:
    """Find runs that ended well and have no value of one of the recipe's metrics.

    An area under a curve of one class alone, or a correlation with predictions that never change,
    is not defined: such a run counts in no mean of the metric.
    """
    runs = results.confirmed
    ended = runs[~runs["status"].isin(["diverged", "failed"])]
    for metric in results.study.recipe.metrics:
        name = as_a(DeclaredMetric, metric).recorded
        parts = ("test", "valid", "train")
        own = [c for part in parts for c in ended if _is_of(str(c), f"{part}/{name}")]
        missing = {column: ended[ended[column].isna()] for column in own}
        having = [f"{c} in {len(rows)} of {len(ended)}" for c, rows in missing.items() if len(rows)]
        if not own and len(ended):
            having = [f"{name} in all of {len(ended)}"]
        if having:
            arms = sorted({str(arm) for rows in missing.values() for arm in rows["arm"]})
            yield Finding(
                "metric not defined",
                f"runs that ended well have no value: {first_of(having)}"
                + (f" (arms {first_of(arms)})" if arms else ""),
                "these runs are left out of its means; see that every part of the data has samples "
                "of every class",
            )


def _is_of(column: str, name: str) -> bool:
    """Return whether a column is the metric's, or one of several numbers that it gives."""
    return column == name or column.startswith(f"{name}/")
