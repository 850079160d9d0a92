"""Claims about what the levels of factors do to a metric, whichever arms have them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterator

from harness.core.errors import nearest
from harness.spec.claims.base import Claim, Compared
from harness.spec.claims.fields import Direction, Goal, TimeUnit, maximizes


class OverLevels(Claim):
    """A claim about a metric, or about the time to a target, over the levels of factors.

    An arm enters by its levels. Arms that share the compared levels count by their mean.
    """

    among: dict[str, str] = {}
    """Levels of other factors that the claim keeps to, by factor; over factors that are not named
    means are taken."""
    target: float | None = None
    """Value of ``on`` to be reached, if the claim is about speed; None if it is about ``on`` at the
    end of training."""
    by: TimeUnit = "steps"
    """Unit in which speed is counted."""
    direction: Direction = "auto"
    """From which side a target is reached; "auto" takes accuracy from below, everything else from
    above."""

    @property
    def goal(self) -> Goal | None:
        if self.target is None:
            return None
        return Goal(
            self.on, self.target, self.by, maximizes(self.direction, self.on, self._declared)
        )

    @property
    @abstractmethod
    def factor_names(self) -> tuple[str, ...]:
        """The factors whose levels are compared, in the order of the axes of their values."""

    def misfits(self, arms: Collection[str], compared: Compared) -> Iterator[str]:
        for factor in (*self.factor_names, *self.among):
            if factor not in compared:
                yield f": unknown factor {factor!r}: {nearest(factor, compared)}"
        for factor, level in self.among.items():
            if factor in compared and level not in compared[factor]:
                yield f".among: unknown level {level!r}: {nearest(level, compared[factor])}"
            if factor in self.factor_names:
                yield f".among: expected other factors than those compared, got {factor!r}"
