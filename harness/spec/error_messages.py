"""Error messages for specs: the place, what was expected, what was got, and the nearest name.

Specs and files call :func:`explain` with pydantic's errors. Nothing is validated here, and this
module imports no spec: it finds its way by the classes' fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol, get_args, runtime_checkable

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from harness.core.errors import nearest
from harness.spec.error_words import half_in_words, mistake_in_words
from harness.spec.space import Space, parse_space

Location = tuple[str | int, ...]
"""The path of a field in a nested spec, as pydantic gives it."""


@runtime_checkable
class ChoosesClass(Protocol):
    """Marks a field whose value itself says of which class it is, by a name or a kind.

    Parts and claims have such marks (``PartOf``, ``AnyClaim``). Checked by ``isinstance`` at run
    time, so that the marks need not be imported here, in a module that they rest on.
    """

    def classes_at(self, node: Mapping[str, object]) -> Sequence[type[BaseModel]]:
        """Return the class that is written at ``node``.

        Args:
            node: the mapping as the user wrote it; empty where it is not known.

        Returns:
            Where the class is unknown, all that it may be.
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
    try:
        found = _by_value(error)
    except UnicodeEncodeError as unwritable:  # pydantic can't write what was got
        return f"{source} is not valid: {half_in_words(unwritable)}"
    lines = [
        f"{_where(items[0]['loc'], tree, source)}: {_say_all(items, tree, root)}" for items in found
    ]
    count = f"{len(lines)} mistake{'s' if len(lines) > 1 else ''}"
    return f"{source} is not valid ({count}):\n  " + "\n  ".join(lines)


OWN_ERRORS = ("space", "component", "value_error")
"""Types of errors whose messages say themselves what is wrong with a space."""


TYPE = re.compile(r"[\w-]+\[.*\]|(constrained-)?(int|float|str|bool)")
"""What pydantic puts into the place of a mistake where a value may be of several types."""


def _by_value(error: ValidationError) -> list[list[ErrorDetails]]:
    """Return the mistakes, those of one value together and without types in their places.

    Of a value that may be of several types pydantic tells a mistake for each. Those remain that
    lie deepest inside of it: the second of two weights is wrong, and not that a list is no text.
    """
    found: dict[tuple[object, ...], list[ErrorDetails]] = {}
    for number, item in enumerate(error.errors()):
        location = item["loc"]
        types = [i for i, part in enumerate(location) if TYPE.fullmatch(str(part))]
        value = location[: types[0]] if types else (*location, f"mistake {number}")
        place = tuple(part for i, part in enumerate(location) if i not in types)
        found.setdefault(value, []).append({**item, "loc": place})
    return [_deepest(items) for items in found.values()]


def _deepest(items: list[ErrorDetails]) -> list[ErrorDetails]:
    depth = max(len(item["loc"]) for item in items)
    return [item for item in items if len(item["loc"]) == depth]


def _say_all(items: list[ErrorDetails], tree: object, root: type[BaseModel]) -> str:
    """Return what is wrong with one value: the types that it may have, or its one mistake."""
    if len(items) == 1:
        return _say(items[0], tree, root)
    wanted = [mistake_in_words(item).removeprefix("expected ") for item in items]
    return "expected " + " or ".join(dict.fromkeys(wanted)) + _got(items[0])


def _got(item: ErrorDetails) -> str:
    """Return the value, if it is short: a whole mapping or object would only fill the screen."""
    simple = isinstance(item.get("input"), (str, int, float, bool, type(None)))
    return f", got {item['input']!r}" if simple else ""


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
    said = "got" in message or item["type"] == "component"  # our own messages say it themselves
    return message if said else message + _got(item)


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
    models: Sequence[type[BaseModel]] = [root]
    for i, name in enumerate(location[:-1]):
        fields = [found for model in models if (found := model.model_fields.get(str(name)))]
        if fields:  # else a place in a list, or a level's name
            models = _classes_in(fields, location[:-1], i, tree) or models
    return list(dict.fromkeys(name for model in models for name in model.model_fields))


def _classes_in(
    fields: list[FieldInfo], container: Location, place: int, tree: object
) -> list[type[BaseModel]]:
    """Return the classes that the value of a field may be of.

    Args:
        fields: the field, as each of the classes has it that its owner may be of.
        container: where the mistake's mapping is.
        place: of the field in it; the value itself lies as deep as numbers and names follow it.
        tree: the spec as it was read.
    """
    found: list[type[BaseModel]] = []
    for part in (part for field in fields for part in _annotation_parts(field)):
        if isinstance(part, ChoosesClass):
            return [*part.classes_at(_written_at(container, place, tree))]
        if isinstance(part, type) and issubclass(part, BaseModel):
            found = [part]
    return found


def _written_at(container: Location, place: int, tree: object) -> Mapping[str, object]:
    """Return the first mapping below a field that says by a name or a kind of which class it is."""
    for end in range(place + 1, len(container) + 1):
        node = _mapping_at(container[:end], tree)
        if "name" in node or "kind" in node:
            return node
    return {}


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
