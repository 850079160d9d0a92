"""The claim that an arm takes away what another suffers from, such as a generalization gap."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.spec.claims.two_arms import TwoArms


class Cured(TwoArms):
    """``arm`` takes away more than ``share`` of the ``on`` (a gap or a loss) that ``than`` has.

    mean(on of ``arm``) < (1 − share) · mean(on of ``than``), over paired runs; less of the metric
    always counts as better. Where ``than`` is not surely above 0 there is nothing to take away, and
    the claim stays undecided.
    """

    kind: Literal["cured"] = "cured"
    share: float = Field(default=0.0, ge=0, lt=1)
    """Share of the other arm's value that must go at least."""

    def __str__(self) -> str:
        much = f"more than {self.share:.0%} of " if self.share else ""
        return f"{self.arm} takes away {much}the {self.on} of {self.than}"
