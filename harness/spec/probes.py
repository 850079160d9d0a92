"""Sets of probes, and the field of a spec that holds a probe.

The probes themselves are in :mod:`harness.probes`; here they are names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from harness.spec.component import Component
from harness.spec.part_field import PartOf

ProbePart = Annotated[Component, PartOf("probe")]

LIGHT = ("GradientNorm", "UpdateRatio", "Activations", "NoiseScale")
"""The cheaper probes, which can be measured often."""
PRESETS: dict[str, tuple[str, ...]] = {
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


def expand_sets(items: Sequence[object] | str) -> list[object]:
    """Return probes in which the names of sets are replaced by their probes, with the set's own
    options.

    Args:
        items: probes, names, and mappings with a ``name``, or one name; anything else is kept, for
            pydantic to refuse.

    Returns:
        The items in their order; a set's probes are mappings with the options that the set was
        given, such as ``every``.

    >>> [probe["name"] for probe in expand_sets("light")]
    ['GradientNorm', 'UpdateRatio', 'Activations', 'NoiseScale']
    >>> len(expand_sets([{"name": "full", "every": 64, "unit": "steps"}]))
    13
    """
    probes: list[object] = []
    for item in [items] if isinstance(items, str) else items:
        options = {"name": item} if isinstance(item, str) else item
        preset = options.get("name") if isinstance(options, Mapping) else None
        if isinstance(options, Mapping) and isinstance(preset, str) and preset in PRESETS:
            probes += [{**options, "name": name} for name in PRESETS[preset]]
        else:
            probes.append(item)
    return probes
