"""The claim that a metric rises or falls along the levels of a factor."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Literal

from harness.spec.claims.base import Compared
from harness.spec.claims.over_levels import OverLevels


class Monotone(OverLevels):
    """``on`` rises (or falls) along the levels of ``factor``, in the order in which the study lists
    them."""

    kind: Literal["monotone"] = "monotone"
    factor: str
    """Factor whose levels are in order."""
    rising: bool = True
    """Whether the metric is claimed to rise along the levels."""

    @property
    def factor_names(self) -> tuple[str, ...]:
        return (self.factor,)

    def misfits(self, arms: Collection[str], compared: Compared) -> Iterator[str]:
        yield from super().misfits(arms, compared)
        # two levels are two arms, for which "better" is the claim
        if len(compared.get(self.factor, ())) < 3:
            yield f".factor: expected a factor of three levels or more, got {self.factor!r}"

    def __str__(self) -> str:
        what = self.on
        if self.target is not None:
            what = f"the number of {self.by} to {self.on} {self.target:g}"
        where = f" with {', '.join(self.among.values())}" if self.among else ""
        return f"{what} {'rises' if self.rising else 'falls'} along {self.factor}{where}"
