"""Claims about the way a metric goes along the levels of one factor."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from harness.spec.claims.base import Compared
from harness.spec.claims.over_levels import OverLevels


class AlongFactor(OverLevels):
    """A claim about a metric along the levels of a factor, in the order in which the study lists
    them."""

    factor: str
    """Factor whose levels are in order."""
    rising: bool = True
    """Whether the metric is claimed to rise along the levels."""

    @property
    def factor_names(self) -> tuple[str, ...]:
        return (self.factor,)

    @property
    def subject(self) -> str:
        """What is claimed to rise or fall, in words."""
        if self.target is None:
            return self.on
        return f"the number of {self.by} to {self.on} {self.target:g}"

    @property
    def where(self) -> str:
        """Along which levels, in words."""
        kept = f" with {', '.join(self.among.values())}" if self.among else ""
        return f"along {self.factor}{kept}"

    def misfits(self, arms: Collection[str], compared: Compared) -> Iterator[str]:
        yield from super().misfits(arms, compared)
        # two levels are two arms, for which "better" is the claim
        if len(compared.get(self.factor, ())) < 3:
            yield f".factor: expected a factor of three levels or more, got {self.factor!r}"
