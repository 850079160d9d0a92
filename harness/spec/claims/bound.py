"""The claims that an arm's median is above, or below, a value."""

from __future__ import annotations

from typing import Literal

from harness.spec.claims.base import Claim


class Bound(Claim):
    """A claim about one arm and a value."""

    arm: str
    """Arm that the claim is about."""
    value: float
    """Bound, in the unit of the metric."""

    @property
    def arms(self) -> tuple[str, ...]:
        return (self.arm,)


class Above(Bound):
    """The arm's median of ``on`` is above ``value``, over searches for a method."""

    kind: Literal["above"] = "above"

    def __str__(self) -> str:
        return f"{self.on} of {self.arm} is above {self.value:g}"


class Below(Bound):
    """The arm's median of ``on`` is below ``value``, over searches for a method."""

    kind: Literal["below"] = "below"

    def __str__(self) -> str:
        return f"{self.on} of {self.arm} is below {self.value:g}"
