"""The claim that a metric tends to rise or fall along the levels of a factor."""

from __future__ import annotations

from typing import Literal

from harness.spec.claims.along_factor import AlongFactor


class Trend(AlongFactor):
    """``on`` tends to rise (or fall) along the levels of ``factor``: over all levels together, some
    steps may be flat or turn back.

    For a rise or a fall at each of the steps there is
    :class:`~harness.spec.claims.monotone.Monotone`.
    """

    kind: Literal["trend"] = "trend"

    def __str__(self) -> str:
        return f"{self.subject} tends to {'rise' if self.rising else 'fall'} {self.where}"
