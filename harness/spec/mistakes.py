"""A specification's mistakes in words: the place, what was expected, what was got, and the nearest name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from harness.core.errors import nearest
from harness.core.registry import REGISTRY, canonical, lookup

Location = tuple[str | int, ...]
"""The path of a field in a nested spec, as pydantic gives it."""


def explain(error: ValidationError, tree: Any, source: str, root: type[BaseModel]) -> str:
    """Return one line for each mistake in a ``root``: file, line, column, field, what was expected and got."""
    lines = [
        f"{_where(item['loc'], tree, source)}: {_said(item, tree, root)}" for item in error.errors()
    ]
    count = f"{len(lines)} mistake{'s' if len(lines) > 1 else ''}"
    return f"{source} is not a valid {root.__name__} ({count}):\n  " + "\n  ".join(lines)


def _said(item: Any, tree: Any, root: type[BaseModel]) -> str:
    field = str(item["loc"][-1]) if item["loc"] else ""
    if item["type"] == "extra_forbidden":
        return f"unknown field; {nearest(field, _siblings(item['loc'], tree, root))}"
    if item["type"] == "missing":
        return "expected a value, got none"
    message = str(item["msg"]).removeprefix("Value error, ")
    simple = isinstance(item.get("input"), (str, int, float, bool, type(None)))
    return message + (f", got {item['input']!r}" if simple and "got" not in message else "")


def _siblings(loc: Location, tree: Any, root: type[BaseModel]) -> list[str]:
    """Return the fields that the parent of ``loc`` has; of a part whose name is unknown, those of all parts of its kind."""
    model: type[BaseModel] = root
    for name in loc[:-1]:
        field = model.model_fields.get(name) if isinstance(name, str) else None
        if field is None:
            continue
        annotated = str(field.annotation) + str(field.metadata)
        kind = next((kind for kind in REGISTRY if f"PartOf(kind={kind!r})" in annotated), None)
        if kind is not None:
            return _fields_of(kind, str(_at(loc[:-1], tree).get("name")))
        options = [
            a
            for a in (field.annotation, *getattr(field.annotation, "__args__", ()))
            if isinstance(a, type)
        ]
        model = next((a for a in options if issubclass(a, BaseModel)), model)
    return list(model.model_fields)


def _fields_of(kind: str, name: str) -> list[str]:
    known = canonical(kind, name)
    return sorted(
        {
            f
            for n in ([known] if known else REGISTRY[kind].parts)
            for f in lookup(kind, n).model_fields
        }
    )


def _at(loc: Location, tree: Any) -> dict[str, Any]:
    """Return the mapping at ``loc``; an empty one where the tree does not reach so far."""
    for part in loc:
        try:
            tree = tree[part]
        except (KeyError, IndexError, TypeError):
            return {}
    return dict(tree) if isinstance(tree, Mapping) else {}


def _where(loc: Location, tree: Any, source: str) -> str:
    field = ".".join(str(part) for part in loc) or "as a whole"
    line = _line(loc, tree)
    return f"{Path(source).name}:{line[0]}:{line[1]}: {field}" if line else field


def _line(loc: Location, tree: Any) -> tuple[int, int] | None:
    """Follow ``loc`` through ruamel's nodes as far as they go; 1-based."""
    found = None
    for part in loc:
        marks = getattr(tree, "lc", None)
        if marks is None or not isinstance(tree, (Mapping, list)):
            break
        try:
            row, column = marks.key(part) if isinstance(tree, Mapping) else marks.item(part)
            found, tree = (row + 1, column + 1), tree[part]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            break
    return found
