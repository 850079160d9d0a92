"""Numbers below each other: one unit in the head, the same decimals in every row."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from harness.analysis.quantities import (
    UNSCALED,
    Quantity,
    Scale,
    say,
    three_digits,
    why_no_number,
)
from harness.stats import Interval

WIDEST = 1e4
"""Ratio of a column's largest to its middle number from which on each row has decimals of its
own."""


class NumberColumn(NamedTuple):
    """A column of a table."""

    unit: str
    """What its head says after the name, such as ``%``; empty where there is nothing to say."""
    cells: tuple[str, ...]


def interval_column(rows: Sequence[Interval], quantity: Quantity = UNSCALED) -> NumberColumn:
    """Return estimates with their intervals as a column.

    Args:
        rows: as :func:`harness.analysis.quantities.say` takes them.
        quantity: how they are written.

    >>> best, second = Interval(0.614, 0.583, 0.6461), Interval(0.5081, 0.4, 0.6)
    >>> interval_column([best, second], Quantity(100.0, "%"))
    NumberColumn(unit='%', cells=('61.4 [58.3, 64.6]', '50.8 [40.0, 60.0]'))
    """
    scale = _scale([_size(row) for row in rows], quantity)
    if scale is None:
        return NumberColumn("", tuple(say(row, quantity) for row in rows))
    return NumberColumn(
        _unit(scale, quantity), tuple(_interval_cell(row, scale, quantity) for row in rows)
    )


def value_column(
    rows: Sequence[float | None], quantity: Quantity = UNSCALED, missing: str = "—"
) -> NumberColumn:
    """Return numbers as a column.

    Args:
        rows: None or NaN where there is no number.
        quantity: how they are written.
        missing: what stands there then.

    >>> value_column([0.25, None, 12.0])
    NumberColumn(unit='', cells=('0.250', '—', '12.000'))
    >>> value_column([3.0, 12.0])
    NumberColumn(unit='', cells=('3', '12'))
    """
    numbers = [math.nan if row is None else row for row in rows]
    finite = [number for number in numbers if math.isfinite(number)]
    if quantity == UNSCALED and finite and all(number.is_integer() for number in finite):
        scale: Scale | None = Scale(0)
    else:
        scale = _scale(numbers, quantity)
    cells = (
        missing if math.isnan(number) else _value_cell(number, scale, quantity)
        for number in numbers
    )
    return NumberColumn(_unit(scale or Scale(0), quantity), tuple(cells))


def _size(row: Interval) -> float:
    """Return the largest finite number of a row; of a missing one, NaN."""
    if not math.isfinite(row.mean):
        return math.nan
    return max(abs(bound) for bound in row if math.isfinite(bound))


def _scale(values: Iterable[float], quantity: Quantity) -> Scale | None:
    """Return the scale that gives the middle number three digits; None where the numbers are of
    sizes too different for one."""
    sizes = [quantity.factor * abs(v) for v in values if math.isfinite(v) and v != 0]
    if not sizes:
        return Scale(0)
    # the lower of two middle ones, so that small numbers keep a digit
    middle = float(np.quantile(sizes, 0.5, method="lower"))
    return Scale.of(middle) if max(sizes) < WIDEST * middle else None


def _unit(scale: Scale, quantity: Quantity) -> str:
    return f"{scale.power.removeprefix(' × ')} {quantity.unit}".strip()


def _interval_cell(row: Interval, scale: Scale, quantity: Quantity) -> str:
    missing = why_no_number(row)
    if missing:
        return missing
    mean, low, high = (quantity.factor * bound for bound in row)
    if not (math.isfinite(low) and math.isfinite(high)):
        return scale.write(mean)
    return f"{scale.write(mean)} [{scale.write(low)}, {scale.write(high)}]"


def _value_cell(number: float, scale: Scale | None, quantity: Quantity) -> str:
    if not math.isfinite(number):
        return "diverged"
    written = quantity.factor * number
    return scale.write(written) if scale else three_digits(written)
