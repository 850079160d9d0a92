"""Error messages for specs: the place, what was expected, what was got, and the nearest name.

Specs and files call :func:`explain` with pydantic's errors. Nothing is validated here, and this
module imports no spec: it finds its way by the classes' fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol, get_args, runtime_checkable

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from harness.core.errors import nearest
from harness.spec.error_words import mistake_in_words
from harness.spec.space import Space, parse_space

Location = tuple[str | int, ...]
"""The path of a field in a nested spec, as pydantic gives it."""


@runtime_checkable
class ChoosesClass(Protocol):
    """Marks a field whose value itself says of which class it is, by a name or a kind.

    Parts and claims have such marks (``PartOf``, ``AnyClaim``). Checked by ``isinstance`` at run
    time, so that the marks need not be imported here, in a module that they rest on.
    """

    def field_names(self, node: Mapping[str, object]) -> list[str]:
        """Return the fields of the class that is written at ``node``.

        Args:
            node: the mapping as the user wrote it; empty where it is not known.

        Returns:
            The names; where the class is unknown, those that any of the classes may have.
        """


def explain(error: ValidationError, tree: object, source: str, root: type[BaseModel]) -> str:
    """Return one line for each mistake in a spec: file, line, column, field, what was expected and
    got.

    Args:
        error: the mistakes, as pydantic found them.
        tree: the spec as the YAML parser read it, with its line numbers; None if it was made in
            Python.
        source: the file, or what stands for it.
        root: class of the spec.

    Returns:
        A heading with the number of mistakes, and below it an indented line for each.
    """
    lines = [
        f"{_where(item['loc'], tree, source)}: {_say(item, tree, root)}" for item in error.errors()
    ]
    count = f"{len(lines)} mistake{'s' if len(lines) > 1 else ''}"
    return f"{source} is not valid ({count}):\n  " + "\n  ".join(lines)


OWN_ERRORS = ("space", "component", "value_error")
"""Types of errors whose messages say themselves what is wrong with a space."""


def _say(item: ErrorDetails, tree: object, root: type[BaseModel]) -> str:
    """Return what is wrong with one field."""
    location = item["loc"]
    if item["type"] == "extra_forbidden":
        return f"unknown field; {nearest(str(location[-1]), _siblings(location, tree, root))}"
    if item["type"] == "missing":
        return f"{mistake_in_words(item)}, got none"
    if item["type"] not in OWN_ERRORS and (space := _space_of(item.get("input"))) is not None:
        return f"expected a value, got {space}; compare its values as the levels of a factor"
    message = mistake_in_words(item)
    # Our own messages say what was got; a whole mapping or object would only fill the screen.
    simple = isinstance(item.get("input"), (str, int, float, bool, type(None)))
    said = "got" in message or item["type"] == "component"
    return message + (f", got {item['input']!r}" if simple and not said else "")


def _space_of(value: object) -> Space | None:
    """Return the space that a value stands for, where it stands for a valid one."""
    try:
        return parse_space(value)
    except (PydanticCustomError, ValidationError):
        return None


def _siblings(location: Location, tree: object, root: type[BaseModel]) -> list[str]:
    """Return the fields that may stand beside the one at ``location``.

    The way down goes from class to class by the types of the fields, since pydantic's error names
    places and not classes.
    """
    model = root
    for name in location[:-1]:
        field = model.model_fields.get(name) if isinstance(name, str) else None
        if field is None:  # a place in a list, or a level's name
            continue
        for part in _annotation_parts(field):
            if isinstance(part, ChoosesClass):
                return part.field_names(_mapping_at(location[:-1], tree))
            if isinstance(part, type) and issubclass(part, BaseModel):
                model = part
    return list(model.model_fields)


def _annotation_parts(field: FieldInfo) -> Iterator[object]:
    """Yield the marks and classes that a field's type is put together from, the marks first."""
    yield from field.metadata
    yield from _nested(field.annotation)


def _nested(annotation: object) -> Iterator[object]:
    """Yield what a type is made of, from the inside out and from the last to the first: of
    ``tuple[Annotated[Component, PartOf(...)], ...]`` the mark before ``Component``, whose own
    fields would be too few."""
    for inner in reversed(get_args(annotation)):
        yield from _nested(inner)
    yield annotation


def _mapping_at(location: Location, tree: object) -> Mapping[str, object]:
    """Return the mapping at ``location``; an empty one where the tree does not reach so far."""
    node = tree
    for part in location:
        node = _child(node, part)
    return node if isinstance(node, Mapping) else {}


def _child(node: object, part: str | int) -> object:
    """Return what a mapping or a list holds at ``part``; None if it holds nothing there."""
    if isinstance(node, Mapping):
        return node.get(part)
    if isinstance(node, list) and isinstance(part, int) and part < len(node):
        return node[part]
    return None


def _where(location: Location, tree: object, source: str) -> str:
    """Return the place of a mistake as ``file:line:column: field``, as far as it is known."""
    field = ".".join(str(part) for part in location) or "as a whole"
    place = _line_and_column(location, tree)
    return f"{Path(source).name}:{place[0]}:{place[1]}: {field}" if place else field


def _line_and_column(location: Location, tree: object) -> tuple[int, int] | None:
    """Return where ``location`` is in the file, counted from 1, or the nearest place above it that
    is written there; None for a tree without marks.

    ruamel's mappings and lists know in ``lc`` where their keys and items are, counted from 0. A
    field that is missing has no place, and a part given by its name alone has nothing inside it:
    the place above is as near as one can point.
    """
    place = None
    node = tree
    for part in location:
        marks = getattr(node, "lc", None)
        if marks is None:
            break
        try:
            row, column = marks.key(part) if isinstance(node, Mapping) else marks.item(part)
        except (KeyError, IndexError, TypeError):
            break
        place = (row + 1, column + 1)
        node = _child(node, part)
    return place
