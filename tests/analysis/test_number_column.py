"""Columns of numbers: one unit, the same decimals in every row, whatever their sizes."""

import math

import pytest

from harness.analysis.number_column import interval_column, value_column
from harness.analysis.quantities import PERCENT, POINTS, Quantity
from harness.stats import Interval


def decimals(cell):
    return {len(number.partition(".")[2]) for number in cell.replace("[", "").replace("]", "").replace(",", "").split()}  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "quantity", "unit", "first"),
    [
        ([(0.614, 0.583, 0.646), (0.508, 0.431, 0.585)], PERCENT, "%", "61.4 [58.3, 64.6]"),
        ([(-0.0003, -0.0473, 0.0468), (-0.106, -0.211, -0.001)], POINTS, "pp", "−0.03 [−4.73, 4.68]"),
        ([(7.1e-11, 3.24e-11, 1.1e-10), (2e-8, 1e-8, 3e-8)], Quantity(), "10⁻¹⁰", "0.71 [0.32, 1.10]"),
        ([(40.0, 30.0, 50.0), (1200.0, 1000.0, 1400.0)], Quantity(unit="s"), "s", "40.0 [30.0, 50.0]"),
    ],
)  # fmt: skip
def test_rows_share_unit_and_decimals(rows, quantity, unit, first):
    column = interval_column([Interval(*row) for row in rows], quantity)
    assert column.unit == unit and column.cells[0] == first
    assert len(set.union(*map(decimals, column.cells))) == 1


def test_numbers_of_very_different_sizes_keep_their_digits():
    column = interval_column([Interval(1e-7, 9e-8, 1.1e-7), Interval(2.0, 1.0, 3.0)])
    assert column == ("", ("1.00 [0.90, 1.10] × 10⁻⁷", "2.00 [1.00, 3.00]"))
    assert value_column([1e-7, 2.0]) == ("", ("1.00 × 10⁻⁷", "2.00"))


def test_what_is_no_number_has_words():
    rows = [Interval(math.inf, -math.inf, math.inf), Interval(0.5, -math.inf, math.inf), Interval(*[math.nan] * 3)]  # fmt: skip
    assert interval_column(rows, PERCENT) == ("%", ("diverged", "50.0", "not recorded"))
    assert value_column([None, math.nan, math.inf, 12.0], missing="") == ("", ("", "", "diverged", "12"))  # fmt: skip
    assert value_column([]) == ("", ())
