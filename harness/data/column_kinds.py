"""What a column of a table is: numbers, booleans, categories, or nothing to learn from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from harness.core.lazy import Lazy
from harness.data.columns import Column

if TYPE_CHECKING:
    import pandas as pd
else:
    pd = Lazy("pandas")

LEVELS = 100
"""Levels from which a column of texts is left out unless it is named among the categories."""
COMMA_NUMBER = re.compile(r"\s*[+-]?\d+(,\d+)?([eE][+-]?\d+)?\s*")
"""Numbers with a comma before their fraction, or without one."""
DATE_TEXT = re.compile(r"\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ].*)?\s*")
"""Texts that look like dates."""
ID_NAME = re.compile(r"(^|[_ .-])(id|uuid|key|index|nr|no)$|^unnamed: 0$|^row", re.IGNORECASE)
"""Names of columns of numbers that only name their row."""

ColumnRole = Literal["any", "category", "date"]
"""What the spec says of a column: nothing, that it has categories, or that it has dates."""


class TypedColumn(NamedTuple):
    """A column's values as float64, NaN where they are missing, and what they are."""

    column: Column
    values: np.ndarray


def typed_column(name: str, series: pd.Series, role: ColumnRole) -> TypedColumn | str:
    """Return a column as numbers, or why it can't be an input.

    Args:
        name: of the column.
        series: as pandas has read it.
        role: what the spec says of it.

    Returns:
        The column, or a reason to be put after "it is left out:".
    """
    known = series.dropna()
    if not len(known):
        return "all of its values are missing"
    if role == "date":
        return _dates(name, series)
    if (strange := _strange(known)) is not None:
        return strange
    if len(known) == len(series) and known.nunique() == 1:
        return f"every row has {_text(known.iloc[0])!r}"
    if role == "category":
        return _category(name, series)
    if _is_boolean(known):
        values = series.astype("boolean").to_numpy(dtype=float, na_value=np.nan)
        return TypedColumn(Column(name, "boolean"), values)
    if pd.api.types.is_datetime64_any_dtype(series.dtype) or _look_like_dates(known):
        return "it has dates; name it in dates to make days of them, or in order_by"
    if pd.api.types.is_numeric_dtype(series.dtype):
        return _numbers(name, series, known)
    return _unfit_texts(known) or _category(name, series)


def times_of(series: pd.Series) -> np.ndarray | str:
    """Return what a column is ordered by, numbers or times; or why it has no order."""
    if pd.api.types.is_numeric_dtype(series.dtype):
        return series.to_numpy(dtype=float, na_value=np.nan)
    parsed = _parsed_dates(series)
    return parsed if isinstance(parsed, str) else parsed.to_numpy()


def _numbers(name: str, series: pd.Series, known: pd.Series) -> TypedColumn | str:
    values = series.to_numpy(dtype=float, na_value=np.nan)
    if np.isinf(values).any():
        return f"row {int(np.isinf(values).argmax())} (from 0) is infinite"
    if pd.api.types.is_integer_dtype(series.dtype) and known.nunique() == len(series) > 2:
        consecutive = int(known.max()) - int(known.min()) == len(series) - 1
        if consecutive or ID_NAME.search(name):
            return "it has another number in each row, as an id has"
    return TypedColumn(Column(name, "number"), values)


def _category(name: str, series: pd.Series) -> TypedColumn:
    texts = series.astype(object).map(_text, na_action="ignore")
    levels = sorted(set(texts.dropna()))
    codes = texts.map({level: float(i) for i, level in enumerate(levels)})
    return TypedColumn(
        Column(name, "category", tuple(levels)), codes.to_numpy(dtype=float, na_value=np.nan)
    )


def _dates(name: str, series: pd.Series) -> TypedColumn | str:
    parsed = _parsed_dates(series)
    if isinstance(parsed, str):
        return parsed
    days = (parsed - pd.Timestamp(0)) / pd.Timedelta(days=1)
    return TypedColumn(Column(name, "number"), days.to_numpy(dtype=float, na_value=np.nan))


def _parsed_dates(series: pd.Series) -> pd.Series | str:
    """Return times without a zone, those of zones in UTC; or why there are none."""
    try:
        times = pd.to_datetime(series, format="ISO8601", utc=True)
    except (ValueError, TypeError) as error:
        # 03/04 is March or April: which one is not guessed
        said = str(error).splitlines()[0][:80]
        return f"its dates are not written as 2024-12-31 or 2024-12-31T23:59 ({said})"
    return times.dt.tz_localize(None)


def _unfit_texts(known: pd.Series) -> str | None:
    """Return why texts are no categories, or None."""
    texts = known.astype(str)
    if comma := comma_number(texts):
        return f"it has numbers with a comma, such as {comma!r}; data.decimal: ',' reads them"
    different = int(texts.nunique())
    numbers = pd.to_numeric(texts, errors="coerce")
    if numbers.notna().mean() > 0.5:
        odd = texts[numbers.isna()]
        return f"it has numbers and texts, such as {odd.iloc[0]!r}; name such texts in missing"
    if different > len(texts) / 2:
        words = texts.str.count(r"\S+").mean()
        what = "free text" if words >= 3 else "an id, or free text"
        return f"{different} different texts in {len(texts)} rows are {what}"
    if different > LEVELS:
        return f"it has {different} levels; name it in categories to make an input of each"
    return None


def comma_number(texts: pd.Series) -> str | None:
    """Return one of some texts that are all numbers, some of them with a comma; None of others."""
    commas = texts[texts.str.contains(",", regex=False)]
    if not len(commas) or not texts.str.fullmatch(COMMA_NUMBER).all():
        return None
    return str(commas.iloc[0])


def _strange(known: pd.Series) -> str | None:
    """Return why values are neither numbers, times nor texts, or None."""
    if isinstance(known.dtype, pd.CategoricalDtype) or known.dtype.kind in "biufM":
        return None
    if known.dtype.kind != "O":
        return f"it is of type {known.dtype}"
    other = [v for v in known if not isinstance(v, (str, bool, int, float)) and not _is_date(v)]
    return f"it has values of type {type(other[0]).__name__}" if other else None


def _is_date(value: object) -> bool:
    return hasattr(value, "isoformat")


def _is_boolean(known: pd.Series) -> bool:
    if pd.api.types.is_bool_dtype(known.dtype):
        return True
    return known.dtype == object and all(isinstance(value, (bool, np.bool_)) for value in known)


def _look_like_dates(known: pd.Series) -> bool:
    if known.dtype == object and all(_is_date(value) for value in known):
        return True
    if pd.api.types.is_numeric_dtype(known.dtype):
        return False
    return bool(known.astype(str).str.fullmatch(DATE_TEXT).all())


def _text(value: object) -> str:
    """Return a level as text; 3.0 is 3: whole numbers beside missing ones are kept as floats."""
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)
