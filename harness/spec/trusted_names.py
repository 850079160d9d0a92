"""What a spec that is written as text may name: the user's own classes and functions, and those of
some libraries.

A YAML or JSON file may come from anybody, and ``harness plan`` already calls the data and the
models that it names. So a name such as ``subprocess.getoutput`` is refused before anything is
imported. A study in Python is code itself, and what it has named is not asked for again.
"""

from __future__ import annotations

import inspect
import re
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from pydantic_core import PydanticCustomError

from harness.core.registry import REGISTRY, base_class
from harness.spec.source_code import is_own

LIBRARIES = (
    "torch.nn.*",
    "torch.optim.*",
    "torchvision.models.*",
    "torchvision.ops.*",
    "torchvision.datasets.CLASS",
    "torchmetrics.*",
    "sklearn.datasets.load_*",
    "sklearn.datasets.make_*",
    "sklearn.metrics.*",
    "optax.*",
    "pytorch_optimizer.*",
    "lion_pytorch.*",
    "schedulefree.*",
    "heavyball.*",
    "timm.*",
)
"""What specs may name of libraries: ``*`` is any public name, ``CLASS`` that of a class."""
_FORMS = {"*": r"[A-Za-z]\w*(\.[A-Za-z]\w*)*", "CLASS": r"[A-Z]\w*"}
_TRUSTED = re.compile(
    "|".join(
        re.sub(r"CLASS|\*", lambda found: _FORMS[found[0]], name.replace(".", r"\."))
        for name in LIBRARIES
    )
)
_ONLY = ContextVar("_ONLY", default=False)
_NAMED: set[str] = set()
"""Names that Python code of this process has named: they need not be asked for."""


@contextmanager
def trusted_names_only() -> Iterator[None]:
    """Refuse names of all but the user's own modules and :data:`LIBRARIES`."""
    before = _ONLY.set(True)
    try:
        yield
    finally:
        _ONLY.reset(before)


def trust_name(name: str) -> None:
    """Take a name as trusted from now on: that of a class of which a part was made."""
    _NAMED.add(name)


def refuse_name(name: str) -> None:
    """Refuse a dotted name that is not trusted; nothing is imported.

    Raises:
        PydanticCustomError: what the name is, and the fix.
    """
    if not _ONLY.get():
        _NAMED.add(name)
    elif name not in _NAMED and (what := _distrusted(name)):
        raise _refusal(name, what)


def refuse_found(name: str, found: object) -> None:
    """Refuse what a trusted name stands for, where that is not trusted: a function of ``os`` that
    the user's file has imported, or a part of the harness that is none of a spec.

    Raises:
        PydanticCustomError: what it is, and the fix.
    """
    if not _ONLY.get() or name in _NAMED:
        return
    top = name.partition(".")[0]
    if top == "harness":
        if not _is_part(found):
            raise _refusal(name, "is no part of a spec")
        return
    module = _module_of(found)
    origin = module.partition(".")[0]
    if origin and _kind_of(origin) == "standard":
        raise _refusal(name, f"is of Python's module {module}")
    if _kind_of(top) == "library" and origin not in ("", top):
        raise _refusal(name, f"is of {origin}")


def _module_of(found: object) -> str:
    """Return the module that defines a function or class, of a partial its function's; empty for
    what is neither."""
    while isinstance(found, partial):
        found = found.func
    if not (inspect.isroutine(found) or inspect.isclass(found)):
        return ""
    # of some functions written in C it is None
    return str(getattr(found, "__module__", None) or "")


def _distrusted(name: str) -> str:
    """Return what keeps a name from being trusted, in words; empty where nothing does."""
    top = name.partition(".")[0]
    kind = _kind_of(top)
    if kind == "standard":
        return "is of Python itself"
    if kind == "library" and not _TRUSTED.fullmatch(name):
        return "is of a library, and none of the names that specs may have of one"
    if kind == "harness" and any(part.startswith("_") for part in name.split(".")):
        return "is no part of a spec"
    return ""


def _kind_of(top: str) -> str:
    """Return whose a module at the top is: ``harness``, ``own``, ``standard`` (Python's own) or
    ``library``; ``own`` where there is none, which its import will say."""
    if top == "harness":
        return "harness"
    if top == "__main__" or top in sys.builtin_module_names:
        return "standard"
    try:
        spec = find_spec(top)  # of a name without a dot it looks, and runs nothing
    except (ValueError, ImportError):  # a module without a spec, and texts that are no names
        return "standard" if top in sys.stdlib_module_names else "own"
    if spec is None:
        return "own"
    if spec.origin in ("built-in", "frozen"):
        return "standard"
    file = spec.origin or next(iter(spec.submodule_search_locations or ()), "")
    if not is_own(file):
        return "library"
    return "standard" if Path(file).is_relative_to(sysconfig.get_path("stdlib")) else "own"


def _is_part(found: object) -> bool:
    """Return whether something is a class of parts that specs have."""
    bases = tuple(base_class(kind) for kind in REGISTRY)
    return isinstance(found, type) and issubclass(found, bases)


def _refusal(name: str, what: str) -> PydanticCustomError:
    return PydanticCustomError(
        "trusted",
        "{name} {what}: a spec that is no Python names your own classes and functions, and those "
        "of {libraries}; to use it, write a function in a file beside the spec that calls it "
        "(docs/trust.md)",
        {"name": name, "what": what, "libraries": ", ".join(LIBRARIES)},
    )
