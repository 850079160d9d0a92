"""Claims that compare one arm with another."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from harness.spec.claims.base import Claim, Compared
from harness.spec.claims.fields import Direction, maximizes


class TwoArms(Claim):
    """A claim about an arm, compared with another one by paired runs: those of both arms with one
    search and seed share the split and what the seed fixes, of which their difference is free."""

    arm: str
    """Arm that the claim is about."""
    than: str
    """Arm it is compared with."""

    @property
    def arms(self) -> tuple[str, ...]:
        return self.arm, self.than

    def misfits(self, arms: Collection[str], compared: Compared) -> Iterator[str]:
        yield from super().misfits(arms, compared)
        if self.arm == self.than:  # it would be "equal", and "no worse", whatever its runs are
            yield f".than: expected another arm than the claim is about, got {self.than!r}"


class Contest(TwoArms):
    """A comparison in which it matters which values are better: better, faster, equal, no worse.

    :class:`~harness.spec.claims.cured.Cured` has no direction: there less is always better.
    """

    direction: Direction = "auto"
    """Which values are better; "auto" maximises accuracy and minimises everything else."""

    @property
    def maximize(self) -> bool:
        """Whether larger values of the metric are better."""
        return maximizes(self.direction, self.on, self._declared)
