"""The column of a table that is predicted: classes or numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from harness.core.errors import HarnessError
from harness.core.lazy import Lazy
from harness.data.column_kinds import comma_number
from harness.data.labels import LABEL_LIKE

if TYPE_CHECKING:
    import pandas as pd
else:
    pd = Lazy("pandas")


class Target(NamedTuple):
    """What is predicted."""

    y: np.ndarray
    """(N,) integers, booleans or texts of classes; (N, 1) float64 numbers."""
    task: Literal["classification", "regression"]
    note: str
    """Which of the two it is, and why."""


def target_of(series: pd.Series, task: str, table: str) -> Target:
    """Return the target column of a table.

    Args:
        series: no value is missing.
        task: "classification", "regression", or "auto": texts, booleans and whole numbers of at
            most 20 values are classes, others numbers.
        table: name of the file, for errors.

    Raises:
        HarnessError: numbers are asked for and it has others, classes and it has fractions, or it
            has numbers with a comma and nobody asked for classes.
    """
    named = f"target {series.name!r}"
    if not pd.api.types.is_numeric_dtype(series.dtype) or pd.api.types.is_bool_dtype(series.dtype):
        if task != "classification" and (comma := comma_number(series.astype(str))):
            raise HarnessError(
                f"data.target: {named} of {table} has numbers with a comma, such as {comma!r}; "
                "data.decimal: ',' reads them, task: classification takes them for classes"
            )
        if task == "regression":
            raise HarnessError(
                f"data.task: expected a target of numbers for regression, got {named} of {table} "
                f"with values such as {series.iloc[0]!r}"
            )
        boolean = pd.api.types.is_bool_dtype(series.dtype)
        y = series.astype(bool if boolean else str).to_numpy(dtype=bool if boolean else object)
        note = f"data Table: {named} has {series.nunique()} classes"
        return Target(y, "classification", note)
    values = series.to_numpy(dtype=float)
    whole, count = bool((values == values.round()).all()), len(np.unique(values))
    if task == "classification" and not whole:
        raise HarnessError(
            f"data.task: expected classes, got {named} of {table} with fractions; "
            "leave task out, or set it to regression"
        )
    if task == "classification" or (task == "auto" and whole and count <= LABEL_LIKE):
        other = "" if task != "auto" else "; task: regression takes them for numbers"
        note = f"data Table: {named} has whole numbers of {count} values, {count} classes{other}"
        return Target(values.astype(np.int64), "classification", note)
    other = "; task: classification takes them for classes" if task == "auto" and whole else ""
    note = f"data Table: {named} is numbers to be predicted{other}"
    return Target(values[:, None], "regression", note)
