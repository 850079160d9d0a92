"""Python objects in specs: each has a name, by which this process and its workers find it again.

A spec holds names alone, so that it can be written, hashed and compared. An object's name is

- ``module.name`` where importing that gives the same object back, and for a script being run the
  name that its file would be imported by;
- ``local.name-hash`` for what no other process can import: a lambda, a closure, a notebook's cell,
  an array. The hash is over what it does or holds (:mod:`harness.spec.object_digest`).

Objects that can't be imported here and now are kept in a table, which names are looked up in first.
They go to worker processes by value, once each, through files that cloudpickle writes. Elsewhere a
local name can't be found, and says so.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple, cast
from weakref import WeakKeyDictionary

from pydantic import BaseModel

from harness.core.errors import HarnessError
from harness.core.temporary import TemporaryFolder, temporary_folder
from harness.spec.object_digest import SCRIPTS, importable_name, object_digest, plain_array
from harness.spec.object_source import functions_of, source_text
from harness.spec.source_code import OwnFile, OwnSource, sources_of

LOCAL = "local."
"""How the names of objects begin that no other process can import."""
REFERENCE = "object"
"""The key of the mapping that stands for an object among a part's arguments: {"object": name}."""


class Kept(NamedTuple):
    """An object that is found by the table."""

    value: Any
    source: OwnSource
    what: str
    """What it is, in words; empty where other processes can import it."""


_KEPT: dict[str, Kept] = {}
"""The table, by name."""
_FILES: dict[str, Path] = {}
"""In a worker: where objects lie that it has not needed yet, by name."""
_NAMES: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
"""Names of functions and classes that have been asked for."""


def is_object(value: object) -> bool:
    """Return whether a value is to be named rather than written: no text, number, list of such, or
    anything else that JSON has."""
    if isinstance(value, Mapping):
        return any(is_object(inner) for inner in value.values())
    if isinstance(value, (list, tuple)):
        return any(is_object(inner) for inner in value)
    # specs and spaces write themselves
    return value is not None and not isinstance(value, (str, bool, int, float, BaseModel))


def name_object(value: object) -> str:
    """Return the name that an object is found by, and keep it where it can't be imported.

    Args:
        value: a function, a class, an array, …

    Raises:
        HarnessError: it holds something that can't be told apart from others.
    """
    name = importable_name(value)
    if name is None:
        digest, script = object_digest(value), _script_of(value)
        name = f"{LOCAL}{short_name(value)}-{digest[:8]}"
        if script is not None:
            name = f"{script.stem}.{getattr(value, '__qualname__', '')}"
        texts = _texts_of(value, name, script)
        what = "" if script else _describe(value)
        _KEPT[name] = Kept(value, OwnSource(digest, texts), what)
    if isinstance(value, (FunctionType, type)):
        _NAMES[value] = name
    return name


def name_once(value: type) -> str:
    """Return a class's name, as it was when it was first asked for."""
    return _NAMES.get(value) or name_object(value)


def find_object(name: str) -> Kept | None:
    """Return what the table has under a name; None where it is to be imported.

    Raises:
        HarnessError: the name is local to another process.
    """
    if name not in _KEPT and name in _FILES:
        import pickle

        _KEPT[name] = pickle.loads(_FILES[name].read_bytes())
    if name not in _KEPT and name.startswith(LOCAL):
        raise HarnessError(
            f"{name} can't be found: it was a lambda, a closure, a notebook's cell or an array of"
            " the process that made the study; define it at the top level of a file beside the"
            f" spec, and name it, such as mine.{_stem(name)}"
        )
    return _KEPT.get(name)


def source_of(name: str) -> OwnSource | None:
    """Return what the code of a kept object is known by; None for what is imported."""
    module, _, attribute = name.rpartition(".")
    if module in SCRIPTS:
        value = getattr(import_module(module), attribute)
        return OwnSource(object_digest(value), {})
    return kept.source if (kept := find_object(name)) is not None else None


def describe_local(name: str) -> str:
    """Return what an object is that no other process can import; empty for others."""
    return kept.what if (kept := _KEPT.get(name)) is not None else ""


