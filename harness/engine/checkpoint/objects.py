"""The state of an object of another library: what its attributes hold, put back in their place.

An optimizer keeps its state where it likes: by parameter, in its groups, in attributes, in an
optimizer inside of it. Here all of it is a tree, and is put into an object that was made afresh in
the same way, so that no code of a file is called. What has no state (functions, types) is left as
it was made.
"""

from __future__ import annotations

import enum
import functools
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor

from harness.engine.checkpoint.tree import PLAIN, NotKeptError, Tree, from_tree, to_tree

STATELESS = (
    type,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.ModuleType,
    functools.partial,
    enum.Enum,
    torch.dtype,
    torch.device,
    torch.layout,
    torch.memory_format,
)
_MISSING = object()


class ObjectWriter:
    """Writes an object's state as a tree.

    Args:
        known: tensors that the reader has already, such as the parameters; they are named by their
            places.
    """

    def __init__(self, known: Sequence[Tensor]) -> None:
        self.places = {id(tensor): place for place, tensor in enumerate(known)}
        self.seen: dict[int, int] = {}
        """Numbers of the objects and containers met so far, by their ids."""

    def write(self, value: object) -> Tree:
        """Return the tree of a value.

        Raises:
            NotKeptError: it holds something whose state can't be seen.
        """
        if type(value) in PLAIN:
            return value
        if id(value) in self.places:
            return {"is": "known", "items": self.places[id(value)]}
        if isinstance(value, STATELESS):
            return {"is": "stateless"}
        if id(value) in self.seen:
            return {"is": "seen", "items": self.seen[id(value)]}
        if isinstance(value, dict):
            return self._noted(value, "pairs", lambda: self._pairs(value))
        if isinstance(value, (list, tuple)):
            kind = "row" if isinstance(value, list) else "fixed"
            return self._noted(value, kind, lambda: [self.write(item) for item in value])
        try:
            return {"is": "value", "items": to_tree(value)}
        except NotKeptError:
            if not hasattr(value, "__dict__"):
                raise
        return self._noted(value, "object", lambda: self._pairs(vars(value)))

    def _noted(self, value: object, kind: str, items: Callable[[], Tree]) -> Tree:
        number = self.seen[id(value)] = len(self.seen)
        return {"is": kind, "number": number, "items": items()}

    def _pairs(self, pairs: Mapping[Any, object]) -> Tree:
        return [[self.write(key), self.write(value)] for key, value in pairs.items()]


class ObjectReader:
    """Puts a tree's state into objects that were made afresh.

    Args:
        known: the tensors in the places of the writer's.
    """

    def __init__(self, known: Sequence[Tensor]) -> None:
        self.known = known
        self.made: dict[int, object] = {}

    def read(self, tree: Tree, there: object = _MISSING) -> object:
        """Return a value; containers and objects that are there are changed and returned.

        Args:
            tree: as :meth:`ObjectWriter.write` made it.
            there: what the fresh object has in this place, if anything.

        Raises:
            NotKeptError: the tree does not fit what is there.
        """
        if not isinstance(tree, dict):
            return tree
        kind, items = tree["is"], tree.get("items")
        if kind == "known":
            return self.known[cast("int", items)]
        if kind == "value":
            return from_tree(items)
        if kind == "seen":
            return self.made[cast("int", items)]
        if kind == "stateless":
            if there is _MISSING:
                raise NotKeptError("a function or type came into the state during training")
            return there
        number = cast("int", tree["number"])
        if kind == "pairs":
            return self._read_dict(number, items, there if isinstance(there, dict) else {})
        if kind == "object":
            if there is _MISSING or isinstance(there, PLAIN):
                raise NotKeptError("an object came into the state during training")
            self.made[number] = there
            self._read_dict(-1, items, vars(there))
            return there
        return self._read_row(number, cast("list[Tree]", items), there, kind == "fixed")

    def _read_dict(self, number: int, items: Tree, there: dict[Any, object]) -> dict[Any, object]:
        self.made[number] = there
        new: dict[Any, object] = {}
        for key_tree, tree in cast("list[tuple[Tree, Tree]]", items):
            key = self.read(key_tree)
            new[key] = self.read(tree, there.get(key, _MISSING))
        # in the order that it had: whoever goes through it meets the same one after the other
        there.clear()
        there.update(new)
        return there

    def _read_row(self, number: int, items: list[Tree], there: object, fixed: bool) -> object:
        was = there if isinstance(there, (list, tuple)) else ()
        target = there if isinstance(there, list) and not fixed else []
        self.made[number] = target
        olds = [*was[: len(items)], *[_MISSING] * (len(items) - len(was))]
        target[:] = [self.read(tree, old) for tree, old in zip(items, olds, strict=True)]
        if not fixed:
            return target
        # a NamedTuple is made by its own type, whose constructor takes its fields one by one
        kind: type[tuple[object, ...]] = type(there) if isinstance(there, tuple) else tuple
        self.made[number] = tuple.__new__(kind, target)
        return self.made[number]
