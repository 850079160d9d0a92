"""Probes: quantities measured during training, beside loss and accuracy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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

    def timing(self, per_epoch: int, steps: int) -> Callable[[int], bool]:
        """Return whether it measures the update after so many others; the first and the last are always measured.

        Args:
            per_epoch: updates in an epoch.
            steps: updates in the run.

        >>> due = Probe.parse({"name": "GradientNorm", "every": 2}).timing(per_epoch=10, steps=32)
        >>> [step for step in range(32) if due(step)]
        [0, 20, 31]
        """
        last = steps - 1
        if self.every == "ends":
            return lambda step: step in (0, last)
        if self.every == "log":
            return lambda step: step & (step - 1) == 0 or step == last
        stride = self.every * (per_epoch if self.unit == "epochs" else 1)
        return lambda step: step % stride == 0 or step == last
