"""Values as trees of tensors and plain values, and back.

Everything that is not plain is a dictionary with its kind under ``"is"``. NamedTuples and the
harness's own dataclasses are known by their names, which are looked up among the modules that are
imported already: a file can name no code that is not there, and calls none.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor

from harness.core.errors import HarnessError

Tree = object
"""Tensors, plain values, lists, and dictionaries by strings."""
PLAIN = (type(None), bool, int, float, complex, str, bytes)
"""What a tree holds as it is."""
BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")
WASTE = 4
"""A view is copied where the memory behind it is so many times its own; else the file keeps it,
and other views of the same memory with it."""


class NotKeptError(HarnessError):
    """Something can't be written as a tree, or a tree does not fit."""


def to_tree(value: object) -> Tree:
    """Return a value as a tree.

    Args:
        value: tensors, arrays, generators of random numbers, plain values, and lists, tuples,
            NamedTuples, dictionaries, sets, slices and dataclasses of such.

    Raises:
        NotKeptError: it holds anything else.

    >>> to_tree((1, None)), from_tree(to_tree((1, None)))
    ({'is': 'tuple', 'items': [1, None]}, (1, None))
    """
    if type(value) in PLAIN:
        return value
    if isinstance(value, list):
        return [to_tree(item) for item in value]
    for kind, (type_, write, _) in _KINDS.items():
        if isinstance(value, type_):
            return {"is": kind, "items": write(value)}
    if isinstance(value, Tensor):
        return compact(value)
    if isinstance(value, tuple):
        named = type(value) is not tuple
        kind = f"named {_path(type(value))}" if named else "tuple"
        return {"is": kind, "items": [to_tree(item) for item in value]}
    if is_dataclass(value) and not isinstance(value, type):
        own = {field.name: getattr(value, field.name) for field in fields(value)}
        return {"is": f"fields {_path(type(value))}", "items": to_tree(own)}
    raise NotKeptError(f"expected tensors and plain values, got {type(value).__name__}")


def from_tree(tree: Tree) -> object:
    """Return the value that :func:`to_tree` made a tree of.

    Args:
        tree: as it was read from a file.

    Raises:
        NotKeptError: it names a type that is not there.
    """
    if isinstance(tree, list):
        return [from_tree(item) for item in tree]
    if not isinstance(tree, dict):
        return tree
    kind, _, name = str(tree["is"]).partition(" ")
    items = tree["items"]
    if kind in _KINDS:
        return _KINDS[kind][2](items)
    if kind == "tuple":
        return tuple(from_tree(item) for item in items)
    if kind == "named":
        return tuple.__new__(_type(name, _is_named_tuple), [from_tree(item) for item in items])
    if kind == "fields":
        made: object = _type(name, is_dataclass)(**cast("dict[str, object]", from_tree(items)))
        return made
    raise NotKeptError(f"expected a known kind of value, got {kind!r}")


def compact(tensor: Tensor) -> Tensor:
    """Return a tensor without its graph, and without memory behind it that is not its own."""
    tensor = tensor.detach()
    own = tensor.numel() * tensor.element_size()
    return tensor.clone() if tensor.untyped_storage().nbytes() > WASTE * own else tensor


def _path(type_: type) -> str:
    return f"{type_.__module__}:{type_.__qualname__}"


def _is_named_tuple(type_: type) -> bool:
    return issubclass(type_, tuple) and hasattr(type_, "_fields")


def _type(path: str, fits: Callable[[type], bool]) -> type:
    """Return the type of a name, among the modules that are imported.

    Raises:
        NotKeptError: there is none, or it is of another kind.
    """
    module, _, name = path.partition(":")
    found: object = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, type) or not fits(found):
        raise NotKeptError(f"expected the type {path}, which is not there")
    return found


def _write_stream(stream: np.random.Generator) -> Tree:
    return to_tree(dict(stream.bit_generator.state))


def _read_stream(tree: Tree) -> np.random.Generator:
    state = cast("Mapping[str, object]", from_tree(tree))
    name = state["bit_generator"]
    if name not in BIT_GENERATORS:
        raise NotKeptError(f"expected one of {', '.join(BIT_GENERATORS)}, got {name!r}")
    made: np.random.BitGenerator = getattr(np.random, str(name))()
    made.state = state
    return np.random.Generator(made)


def _write_torch_stream(stream: torch.Generator) -> Tree:
    return [str(stream.device), stream.get_state()]


def _read_torch_stream(tree: Tree) -> torch.Generator:
    device, state = cast("tuple[str, Tensor]", tree)
    return torch.Generator(device=device).set_state(state.cpu())


def _read_array(tree: Tree) -> np.ndarray:
    dtype, shape, content = cast("tuple[str, list[int], bytes]", tree)
    # frombuffer gives memory that can't be written
    return np.frombuffer(content, np.dtype(dtype)).reshape(shape).copy()


def _read_pairs(tree: Tree) -> dict[object, object]:
    pairs = cast("Sequence[tuple[Tree, Tree]]", tree)
    return {from_tree(key): from_tree(value) for key, value in pairs}


_KINDS: dict[str, tuple[type, Callable[..., Tree], Callable[[Tree], object]]] = {
    "dict": (dict, lambda d: [[to_tree(k), to_tree(v)] for k, v in d.items()], _read_pairs),
    "set": (set, lambda s: [to_tree(item) for item in sorted(s)], lambda t: set(_list(t))),
    "slice": (slice, lambda s: [s.start, s.stop, s.step], lambda t: slice(*_list(t))),
    "array": (
        (np.ndarray),
        lambda a: [a.dtype.str, list(a.shape), np.ascontiguousarray(a).tobytes()],
        _read_array,
    ),
    # a scalar of NumPy's: arithmetic with it is not that with Python's numbers
    "number": (
        np.generic,
        lambda n: [n.dtype.str, [], n.tobytes()],
        lambda t: _read_array(t)[()],
    ),
    "stream": (np.random.Generator, _write_stream, _read_stream),
    "torch_stream": (torch.Generator, _write_torch_stream, _read_torch_stream),
}
"""Kinds of values: the type, what stands under ``items``, and how that is read."""


def _list(tree: Tree) -> list[object]:
    return [from_tree(item) for item in cast("list[Tree]", tree)]
