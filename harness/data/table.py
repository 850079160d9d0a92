"""A table in a CSV or parquet file: columns of any kind as inputs, one of them as the target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self, final

import numpy as np
from pydantic import Field, model_validator

from harness.core.errors import HarnessError, nearest
from harness.core.lazy import Lazy
from harness.data.column_kinds import ColumnRole, TypedColumn, times_of, typed_column
from harness.data.dataset import PART_NAMES, Raw, Task, TaskChoice
from harness.data.files import FileData
from harness.data.table_files import read_table
from harness.data.table_targets import target_of

if TYPE_CHECKING:
    import pandas as pd
else:
    pd = Lazy("pandas")


@final
class Table(FileData):
    """A CSV or parquet file: numbers, booleans and categories as inputs, one column as the target.

    Numbers are scaled, missing ones become the median beside an input that tells them, and each
    level of a category has an input: all as measured on the training part. Columns that nothing can
    be learnt from are left out, and notes say why.
    """

    target: str
    """Column that is predicted; rows without it are left out."""
    task: TaskChoice = "auto"  # type: ignore[misc, assignment]  # fixed for most kinds of data
    """Whether the target is classes or a number; "auto" takes texts, booleans and whole numbers of
    few values for classes."""
    columns: tuple[str, ...] = ()
    """Columns taken as inputs; by default all that fit."""
    drop: tuple[str, ...] = ()
    """Columns left out."""
    categories: tuple[str, ...] = ()
    """Columns whose values are names and no amounts, such as codes that are written as numbers."""
    dates: tuple[str, ...] = ()
    """Columns of dates that become numbers, in days."""
    decimal: Literal[".", ","] = "."
    """What parts whole numbers from fractions in a CSV."""
    missing: tuple[str, ...] = ()
    """Texts that stand for missing values, beside the usual ones (nothing, NA, NaN, null)."""
    split_by: str | None = None
    """Column that says which part each row is of: train, valid or test."""
    scale_target: bool = True
    """Scale a number that is predicted to mean 0 and deviation 1 over the training part, so that a
    squared error of 1 is that of guessing the mean."""
    standardize: bool = Field(default=True)
    """Scale numbers to mean 0 and deviation 1, as measured on the training samples."""

    @model_validator(mode="after")
    def _target_is_no_input(self) -> Self:
        """Refuse a target that is an input too: whatever is trained would read the answer."""
        if self.target in self.columns:
            raise ValueError(f"columns: expected inputs, got the target {self.target!r} among them")
        return self

    def raw(self) -> Raw:
        """Read the file.

        Raises:
            HarnessError: it is missing or can't be read, has no column of a name that is asked for,
                or a column that is asked for can't be an input.
        """
        table = read_table(self.place(), self.path, self.missing, self.decimal)
        self._check_names(table)
        rows = table[table[self.target].notna()]
        if not len(rows):
            raise HarnessError(f"data.target: every row of {self.path} lacks {self.target!r}")
        target = target_of(rows[self.target], self.task, self.path)
        notes = [target.note]
        if lost := len(table) - len(rows):
            notes.append(f"data Table: {lost} rows of {self.path} without {self.target!r} left out")
        typed, left_out = self._inputs(rows)
        raw = Raw(
            np.stack([each.values for each in typed], axis=1),
            target.y,
            columns=tuple(each.column for each in typed),
            groups=None if self.groups is None else _codes(rows[self.groups]),
            order=None if self.order_by is None else self._times(rows[self.order_by]),
            scale_targets=self.scale_target and target.task == "regression",
            notes=tuple([*notes, *left_out]),
        )
        return raw if self.split_by is None else self._by_column(raw, rows[self.split_by])

    def task_of(self, raw: Raw) -> Task:
        """Return what is asked for, or what the target's values are."""
        return "regression" if raw.y.dtype.kind == "f" else "classification"

    def _check_names(self, table: pd.DataFrame) -> None:
        """Refuse names that the table has not.

        Raises:
            HarnessError: the message has the nearest name.
        """
        fields = ("target", "groups", "order_by", "split_by", "columns", "drop", "categories")
        for field in (*fields, "dates"):
            value = getattr(self, field)
            for name in (value,) if isinstance(value, str) else value or ():
                if name not in table:
                    raise HarnessError(
                        f"data.{field}: {self.path} has no column {name!r}; "
                        f"{nearest(name, map(str, table.columns))}"
                    )

    def _inputs(self, rows: pd.DataFrame) -> tuple[list[TypedColumn], list[str]]:
        """Return the columns that are inputs, and notes of those that are not.

        Raises:
            HarnessError: one that is asked for can't be an input, or none is left.
        """
        special = (self.target, self.groups, self.order_by, self.split_by)
        asked = [str(name) for name in rows if name in self.columns]
        every = [str(name) for name in rows if name not in special]
        typed, reasons = [], {}
        for name in asked if self.columns else every:
            if name in self.drop:
                continue
            found = typed_column(name, rows[name], self._role(name))
            if isinstance(found, TypedColumn):
                typed.append(found)
            elif name in (*self.columns, *self.categories, *self.dates):
                raise HarnessError(
                    f"data.columns: {name!r} of {self.path} can't be an input: {found}"
                )
            else:
                reasons[name] = found
        said = [f"data Table: column {name!r} is left out: {why}" for name, why in reasons.items()]
        if not typed:
            raise HarnessError(
                f"data Table: expected columns to learn from beside {self.target!r} in "
                f"{self.path}, got none" + "".join(f"; {line}" for line in said)
            )
        return typed, said

    def _role(self, name: str) -> ColumnRole:
        if name in self.dates:
            return "date"
        return "category" if name in self.categories else "any"

    def _times(self, series: pd.Series) -> np.ndarray:
        """Return what rows are ordered by.

        Raises:
            HarnessError: the column has no order.
        """
        times = times_of(series)
        if isinstance(times, str):
            raise HarnessError(f"data.order_by: {series.name!r} of {self.path}: {times}")
        return times

    def _by_column(self, raw: Raw, names: pd.Series) -> Raw:
        """Return the arrays with the parts that a column names.

        Raises:
            HarnessError: it names others, no row is of the training part, or a group is in several.
        """
        parts = names.astype(str).str.lower().map(PART_NAMES)
        if parts.isna().any():
            raise HarnessError(
                f"data.split_by: expected train, valid or test in {names.name!r} of {self.path}, "
                f"got {names[parts.isna()].iloc[0]!r}"
            )
        rows = {part: np.flatnonzero(parts == part) for part in ("train", "valid", "test")}
        train = rows["train"]
        if not len(train):
            raise HarnessError(f"data.split_by: no row of {self.path} is of the training part")
        if raw.groups is not None:
            _check_groups(raw.groups, rows)
        own = {
            part: (raw.x[rows[part]], raw.y[rows[part]])
            for part in ("valid", "test")
            if len(rows[part])
        }
        alone = f"data Table: every row of {names.name!r} is of the training part; validation and "
        return raw._replace(
            notes=raw.notes if own else (*raw.notes, alone + "test part are split off it"),
            x=raw.x[train],
            y=raw.y[train],
            groups=None if raw.groups is None else raw.groups[train],
            order=None if raw.order is None else raw.order[train],
            valid=own.get("valid"),
            test=own.get("test"),
        )


def _check_groups(groups: np.ndarray, rows: dict[str, np.ndarray]) -> None:
    """Refuse parts of the source's own that share a group.

    Raises:
        HarnessError: so they do.
    """
    seen: dict[float, str] = {}
    for part, own in rows.items():
        for group in np.unique(groups[own]).tolist():
            if seen.setdefault(group, part) != part:
                raise HarnessError(
                    f"data.groups: expected no group in two parts, but split_by has one in "
                    f"{seen[group]} and {part}; leave out groups or split_by"
                )


def _codes(series: pd.Series) -> np.ndarray:
    """Return the groups of rows as numbers, NaN where they are missing."""
    codes, _ = pd.factorize(series)
    return np.where(codes < 0, np.nan, codes.astype(float))
