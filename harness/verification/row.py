"""One number that is known from elsewhere, and what the harness says it is."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from contextlib import redirect_stderr
from typing import NamedTuple


class Expected(NamedTuple):
    """The numbers that count as agreement, from ``low`` to ``high``, ends included."""

    low: float
    high: float
    text: str
    """The number and its tolerance in words."""

    def holds(self, got: float) -> bool:
        """Return whether a number agrees; NaN never does."""
        return self.low <= got <= self.high


def within(value: float, *, share: float = 0.0, distance: float = 0.0) -> Expected:
    """Return agreement with a number to a share of it, or to a distance.

    >>> within(2.0, share=0.01).text, within(2.0, share=0.01).holds(2.03)
    ('2 ± 1 %', False)
    """
    reach = abs(value) * share + distance
    tolerance = f"{100 * share:g} %" if share else f"{distance:g}"
    return Expected(value - reach, value + reach, f"{value:.6g} ± {tolerance}")


def between(low: float, high: float) -> Expected:
    """Return agreement with whatever lies in an interval."""
    return Expected(low, high, f"{low:g} to {high:g}")


def at_most(limit: float) -> Expected:
    """Return agreement with what is not above a limit."""
    return Expected(float("-inf"), limit, f"≤ {limit:g}")


def at_least(limit: float) -> Expected:
    """Return agreement with what is not below a limit."""
    return Expected(limit, float("inf"), f"≥ {limit:g}")


class Row(NamedTuple):
    """A number known from elsewhere."""

    name: str
    """What it is, unique in its group."""
    expected: Expected
    measure: Callable[[], float]
    """() ↦ the same number as the harness has it."""
    slow: bool = False
    """Whether it takes more than a few seconds; the quick tests leave it out."""


class RowGroup(NamedTuple):
    """Rows of one source."""

    name: str
    """In one word, as ``--only`` takes it."""
    title: str
    source: str
    """Authors and year, or what proves it."""
    rows: tuple[Row, ...]


class Checked(NamedTuple):
    """A row, and what came of it."""

    row: Row
    got: float
    """NaN where it could not be measured."""
    error: str
    """Why it could not; else empty."""
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether the harness agrees."""
        return not self.error and self.row.expected.holds(self.got)


def check_row(row: Row) -> Checked:
    """Measure a row; what goes wrong there is a row that fails, and ends nothing."""
    begun, got, error = time.perf_counter(), float("nan"), ""
    try:
        # what is said there of data and test sets is no news to whoever reads the rows
        with redirect_stderr(io.StringIO()):
            got = float(row.measure())
    except Exception as raised:  # whatever it is, the other rows are to be checked
        error = f"{type(raised).__name__}: {raised}"
    return Checked(row, got, error, time.perf_counter() - begun)
