"""A table of runs that were trained elsewhere, as runs: each with its curves and closing values.

What can't be read is refused in one sentence that names the row; what is read in a way that its
user should know of is told in notes.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from harness.core.errors import SpecError
from harness.data.column_kinds import comma_number
from harness.protocol.imported.columns import Columns, metric_names

_PLACE = ["arm", "search", "seed"]


class ForeignRun(NamedTuple):
    """A run that was trained elsewhere."""

    arm: str
    search: Hashable
    """What the table calls the search that tuned its arm; 0 where it has no such column."""
    seed: Hashable
    """What the table tells the arm's runs apart by; their order where it has no such column."""
    curves: dict[str, dict[int, float]]
    """Values by metric and step; a value that is not finite is the last one."""
    closing: dict[str, float]
    """The closing value of each metric: the one without a step, or else the last."""
    positions: dict[int, tuple[float, float]]
    """Epoch and samples at each step; NaN where the table does not say."""


class Tidy(NamedTuple):
    """What a table was read as."""

    runs: list[ForeignRun]
    """In the order in which their arms first appear; an arm's in the order of its rows."""
    names: dict[str, str]
    """The harness's name of each metric, by the table's."""
    notes: list[str]
    """What a user should know of how the table was read, in sentences without a full stop."""


def tidy_runs(table: pd.DataFrame, columns: Columns) -> Tidy:
    """Return the runs of a table.

    Args:
        table: long or wide, with a row for each value or for each step of a run.
        columns: what its columns say.

    Raises:
        SpecError: a value is not a number, an arm or a seed is missing, or two rows contradict each
            other.
    """
    if not len(table):
        raise SpecError("expected a row for each run at least, got an empty table")
    places = _places(table, columns)
    long, notes = _long_form(table, columns, places)
    names = metric_names(list(dict.fromkeys(long["metric"])))
    long["metric"] = long["metric"].map(names)
    long = _once(_measured(long), notes)
    if not len(long):
        raise SpecError("expected numbers, got a table without any")
    during = [name for name in dict.fromkeys(long["metric"]) if curve_name(name) != name]
    during = [name for name in during if long.loc[long["metric"] == name, "step"].notna().any()]
    if during:
        notes.append(
            f"{', '.join(during)} was measured during training, where test data may choose when to "
            f"stop; its curve is called {curve_name(during[0])}"
        )
    runs = [_run(place, rows) for place, rows in long.groupby(_PLACE, sort=False, observed=True)]
    order = list(dict.fromkeys(places["arm"]))
    return Tidy(sorted(runs, key=lambda run: order.index(run.arm)), names, notes)


def curve_name(metric: str) -> str:
    """Return the name of a metric's curve: a run of the harness has test data, costs and its best
    values only once, so that a curve of these is called otherwise.

    >>> curve_name("test/loss"), curve_name("valid/loss")
    ('run/test_loss', 'valid/loss')
    """
    part, _, rest = metric.partition("/")
    return f"run/{part}_{rest}" if part in ("test", "cost", "best") else metric


