"""A hash of what a Python object is: of functions and classes what they do, of arrays their bytes.

Objects that no other process can import are known by it: it must be the same in every process and
for every definition that does the same, and so goes by no address, line number or random name.
"""

from __future__ import annotations

import dis
import hashlib
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    GenericAlias,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any, cast

from pydantic import BaseModel

from harness.core.errors import HarnessError
from harness.spec.source_code import code_of, is_own

TOLD_BY_TEXT = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis))
"""Types whose text says all of a value."""
NUMERIC = "biufcSUmM"
"""NumPy's kinds of arrays whose bytes are their values; arrays of objects hold addresses."""
NOT_CODE = (
    "__module__",
    "__qualname__",
    "__doc__",
    "__dict__",
    "__weakref__",
    "__firstlineno__",
    "__static_attributes__",
    "__annotations__",
    "__signature__",
    "__slotnames__",
    "__abstractmethods__",
    "_abc_impl",
)
"""Attributes of a class that say nothing of what it does, or that Python keeps for itself."""

SCRIPTS: set[str] = set()
"""Modules that are looked at as scripts though they are imported: what they define counts by what
it does and not by the file, as it did when they were run."""


def object_digest(value: object) -> str:
    """Return 64 hex digits that are the same for objects that do or hold the same.

    A function is its bytecode, its defaults, and what it closes over or reads from its module; of a
    class all of that for its bases and attributes. What can be imported counts by its name and, if
    it lies in a file of the user's own, by the file.

    Args:
        value: a function, a class, a partial, an array, or anything that can be pickled.

    Raises:
        HarnessError: it holds something that can't be pickled, such as an open file.

    >>> def scaled(by):
    ...     return lambda x: by * x
    >>> object_digest(scaled(2)) == object_digest(scaled(2)) != object_digest(scaled(3))
    True
    """
    walk = _Walk()
    walk.add(value)
    return walk.hash.hexdigest()


