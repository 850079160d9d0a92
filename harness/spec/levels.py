"""Levels: the values that a factor compares, as they are given, parsed and written.

What a level may be depends on its factor: ``"Adam"`` is an optimizer under ``optimizer`` and a
string under ``dtype``. Levels are parsed by :func:`parse_levels` when a study is made, and checked
when its arms are built (:mod:`harness.spec.arms`), where an error can name the arm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic_core import PydanticCustomError, core_schema

from harness.spec.component import Component, parse_part
from harness.spec.objects import as_reference, short_name
from harness.spec.recipe import Recipe
from harness.spec.space import Scalar, Space, parse_space

Level = Scalar | Space | Component | Sequence[object] | Mapping[str, object] | None
"""A value of a recipe's field; for a factor with a name of its own, a mapping of fields to
values."""


class _KeptAsParsed:
    """Marks levels: pydantic leaves them as they are, since :func:`parse_levels` has parsed them
    and a field's type can't say what they may be."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.any_schema()

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, object]:
        return {}


LevelField = Annotated[Level, _KeptAsParsed()]
"""The type of a pydantic field that holds a level."""

PART_FIELDS = ("trainer", "data", "model", "loss", "optimizer", "schedule", "average", "init")
"""Fields of a recipe that hold one part, whose kind has the field's name."""


def parse_levels(factor: str, levels: object) -> object:
    """Return a factor's levels by name, each as the parts and spaces that it stands for.

    Args:
        factor: a field of the recipe, a path into one, or a name of its own.
        levels: a mapping of names to values, or a list, whose values name themselves.

    Returns:
        The levels by name, in their order; what is neither a list nor a mapping as it is, for
        pydantic to refuse.

    Raises:
        PydanticCustomError: two levels have one name, or one of them or the factor has none.

    >>> parse_levels("optimizer.lr", {"fixed": 0.1, "searched": {"uniform": [0.1, 0.2]}})
    {'fixed': 0.1, 'searched': Uniform(low=0.1, high=0.2)}
    >>> parse_levels("batch_size", [16, 64])
    {'16': 16, '64': 64}
    """
    if isinstance(levels, (list, tuple)):
        pairs = [(_name_of(level), level) for level in levels]
    elif isinstance(levels, Mapping):
        pairs = [(str(name), level) for name, level in levels.items()]
    else:
        return levels
    names = [name for name, _ in pairs]
    if not factor.strip() or not all(name.strip() for name in names):
        raise PydanticCustomError(
            "level",
            "compare.{factor}: expected names for factors and levels, got an empty one; tables and "
            "claims know an arm by its name alone",
            {"factor": factor or "''"},
        )
    for name in names:
        if names.count(name) > 1:  # in a mapping 1 and "1" are two
            raise PydanticCustomError(
                "level",
                "compare.{factor}: expected a name of its own for each level, got '{name}' twice; "
                "write the levels as a mapping, with different names",
                {"factor": factor, "name": name},
            )
    return {name: _parse_level(factor, level) for name, level in pairs}


def _name_of(level: object) -> str:
    """Return what a level is called that was given without a name."""
    if isinstance(level, Mapping) and "name" in level and parse_space(level) is None:
        return str(level["name"])
    if callable(level):
        return short_name(level)
    return str(getattr(level, "name", level))


def _parse_level(factor: str, value: object) -> object:
    """Return a level as the parts and spaces it stands for; what is no valid part is left for the
    arms to refuse."""
    if _has_own_name(factor) and isinstance(value, Mapping):
        # A space looks like a mapping of fields: left as written, for the arms to refuse.
        if parse_space(value) is not None:
            return value
        return {path: _parse_level(path, inner) for path, inner in value.items()}
    if factor == "regularizers" and isinstance(value, (list, tuple)):
        return [_parse_if_valid("regularizer", item) for item in value]
    if factor in PART_FIELDS:
        return _parse_if_valid(factor, value)
    return parse_space(value) or plain_level(value)


def _has_own_name(factor: str) -> bool:
    """Return whether a factor is no field of the recipe, nor a path into one."""
    return factor not in Recipe.model_fields and "." not in factor


def _parse_if_valid(kind: str, value: object) -> object:
    """Return the part that a value stands for, or the value where it stands for none.

    The error is swallowed: the arm that has this level raises it again, with the arm's name.
    """
    try:
        return parse_part(kind, value)
    except (PydanticCustomError, ValidationError):
        return value


def plain_level(value: object) -> object:
    """Return a level's value as YAML and JSON hold it.

    Args:
        value: parts and spaces in it, at any depth, become mappings, and classes and functions the
            mappings that name them; tuples become lists.

    >>> plain_level((1, 2))
    [1, 2]
    """
    if isinstance(value, (Component, Space)):
        return value.dump()
    if isinstance(value, Mapping):
        return {name: plain_level(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_level(inner) for inner in value]
    return as_reference(value)
