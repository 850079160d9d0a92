"""The claim that an arm is not behind another by a margin (non-inferiority)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.spec.claims.two_arms import Contest


class NoWorse(Contest):
    """``arm`` is not behind ``than`` in ``on`` by ``margin`` or more."""

    kind: Literal["no worse"] = "no worse"
    margin: float = Field(ge=0)
    """Lag that does not matter, in the unit of the metric."""

    def __str__(self) -> str:
        return f"{self.arm} is no worse than {self.than} in {self.on}, by {self.margin:g}"
