"""The claim that a metric rises or falls at every step along the levels of a factor."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.spec.claims.along_factor import AlongFactor


class Monotone(AlongFactor):
    """``on`` rises (or falls) from each level of ``factor`` to the next, or goes back by less than
    ``margin``.

    Every step has to show it, so that a plateau stays undecided without a margin; a tendency over
    all levels together is a :class:`~harness.spec.claims.trend.Trend`.
    """

    kind: Literal["monotone"] = "monotone"
    margin: float = Field(default=0.0, ge=0)
    """By how much a step may go back, in the metric's unit (or that of ``by``)."""

    def __str__(self) -> str:
        way, back = ("rises", "falls") if self.rising else ("falls", "rises")
        but = f", or {back} by less than {self.margin:g}," if self.margin else ""
        return f"{self.subject} {way}{but} at every step {self.where}"
