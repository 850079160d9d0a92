"""A field that holds a claim of any kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from harness.spec.claims.base import Claim


class _ByKind:
    """Marks a field that holds a claim: its ``kind`` says of which class it is (a tagged union)."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        serializer = core_schema.plain_serializer_function_ser_schema(
            lambda claim: claim.model_dump(mode="json")
        )
        return core_schema.no_info_plain_validator_function(Claim.parse, serialization=serializer)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, object]:
        return {"oneOf": [kind.model_json_schema() for kind in Claim.kinds.values()]}

    def classes_at(self, node: Mapping[str, object]) -> list[type[Claim]]:
        """Return the class of the claim written at ``node``, or that of all claims where its kind
        is unknown.

        :class:`harness.spec.error_messages.ChoosesClass` asks for them.
        """
        return [Claim.kinds.get(str(node.get("kind")), Claim)]


AnyClaim = Annotated[Claim, _ByKind()]
"""The type of a pydantic field that holds a claim of any kind."""
