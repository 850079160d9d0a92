"""Probes by the name of a set of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from harness.spec.component import Component, PartOf

ProbePart = Annotated[Component, PartOf("probe")]

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
