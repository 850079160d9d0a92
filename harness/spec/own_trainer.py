"""What a recipe has for a training loop of a user's own: the trainer, its config, and what stands
in the place of parts that are left to it.

A recipe always has data and an optimizer, so that nothing that reads recipes need ask. Where a
trainer of a user's own has them, stand-ins are there instead, which the plain form leaves out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, final

from pydantic import BeforeValidator, PlainSerializer

from harness.core.registry import load_entry
from harness.spec.component import Component
from harness.spec.part_field import PartOf
from harness.spec.plain import plain_option
from harness.spec.space import parse_space, plain_value

LIMITS = ("limit", "memory")
"""A trainer's fields that end a run which goes wrong, and change no other."""


class Unset(Component):
    """Mixed into what stands in a part's place that is left to a trainer of a user's own."""


@final
class OwnOptimizer(Unset):
    """The optimizer of a trainer of a user's own, of which nothing is known."""

    kind = "optimizer"


def own_data() -> Component:
    """Return what stands in the place of the data of a trainer of a user's own."""
    part = load_entry("recipe.own_data")()
    assert isinstance(part, Component)
    return part


def is_unset(part: Component) -> bool:
    """Return whether a part is a stand-in of which there is nothing to say; data on another split
    than the first are not, since the trainer is told the split."""
    return isinstance(part, Unset) and part == type(part)()


def _named(value: object) -> object:
    """Return a trainer's mapping with its name: one with a ``command`` needs none."""
    if isinstance(value, Mapping) and "command" in value and "name" not in value:
        return {"name": "Command", **value}
    return value


TrainerPart = Annotated[Component, PartOf("trainer"), BeforeValidator(_named)]


def _parse_config(value: object) -> object:
    """Return a config with its spaces as such, and all else as JSON holds it.

    Raises:
        ValueError: JSON has no such value.
    """
    if not isinstance(value, Mapping):
        return value  # for pydantic to refuse
    parsed: dict[str, object] = {}
    for name, inner in value.items():
        space = parse_space(inner)
        if space is not None:
            parsed[name] = space
        else:
            parsed[name] = _parse_config(inner) if isinstance(inner, Mapping) else _plain(inner)
    return parsed


def _plain(value: object) -> object:
    if isinstance(value, (list, tuple)) and any(parse_space(item) for item in value):
        raise ValueError(f"expected values in a list, got a space: {value}; give it a name")
    return plain_option(value)


def plain_config(config: Mapping[str, object]) -> dict[str, object]:
    """Return a config as JSON holds it, spaces as mappings."""
    return {
        name: plain_config(value) if isinstance(value, Mapping) else plain_value(value)
        for name, value in config.items()
    }


def config_text(config: Mapping[str, object]) -> str:
    """Return a config as text, which equal ones share."""
    return json.dumps(plain_config(config), sort_keys=True)


Config = Annotated[dict[str, object], BeforeValidator(_parse_config), PlainSerializer(plain_config)]


def without_limits(trainer: object) -> object:
    """Return a trainer's plain form without what ends its runs when they go wrong."""
    assert isinstance(trainer, Mapping)
    return {name: value for name, value in trainer.items() if name not in LIMITS}
