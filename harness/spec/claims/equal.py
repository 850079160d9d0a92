"""The claim that two arms differ by less than a margin (equivalence)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.spec.claims.two_arms import Contest


class Equal(Contest):
    """``arm`` and ``than`` differ in ``on`` by less than ``margin``.

    The absence of a significant difference does not show it; two one-sided tests do.
    """

    kind: Literal["equal"] = "equal"
    margin: float = Field(gt=0)
    """Largest difference that does not matter, in the unit of the metric."""

    def __str__(self) -> str:
        return f"{self.arm} and {self.than} differ in {self.on} by less than {self.margin:g}"
