"""Probes: quantities measured during training, beside loss and accuracy."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from harness.spec.component import Component


class Probe(Component):
    """A quantity measured while a run trains; it never changes what is trained."""

    kind = "probe"
    prefix: ClassVar[str] = ""
    """First part of the names of the metrics it records."""
    every: int | Literal["log"] = Field(default=1, union_mode="left_to_right")
    """Distance of two measurements; "log" measures at updates 0, 1, 2, 4, 8, …"""
    unit: Literal["epochs", "steps"] = "epochs"
    """What ``every`` counts."""

    def due(self, per_epoch: int, steps: int) -> set[int]:
        """Return the updates before which it is measured; the first and the last are always among them.

        Args:
            per_epoch: updates in an epoch.
            steps: updates in the run.
        """
        last = steps - 1
        if self.every == "log":
            return {0, last} | {2**i for i in range(steps.bit_length()) if 2**i < steps}
        stride = self.every * (per_epoch if self.unit == "epochs" else 1)
        return {last, *range(0, steps, stride)}
