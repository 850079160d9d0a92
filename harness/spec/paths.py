"""Dotted paths into plain nested values, such as ``optimizer.lr`` or
``regularizers.L2.strength``.

They name fields in ``compare``, ``quick`` and ``--set``, hyperparameters in trials, and parameters
in MLflow. Paths are followed in plain trees without knowing which fields exist: the tree must be
validated again afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.core.errors import SpecError


def put(tree: dict[str, object], path: str, value: object) -> None:
    """Set the value at a dotted path, in place.

    Items of a list are found by their ``name`` or by their position; a part given by its name alone
    becomes a mapping when one of its fields is set.

    Args:
        tree: nested mappings and lists, as YAML and JSON hold them.
        path: names and positions with dots between them.
        value: what to put there.

    Raises:
        SpecError: the path leads through something that has no fields, or names no item of a list.

    >>> recipe = {"optimizer": "Adam", "regularizers": [{"name": "L2", "strength": 0.1}]}
    >>> put(recipe, "optimizer.lr", 0.01)
    >>> put(recipe, "regularizers.L2.strength", 0.2)
    >>> recipe
    {'optimizer': {'name': 'Adam', 'lr': 0.01}, 'regularizers': [{'name': 'L2', 'strength': 0.2}]}
    """
    # a name that is there may hold dots itself, as the patterns of groups do
    known = [name for name in tree if f"{path}.".startswith(f"{name}.")]
    head = max(known, key=len, default=path.partition(".")[0])
    rest = path[len(head) + 1 :]
    if not rest:
        tree[head] = value
        return
    child = _with_fields(tree.get(head))
    tree[head] = child  # a name may have become a mapping
    if isinstance(child, list):
        _put_in_list(child, head, rest, value)
    elif isinstance(child, dict):
        put(child, rest, value)
    else:
        raise SpecError(
            f"{path}: expected a field that has fields of its own, but '{head}' is {child!r}"
        )


def _with_fields(node: object) -> object:
    """Return a part that is given by its name alone as a mapping, which has room for fields."""
    return {"name": node} if isinstance(node, str) else node


def _put_in_list(items: list[object], field: str, path: str, value: object) -> None:
    """Set the value at a path that begins with an item's name or position.

    Args:
        items: changed in place.
        field: name of the field that holds the list, for the error.
        path: from the item on.
        value: what to put there.

    Raises:
        SpecError: no item has that name or position.
    """
    for position, item in enumerate(items):
        for name in (_name_of(item), str(position)):
            if path == name:
                items[position] = value
                return
            # A name may hold dots itself, as that of an optimizer of another library does.
            inner = _with_fields(item)
            if path.startswith(f"{name}.") and isinstance(inner, dict):
                items[position] = inner
                put(inner, path.removeprefix(f"{name}."), value)
                return
    names = [_name_of(item) for item in items]
    places = f"one of the {field} {names} or a position from 0 to {len(items) - 1}"
    raise SpecError(f"{field}.{path}: expected {places}, got '{path}'")


def _name_of(item: object) -> str:
    """Return what an item of a list is called."""
    return str(item.get("name", "")) if isinstance(item, Mapping) else str(item)


def flatten(path: str, value: object) -> dict[str, object]:
    """Return a nested value by path, one entry for all that is no mapping: lists stay whole.

    Args:
        path: what the value itself is called.
        value: plain; an empty mapping leaves no entry.

    >>> flatten("model", {"widths": [8], "init": {"gain": 2.0}})
    {'model.widths': [8], 'model.init.gain': 2.0}
    """
    if not isinstance(value, Mapping):
        return {path: value}
    flat: dict[str, object] = {}
    for name, inner in value.items():
        flat |= flatten(f"{path}.{name}", inner)
    return flat
