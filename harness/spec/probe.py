"""Probes: quantities measured during training, beside loss and accuracy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from harness.spec.component import Component

LIGHT = ("GradientNorm", "UpdateRatio", "Activations", "NoiseScale")
PRESETS = {
    "light": LIGHT,
    "full": (
        *LIGHT,
        "Alignment",
        "Distance",
        "Descent",
        "GradientSpread",
        "GeneralizationGap",
        "Calibration",
        "Confusion",
        "Curvature",
        "LossSlice",
    ),
}
"""Probes by the name of a set of them."""


def expanded(value: Any) -> Any:
    """Return a list of probes in which the names of sets are replaced by their probes, with the set's own options.

    >>> expanded(["light"])[0], len(expanded([{"name": "full", "every": 64, "unit": "steps"}]))
    ({'name': 'GradientNorm'}, 13)
    """
    items = [value] if isinstance(value, (str, Mapping)) else value
    if not isinstance(items, (list, tuple)):
        return value
    found: list[Any] = []
    for item in items:
        named = {"name": item} if isinstance(item, str) else item
        names = PRESETS.get(str(named.get("name"))) if isinstance(named, Mapping) else None
        found += [item] if names is None else [{**named, "name": name} for name in names]
    return found


class Probe(Component):
    """A quantity measured while a run trains; it never changes what is trained."""

    kind = "probe"
    prefix: ClassVar[str] = ""
    """First part of the names of the metrics it records."""
    every: int | Literal["log", "ends"] = Field(default=1, union_mode="left_to_right")
    """Distance of two measurements; "log" measures at updates 0, 1, 2, 4, 8, …, "ends" at the first and the last."""
    unit: Literal["epochs", "steps"] = "epochs"
    """What ``every`` counts."""

    def due(self, step: int, per_epoch: int, steps: int) -> bool:
        """Return whether it measures the update after ``step`` others; the first and the last are always measured.

        Args:
            step: updates made before.
            per_epoch: updates in an epoch.
            steps: updates in the run.
        """
        if step in (0, steps - 1):
            return True
        if self.every == "ends":
            return False
        if self.every == "log":
            return step & (step - 1) == 0
        return step % (self.every * (per_epoch if self.unit == "epochs" else 1)) == 0