def as_reference(value: object) -> object:
    """Return an argument with the objects in it as {"object": name}; plain values stay.

    >>> as_reference({"activation": print, "width": 3})
    {'activation': {'object': 'builtins.print'}, 'width': 3}
    """
    if not is_object(value):
        return value
    if isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
        return {name: as_reference(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_reference(inner) for inner in value]
    if type(value).__module__ == "numpy" and getattr(value, "shape", None) == ():
        return cast(Any, value).item()  # a number of NumPy's
    return {REFERENCE: name_object(value)}


def is_reference(value: object) -> bool:
    """Return whether an argument stands for an object: {"object": name}."""
    name = value.get(REFERENCE) if isinstance(value, Mapping) and len(value) == 1 else None
    return isinstance(name, str) and "." in name


def names_in(value: object) -> list[str]:
    """Return the names of the objects in plain arguments, as :func:`as_reference` writes them."""
    if isinstance(value, Mapping):
        if is_reference(value):
            return [value[REFERENCE]]
        return [name for inner in value.values() for name in names_in(inner)]
    if isinstance(value, (list, tuple)):
        return [name for inner in value for name in names_in(inner)]
    return names_in(list(value.arguments())) if hasattr(value, "arguments") else []


class Call(NamedTuple):
    """An object with its arguments, as a part's target and fields."""

    target: object
    arguments: dict[str, object]


def unpack_partial(value: object) -> Call:
    """Return a partial as its function and all its arguments by name; anything else with none.

    A partial whose positional arguments have no names stays as it is.
    """
    if not isinstance(value, partial):
        return Call(value, {})
    try:
        names = list(inspect.signature(value.func).parameters.values())[: len(value.args)]
    except (TypeError, ValueError):  # no signature: of some classes written in C
        names = []
    named = [p.name for p in names if p.kind is p.POSITIONAL_OR_KEYWORD]
    if len(named) < len(value.args):
        return Call(value, {})
    inner = unpack_partial(value.func)
    given = dict(zip(named, value.args, strict=True)) | value.keywords
    return Call(inner.target, inner.arguments | given)


class Missing(NamedTuple):
    """Stands for an object that a stored spec names and that can't be imported here: results can be
    read without it."""

    name: str
    reason: str
    """Why it can't be imported, and the fix."""

    def __call__(self, *_: object, **__: object) -> None:
        """Refuse to be used.

        Raises:
            HarnessError: always, with the reason.
        """
        raise HarnessError(self.reason)


_MISSING: set[str] = set()
"""Names that stored specs have, which may be ones that can't be imported here."""
_READS_STORED = ContextVar("_READS_STORED", default=False)


@contextmanager
def reading_stored() -> Iterator[None]:
    """Let the names in a stored spec stand for :class:`Missing` objects, unless their modules are
    imported already: who reads results runs none of the code that made them."""
    before = _READS_STORED.set(True)
    try:
        yield
    finally:
        _READS_STORED.reset(before)


def may_be_missing(name: str) -> bool:
    """Return whether a name that can't be imported may stand for a :class:`Missing` object."""
    return name in _MISSING


def is_left_alone(name: str) -> bool:
    """Return whether a name stands in a stored spec that is being read, and importing it would run
    code that has not run here yet."""
    if not _READS_STORED.get():
        return False
    _MISSING.add(name)
    return name not in _KEPT and name.rpartition(".")[0] not in sys.modules


def changed_since(name: str) -> bool:
    """Return whether a kept object does something else than when it was named: a function reads
    values of its module when it is called, and those may have been set anew."""
    kept = _KEPT.get(name)
    return kept is not None and object_digest(kept.value) != kept.source.digest


def write_objects(names: list[str]) -> dict[str, Path]:
    """Return a file for each object of the table, for processes that read :func:`read_from`.

    Raises:
        HarnessError: one of them can't be pickled.
    """
    return {name: _FILES.get(name) or _write(name) for name in names if find_object(name)}


def read_from(files: Mapping[str, Path]) -> None:
    """Find objects in files from now on; they are read when they are needed."""
    for name, path in files.items():
        _FILES.setdefault(name, path)


def _write(name: str) -> Path:
    import cloudpickle

    path = Path(_folder().name) / f"{len(_FILES)}.pickle"
    try:
        path.write_bytes(cloudpickle.dumps(_KEPT[name]))
    # libraries' own errors are of any class
    except Exception as error:
        raise HarnessError(
            f"{name} can't be sent to worker processes: {type(error).__name__}: {error}; define it"
            f" in a file beside the spec and name it, such as mine.{_stem(name)}, or train in this"
            " process (--workers 0)"
        ) from error
    _FILES[name] = path
    return path


@cache
def _folder() -> TemporaryFolder:
    """Return this process's folder of objects, which goes when the process ends."""
    return temporary_folder("objects")


def _namespace(value: object) -> dict[str, Any]:
    """Return the globals of the module or script that defines a function or class."""
    if isinstance(value, type):
        value = next(iter(functions_of(value)), None)
    return value.__globals__ if isinstance(value, FunctionType) else {}


def _script_of(value: object) -> Path | None:
    """Return the script that is being run here and has an object at its top level, from which other
    processes can import it."""
    namespace, name = _namespace(value), getattr(value, "__qualname__", "")
    file = namespace.get("__file__")
    is_script = namespace.get("__spec__") is None and namespace.get(name) is value
    # "<stdin>" is no file
    return Path(file).resolve() if is_script and file and Path(file).is_file() else None


def _texts_of(value: object, name: str, script: Path | None) -> dict[str, str]:
    """Return an object's source by the path that it is stored under."""
    if script is not None:
        return sources_of((OwnFile(script.parent, script.name),))
    text = source_text(value)
    return {f"{name.replace('.', '/')}.txt": text} if text else {}


def short_name(value: object) -> str:
    """Return a short word for an object: its own name, or its type's.

    >>> short_name(partial(print, end="")), short_name(lambda x: x)
    ('print', 'lambda')
    """
    value = value.func if isinstance(value, partial) else value
    if isinstance(value, (list, tuple)) or plain_array(value) is not None:
        return "arrays"
    name = str(getattr(value, "__name__", type(value).__name__))
    return re.sub(r"\W", "", name) or "object"


def _stem(name: str) -> str:
    """Return a local object's own name, without the hash."""
    return name.removeprefix(LOCAL).rpartition("-")[0]


def _describe(value: object) -> str:
    """Return what a local object is, in words."""
    if isinstance(value, FunctionType) and value.__name__ == "<lambda>":
        return "a lambda"
    if isinstance(value, partial):
        return "a partial with arguments that have no names"
    if not isinstance(value, (FunctionType, type)):
        held = "arrays" if short_name(value) == "arrays" else f"a {type(value).__name__}"
        return f"{held} in memory, which a function could return"
    return "made in a function" if "<locals>" in value.__qualname__ else "a notebook's"
