"""Numbers for people: three significant digits, percentage points, units, equal decimals."""

from __future__ import annotations

import math
from typing import NamedTuple

from harness.core.metric_names import Declared, describe, is_share
from harness.spec.claims import Claim
from harness.stats import Interval


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
    if is_share(metric, declared):
        return PERCENT
    return Quantity(unit=describe(metric, declared).unit)


def quantity_of_effect(claim: Claim, declared: Declared) -> Quantity:
    """Return how a claim's effect is written.

    Args:
        claim: the claim.
        declared: what the study declares of metrics of its own.
    """
    if claim.kind in ("cured", "interaction"):
        return PERCENT
    if claim.goal is not None:
        return Quantity(unit="s" if claim.goal.unit == "seconds" else claim.goal.unit)
    if claim.kind == "trend":  # a rank correlation
        return Quantity()
    own = quantity_of(claim.on, declared)
    return POINTS if own == PERCENT and claim.kind not in ("above", "below") else own


def say(interval: Interval, quantity: Quantity = UNSCALED) -> str:
    """Return an estimate with its interval, all three with the same decimals.

    Args:
        interval: NaN means not recorded, or not defined; an infinite mean that runs diverged;
            infinite bounds that there are too few runs for an interval.
        quantity: how it is written.

    >>> say(Interval(0.0123, 0.0101, 0.0145), POINTS), say(Interval(41.33, 3.816, 78.87))
    ('1.23 [1.01, 1.45] pp', '41.3 [3.8, 78.9]')
    >>> say(Interval(1.2e-9, 1.1e-9, 1.3e-9)), say(Interval(0.5, -math.inf, math.inf), PERCENT)
    ('1.20e−9 [1.10e−9, 1.30e−9]', '50.0 %')
    """
    if math.isnan(interval.mean):
        return "not recorded" if math.isnan(interval.low) else "not defined"
    if not math.isfinite(interval.mean):
        return "diverged"
    unit = f" {quantity.unit}" if quantity.unit else ""
    mean, low, high = (quantity.factor * bound for bound in interval)
    if not (math.isfinite(low) and math.isfinite(high)):
        return f"{three_digits(mean)}{unit}"
    write = _writer(max(abs(mean), abs(low), abs(high)))
    return f"{write(mean)} [{write(low)}, {write(high)}]{unit}"


def three_digits(value: float) -> str:
    """Return a number in three significant digits, very small and large ones with an exponent.

    >>> [three_digits(v) for v in (0.012345, 123.4, 1234.5, 3e-7, 0.0, -2.5e6)]
    ['0.0123', '123', '1230', '3.00e−7', '0', '−2.50e6']
    """
    if value == 0:
        return "0"
    write = _writer(abs(value))
    text = write(value)
    if abs(value) < 1000 or "e" in text:
        return text
    return f"{float(f'{value:.3g}'):.0f}".replace("-", "−")


def _writer(largest: float) -> _Writer:
    """Return what writes numbers of up to a size, with decimals that give it three digits."""
    if largest == 0 or 1e-4 <= largest < 1e5:
        decimals = 0 if largest == 0 else max(0, 2 - math.floor(math.log10(largest)))
        return _Writer(decimals, exponent=False)
    return _Writer(2, exponent=True)


class _Writer(NamedTuple):
    decimals: int
    exponent: bool

    def __call__(self, value: float) -> str:
        if not self.exponent:
            text = f"{value:.{self.decimals}f}"
            return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")
        if value == 0:
            return "0"
        digits, _, power = f"{value:.{self.decimals}e}".partition("e")
        return f"{digits}e{int(power)}".replace("-", "−")
