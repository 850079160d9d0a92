"""Fields that take a part: their check, their JSON schema, and the names for "did you mean"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from harness.core.registry import REGISTRY, canonical, external_class, lookup
from harness.spec.component import Component, parse_part

_DESCRIBED: set[str] = set()
"""Kinds whose JSON schema is being made, which would else hold itself without end."""


@dataclass(frozen=True)
class PartOf:
    """Marks a field that takes a component of a kind: an instance, a name, or a mapping with
    ``name``.

    Used as ``Annotated[Component, PartOf("optimizer")]``: pydantic finds the two methods below by
    their names and calls :func:`parse_part` for the field, so that no part is imported before a
    value names one.
    """

    kind: str
    """Such as ``optimizer``."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        serializer = core_schema.plain_serializer_function_ser_schema(lambda part: part.dump())
        return core_schema.no_info_plain_validator_function(
            partial(parse_part, self.kind), serialization=serializer
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, object]:
        # The schema is for editors: every registered name, any dotted name, or a part's fields.
        names = sorted(REGISTRY[self.kind].parts)
        dotted = {
            "type": "string",
            "pattern": r"\.",
            "description": "a dotted name of your own or a library's",
        }
        if self.kind in _DESCRIBED:  # a part inside a part of its own kind, such as a sequence
            return {"anyOf": [{"enum": names}, dotted, {"type": "object", "required": ["name"]}]}
        _DESCRIBED.add(self.kind)
        try:
            parts = [_schema_of(self.kind, name) for name in names]
        finally:
            _DESCRIBED.discard(self.kind)
        return {"anyOf": [{"enum": names}, dotted, *parts]}

    def classes_at(self, node: Mapping[str, object]) -> list[type[Component]]:
        """Return the classes that the component written at ``node`` may be of, for "did you mean".

        Args:
            node: the mapping as the user wrote it.

        Returns:
            The class; all of the kind, parts from outside among them, if the name is unknown.
        """
        if known := canonical(self.kind, str(node.get("name"))):
            return [lookup(self.kind, known)]
        outside = external_class(self.kind)
        every = [lookup(self.kind, name) for name in REGISTRY[self.kind].parts]
        return [*every, outside] if outside else every


def _schema_of(kind: str, name: str) -> dict[str, object]:
    """Return the JSON schema of a registered part, in which its name is a field."""
    schema: dict[str, Any] = lookup(kind, name).model_json_schema()
    definitions = schema.pop("$defs", {})
    if definitions:  # places that hold only at the top of a schema, and this one becomes a branch
        schema = cast(dict[str, Any], _put_in_place(schema, definitions))
    schema["properties"] = {"name": {"const": name}, **schema.get("properties", {})}
    schema["required"] = ["name", *schema.get("required", [])]
    return schema


def _put_in_place(schema: object, definitions: Mapping[str, object]) -> object:
    """Return a schema with definitions in the places of the references to them."""
    if isinstance(schema, list):
        return [_put_in_place(item, definitions) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return _put_in_place(definitions[name], definitions)
    return {key: _put_in_place(value, definitions) for key, value in schema.items()}