def importable_name(value: object) -> str | None:
    """Return ``module.name`` where importing it gives the same object, as far as is known without
    importing anything; None for what is nested, made in a function, or of a script being run."""
    module = getattr(value, "__module__", None)
    name = getattr(value, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(name, str) or "." in name:
        return None
    found = sys.modules.get(module)
    # a script has no __spec__: it is run, not imported
    if (
        module in SCRIPTS
        or module == "__main__"
        or found is None
        or getattr(found, "__spec__", None) is None
    ):
        return None
    return f"{module}.{name}" if getattr(found, name, None) is value else None


class _Walk:
    """A hash that is fed an object and all that it consists of, each once."""

    def __init__(self) -> None:
        self.hash = hashlib.sha256()
        # kept, so that no id is given to another object meanwhile
        self.seen: dict[int, tuple[int, object]] = {}

    def put(self, *words: object) -> None:
        """Add words to the hash, told apart from others beside them."""
        for word in words:
            data = word if isinstance(word, bytes) else str(word).encode()
            self.hash.update(f"{len(data)}:".encode() + data)

    def add(self, value: object) -> None:
        """Add an object."""
        if isinstance(value, TOLD_BY_TEXT):
            return self.put(type(value).__name__, repr(value))
        if id(value) in self.seen:
            return self.put("again", self.seen[id(value)][0])
        self.seen[id(value)] = (len(self.seen), value)
        if (name := importable_name(value)) is not None:
            return self.put("name", name, _own_code(value))
        if isinstance(value, ModuleType):
            return self.put("module", value.__name__, _own_code(value))
        if (array := plain_array(value)) is not None:
            return self.put(type(value).__name__, array.dtype.str, array.shape, array.tobytes())
        self._add_composed(value)

    def _add_composed(self, value: object) -> None:
        """Add what consists of other objects."""
        if isinstance(value, FunctionType):
            return self._add_function(value)
        if isinstance(value, CodeType):
            return self._add_code(value)
        if isinstance(value, type) and not isinstance(value, GenericAlias):
            return self._add_class(value)
        if isinstance(value, MethodType):
            return self._add_all("method", value.__self__, value.__func__)
        if isinstance(value, (staticmethod, classmethod)):
            return self._add_all(type(value).__name__, value.__func__)
        if isinstance(value, property):
            return self._add_all("property", value.fget, value.fset, value.fdel)
        if isinstance(value, partial):
            return self._add_all("partial", value.func, value.args, value.keywords)
        if isinstance(value, BaseModel):
            return self._add_all("spec", type(value), dict(value))
        if hasattr(value, "__wrapped__"):  # such as a function with a cache
            return self._add_all("wrapped", type(value), value.__wrapped__)
        if isinstance(value, (set, frozenset)):
            # in no order: that of texts changes from process to process
            return self.put("set", *sorted(object_digest(item) for item in value))
        if isinstance(value, Mapping) and type(value) is dict:
            return self._add_all("dict", *(part for item in value.items() for part in item))
        if type(value) in (list, tuple):
            return self._add_all(type(value).__name__, *cast("list[object]", value))
        self._add_pickled(value)

    def _add_all(self, what: str, *parts: object) -> None:
        self.put(what, len(parts))
        for part in parts:
            self.add(part)

    def _add_function(self, function: FunctionType) -> None:
        cells = [cell.cell_contents for cell in function.__closure__ or () if _is_filled(cell)]
        read = {
            name: function.__globals__[name]
            for name in sorted(set(_names_in(function.__code__)))
            if name in function.__globals__
        }
        self._add_all(
            "function",
            function.__code__,
            function.__defaults__,
            function.__kwdefaults__,
            cells,
            read,
        )

    def _add_code(self, code: CodeType) -> None:
        """Add bytecode, without its name, file and lines."""
        self.put("code", code.co_code, code.co_argcount, code.co_kwonlyargcount, code.co_flags)
        self.put(code.co_posonlyargcount, code.co_exceptiontable)
        names = code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars
        self._add_all("consts", *code.co_consts, *map(list, names))

    def _add_class(self, cls: type) -> None:
        self._add_all("class", cls.__name__, *cls.__bases__)
        for name, member in sorted(vars(cls).items()):
            # what pydantic makes of a spec's fields has addresses, and follows from the rest
            made = name in NOT_CODE or name.startswith("__pydantic_")
            if not made and not isinstance(member, MemberDescriptorType):
                self.put(name)
                self.add(member)

    def _add_pickled(self, value: object) -> None:
        """Add anything else by what pickle would rebuild it from.

        Raises:
            HarnessError: it can't be pickled.
        """
        if isinstance(value, BuiltinFunctionType):
            return self.put("builtin", value.__module__, value.__qualname__)
        try:
            reduced: Any = value.__reduce_ex__(4)
        # libraries' own errors are of any class
        except Exception as error:
            raise HarnessError(
                f"an object in a spec holds a {type(value).__name__}, which can't be copied to a"
                f" worker or told apart from others ({error}); make it inside the function"
            ) from error
        if isinstance(reduced, str):
            return self.put("global", type(value).__module__, reduced)
        rebuild, arguments, *state = reduced
        # iterators over items are used up by one reading
        parts = [list(p) if isinstance(p, Iterator) else p for p in state]
        self._add_all("object", rebuild, arguments, *parts)


def plain_array(value: object) -> Any | None:
    """Return an array, a tensor or a column of numbers or texts as a NumPy array; None for what is
    none of these, and for tables of several types."""
    if isinstance(value, type) or not hasattr(value, "__array__"):
        return None
    import numpy as np

    given: Any = value
    if hasattr(given, "detach"):  # a tensor, perhaps with a graph or on a GPU
        given = given.detach().cpu()
        if "bfloat16" in str(given.dtype):  # a type that NumPy lacks; float32 holds all its values
            given = given.float()
    array = np.ascontiguousarray(given)
    return array if array.dtype.kind in NUMERIC else None


def _names_in(code: CodeType) -> Iterator[str]:
    """Yield the names that a code object and those inside it look up in their module."""
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield str(instruction.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_in(constant)


def _is_filled(cell: Any) -> bool:
    """Return whether a closure's cell has its value yet."""
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True


def _own_code(value: object) -> str:
    """Return the hash of a user's own file that an importable object lies in; "" for others."""
    module = value if isinstance(value, ModuleType) else sys.modules[str(value.__module__)]
    top, file = module.__name__.partition(".")[0], getattr(module, "__file__", None)
    if top in sys.stdlib_module_names or top == "harness" or not file or not is_own(file):
        return ""
    return code_of((value,))
