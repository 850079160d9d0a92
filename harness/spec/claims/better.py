"""The claim that an arm ends with a better value than another."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.spec.claims.two_arms import Contest


class Better(Contest):
    """``arm`` ends with a better value of ``on`` than ``than``, by more than ``margin``."""

    kind: Literal["better"] = "better"
    margin: float = Field(default=0.0, ge=0)
    """Least lead, in the unit of the metric."""

    def __str__(self) -> str:
        by = f" by more than {self.margin:g}" if self.margin else ""
        return f"{self.arm} ends with a better {self.on} than {self.than}{by}"
