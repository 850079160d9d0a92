"""The strings under fields, which document them: read when somebody asks.

pydantic can read them too, but does so for each class when it is made, from its source: a fifth of
what a process imports before it trains, for words that only the JSON schema and the reference show.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import cache
from itertools import pairwise

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


class Documented(BaseModel):
    """A model whose JSON schema has the strings under its fields as their descriptions."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return what pydantic makes, with the descriptions."""
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        for name, text in field_docs(cls).items():
            if name in properties:
                properties[name]["description"] = text
        return schema


@cache
def field_docs(cls: type[BaseModel]) -> dict[str, str]:
    """Return what documents the fields of a class, by their names; a field without it is missing.

    Args:
        cls: any; of a class whose source can't be read, as in a prompt, only what its bases say of
            fields and what ``Field(description=…)`` says is returned.
    """
    own = _strings_under_fields(cls)
    docs: dict[str, str] = {}
    for name, field in cls.model_fields.items():
        said = [field.description, own.get(name)]
        said += [field_docs(base).get(name) for base in cls.__mro__[1:] if _has(base, name)]
        if text := next(filter(None, said), None):
            docs[name] = text
    return docs


def _has(base: type, name: str) -> bool:
    return issubclass(base, BaseModel) and base is not BaseModel and name in base.model_fields


def _strings_under_fields(cls: type) -> dict[str, str]:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    except (OSError, TypeError, SyntaxError):
        return {}
    (body,) = [node.body for node in tree.body if isinstance(node, ast.ClassDef)] or [[]]
    return {
        field.target.id: inspect.cleandoc(under.value.value)
        for field, under in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(under, ast.Expr)
        and isinstance(under.value, ast.Constant)
        and isinstance(under.value.value, str)
    }
