"""Numbers for people: three significant digits, percentage points, units, equal decimals."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from harness.core.metric_names import Declared, describe, percent_of
from harness.spec.claims import Claim
from harness.spec.claims.fields import Goal
from harness.stats import Interval

_EXPONENT = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)e([-+−]?\d+)\b")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Quantity(NamedTuple):
    """How a number is written."""

    factor: float = 1.0
    """What it is multiplied by: 100 for a share."""
    unit: str = ""


UNSCALED = Quantity()
PERCENT = Quantity(100.0, "%")
POINTS = Quantity(100.0, "pp")
"""Percentage points: differences of shares."""


def quantity_of(metric: str, declared: Declared) -> Quantity:
    """Return how a metric's values are written.

    Args:
        metric: its name.
        declared: what the study declares of metrics of its own.
    """
    percent = percent_of(metric, declared)
    if percent:
        return PERCENT if percent == "%" else POINTS
    return Quantity(unit=describe(metric, declared).unit)


def quantity_of_time(goal: Goal) -> Quantity:
    """Return how the time to a target is written."""
    return Quantity(unit="s" if goal.unit == "seconds" else goal.unit)


def quantity_of_gap(quantity: Quantity) -> Quantity:
    """Return how differences of values are written: those of shares in percentage points."""
    return POINTS if quantity == PERCENT else quantity


def quantity_of_effect(claim: Claim, declared: Declared) -> Quantity:
    """Return how a claim's effect is written.

    Args:
        claim: the claim.
        declared: what the study declares of metrics of its own.
    """
    if claim.kind in ("cured", "interaction"):
        return PERCENT
    if claim.kind == "trend":  # a rank correlation
        return UNSCALED
    if claim.goal is not None:
        return quantity_of_time(claim.goal)
    own = quantity_of(claim.on, declared)
    return own if claim.kind in ("above", "below") else quantity_of_gap(own)


def say(interval: Interval, quantity: Quantity = UNSCALED) -> str:
    """Return an estimate with its interval, all three with the same decimals.

    Args:
        interval: NaN means not recorded, or not defined; an infinite mean that runs diverged;
            infinite bounds that there are too few runs for an interval.
        quantity: how it is written.

    >>> say(Interval(0.0123, 0.0101, 0.0145), POINTS), say(Interval(41.33, 3.816, 78.87))
    ('1.23 [1.01, 1.45] pp', '41.3 [3.8, 78.9]')
    >>> say(Interval(1.2e-9, 1.1e-9, 1.3e-9)), say(Interval(0.5, -math.inf, math.inf), PERCENT)
    ('1.20 [1.10, 1.30] × 10⁻⁹', '50.0 %')
    """
    missing = why_no_number(interval)
    if missing:
        return missing
    mean, low, high = (quantity.factor * bound for bound in interval)
    if not (math.isfinite(low) and math.isfinite(high)):
        return say_value(interval.mean, quantity)
    scale = Scale.of(max(abs(mean), abs(low), abs(high)))
    bounds = f"{scale.write(mean)} [{scale.write(low)}, {scale.write(high)}]"
    return f"{bounds}{scale.power}{_spaced(quantity.unit)}"


def why_no_number(interval: Interval) -> str:
    """Return what stands in the place of an estimate that is no number; empty for one that is."""
    if math.isnan(interval.mean):
        return "not recorded" if math.isnan(interval.low) else "not defined"
    return "" if math.isfinite(interval.mean) else "diverged"


def say_value(value: float, quantity: Quantity = UNSCALED) -> str:
    """Return one number with its unit, in three significant digits.

    >>> say_value(0.0123, POINTS), say_value(40, Quantity(unit="steps"))
    ('1.23 pp', '40.0 steps')
    """
    return f"{three_digits(quantity.factor * value)}{_spaced(quantity.unit)}"


def say_given(value: float, quantity: Quantity = UNSCALED) -> str:
    """Return a number that somebody chose with its unit, in the digits that it was given.

    >>> say_given(0.02, POINTS), say_given(1e-5)
    ('2 pp', '10⁻⁵')
    """
    text = f"{quantity.factor * value:.12g}".replace("-", "−") + _spaced(quantity.unit)
    return in_powers(text)


def three_digits(value: float) -> str:
    """Return a number in three significant digits, very small and large ones by a power of ten.

    >>> [three_digits(v) for v in (0.012345, 123.4, 1234.5, 3e-7, 0.0, -2.5e6)]
    ['0.0123', '123', '1230', '3.00 × 10⁻⁷', '0', '−2.50 × 10⁶']
    """
    if value == 0:
        return "0"
    scale = Scale.of(abs(value))
    if abs(value) < 1000 or scale.power:
        return f"{scale.write(value)}{scale.power}"
    return f"{float(f'{value:.3g}'):.0f}".replace("-", "−")


def say_p(p: float) -> str:
    """Return a p-value in three decimals: below that, digits say more of the test's assumptions
    than of the claim.

    >>> say_p(0.04279), say_p(1.2e-5), say_p(1.0)
    ('0.043', '< 0.001', '1.000')
    """
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def in_powers(text: str) -> str:
    """Return a text with numbers such as 1e-05 as powers of ten.

    >>> in_powers("below 1e-05, above 2.5e+06, of size1e3")
    'below 10⁻⁵, above 2.5 × 10⁶, of size1e3'
    """
    return _EXPONENT.sub(lambda found: _by_power(found[1], int(found[2].replace("−", "-"))), text)


def _by_power(digits: str, power: int) -> str:
    return _power(power).removeprefix(" × ") if digits == "1" else f"{digits}{_power(power)}"


def _power(power: int) -> str:
    return f" × 10{str(power).translate(_RAISED)}"


def _spaced(unit: str) -> str:
    return f" {unit}" if unit else ""


class Scale(NamedTuple):
    """How numbers of one size are written: their decimals, and the power of ten beside them."""

    decimals: int
    exponent: int = 0

    @classmethod
    def of(cls, size: float) -> Scale:
        """Return the scale that gives numbers of a size three significant digits.

        Args:
            size: of the numbers, not below 0.
        """
        if size == 0:
            return cls(0)
        order = math.floor(math.log10(size))
        if 1e-4 <= size < 1e5:
            return cls(max(0, 2 - order))
        return cls(2, order)

    def write(self, value: float) -> str:
        """Return a number without the power of ten."""
        text = f"{value / 10.0**self.exponent:.{self.decimals}f}"
        return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")

    @property
    def power(self) -> str:
        """The power of ten after the numbers; empty where there is none."""
        return _power(self.exponent) if self.exponent else ""