def _places(table: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """Return where each row belongs: arm, search, seed, step, epoch and samples.

    Rows are numbered from 1, as people count those below a header.
    """
    rows = pd.RangeIndex(1, len(table) + 1, name="row")
    given = table.set_axis(rows)
    places = pd.DataFrame(index=rows)
    places["arm"] = _named(given, columns.arm, "arm").astype(str)
    places["search"] = _named(given, columns.search, "search") if columns.search else 0
    for role in ("step", "epoch", "samples"):
        column = getattr(columns, role)
        places[role] = _numbers(given[column], column) if column else math.nan
    wrong = places["step"].dropna()
    wrong = wrong[(wrong < 0) | (wrong % 1 != 0)]
    if len(wrong):
        raise SpecError(
            f"{columns.step}: expected whole numbers from 0, got {wrong.iloc[0]:g} in row "
            f"{wrong.index[0]}"
        )
    places["seed"] = (
        _named(given, columns.seed, "seed") if columns.seed else _numbered(places, columns)
    )
    return places


def _named(table: pd.DataFrame, column: str, role: str) -> pd.Series:
    """Return a column of names in which no row is left out; whole numbers are written as such."""
    names = table[column]
    missing = names.index[names.isna()]
    if len(missing):
        raise SpecError(f"{column}: expected the {role} in every row, got none in row {missing[0]}")
    if pd.api.types.is_float_dtype(names) and (names % 1 == 0).all():
        return names.astype(int)
    return names.astype(object)


def _numbered(places: pd.DataFrame, columns: Columns) -> pd.Series:
    """Return each row's number within its arm and search, for a table without seeds.

    Raises:
        SpecError: a run has several rows, which nothing says are its own.
    """
    if columns.step is not None or columns.long:
        raise SpecError(
            "seed: expected a column that tells an arm's runs apart, got none called 'seed'; say "
            "which it is (seed=…)"
        )
    return places.groupby(["arm", "search"], sort=False).cumcount()


def _refuse_commas(column: pd.Series, name: str) -> None:
    """Refuse numbers with a decimal comma, which would be texts.

    Raises:
        SpecError: so they are.
    """
    if pd.api.types.is_numeric_dtype(column.dtype):
        return
    if comma := comma_number(column.dropna().astype(str)):
        raise SpecError(
            f"{name}: expected numbers with a point, got {comma!r}; write the table anew, or give "
            "Study.from_frame what pandas.read_csv(…, decimal=',') reads"
        )


def _numbers(column: pd.Series, name: str) -> pd.Series:
    """Return a column as numbers.

    Raises:
        SpecError: one of them is something else.
    """
    numbers = pd.to_numeric(column, errors="coerce").astype(float)
    wrong = column[numbers.isna() & column.notna() & ~column.map(_is_nan_text)]
    if len(wrong):
        raise SpecError(
            f"{name}: expected numbers, got {wrong.iloc[0]!r} in row {wrong.index[0]}; leave the "
            "column out, or write NaN for a run that diverged"
        )
    return numbers


def _is_nan_text(value: object) -> bool:
    return isinstance(value, str) and value.strip().lower() in ("nan", "null", "none", "")


def _long_form(
    table: pd.DataFrame, columns: Columns, places: pd.DataFrame
) -> tuple[pd.DataFrame, list[str]]:
    """Return one row a value, with its metric's name, and what was left out."""
    given = table.set_axis(places.index)
    if columns.metric is not None and columns.value is not None:
        metric = _named(given, columns.metric, "metric").astype(str)
        _refuse_commas(given[columns.value], columns.value)
        value = _numbers(given[columns.value], columns.value)
        rows = places.assign(metric=metric, value=value)
        return rows[metric.isin(columns.measured)] if columns.measured else rows, []
    for name in columns.measured:
        _refuse_commas(given[name], name)
    texts = [name for name in columns.measured if _is_text(given[name])]
    measured = [name for name in columns.measured if name not in texts]
    if not measured:
        raise SpecError("expected a column of numbers for each metric, got none")
    notes = [f"columns of text are left out: {', '.join(texts)}"] if texts else []
    parts = [places.assign(metric=name, value=_numbers(given[name], name)) for name in measured]
    return pd.concat(parts), notes


def _is_text(column: pd.Series) -> bool:
    """Return whether a column has values, of which none is a number."""
    return bool(column.notna().any() and pd.to_numeric(column, errors="coerce").isna().all())


def _measured(long: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with a value, and those where one is missing that was to be there.

    Most tables with a column a metric have empty cells where a metric was not measured. A NaN says
    that a run diverged only where most runs with a row at that step do have a value.
    """
    having = long["value"].notna().groupby([long["metric"], long["step"].fillna(-1.0)])
    return long[long["value"].notna() | (having.transform("mean") >= 0.5)]


def _once(long: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Return the rows without those that say the same again.

    Raises:
        SpecError: two rows say different things of one run and step.
    """
    key = [*_PLACE, "metric", "step"]
    again = long.duplicated(key)
    if not again.any():
        return long
    contradicting = long[again & ~long.duplicated([*key, "value"])]
    if len(contradicting):
        row, first = contradicting.index[0], contradicting.iloc[0]
        same = (long[key].fillna(-1.0) == first[key].fillna(-1.0)).all(axis=1)
        at = "" if math.isnan(first["step"]) else f" at step {first['step']:g}"
        raise SpecError(
            f"rows {long.index[same][0]} and {row}: two values of {first['metric']} for arm "
            f"{first['arm']!r}, seed {first['seed']}{at}; remove one of them, or name the column "
            "that tells runs apart (seed=…)"
        )
    notes.append(f"{int(again.sum())} values stand in the table twice and count once")
    return long[~again]


def _run(place: Sequence[Hashable], rows: pd.DataFrame) -> ForeignRun:
    """Return one run, given its values."""
    arm, search, seed = place
    curves: dict[str, dict[int, float]] = {}
    closing: dict[str, float] = {}
    for metric, own in rows.groupby("metric", sort=False):
        at_steps = own.dropna(subset=["step"]).sort_values("step", kind="stable")
        points = dict(zip(at_steps["step"].astype(int), at_steps["value"], strict=True))
        last = list(own.loc[own["step"].isna(), "value"]) or list(points.values())
        closing[str(metric)] = float(last[-1])
        # a curve has no place for what is not a number
        curves[curve_name(str(metric))] = {
            int(step): float(value) for step, value in points.items() if np.isfinite(value)
        }
    there = rows.dropna(subset=["step"]).drop_duplicates("step").sort_values("step")
    positions = {
        int(step): (float(epoch), float(samples))
        for step, epoch, samples in there[["step", "epoch", "samples"]].to_numpy()
    }
    return ForeignRun(str(arm), search, seed, curves, closing, positions)
