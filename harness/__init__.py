"""Fair, fast and trustworthy comparisons of optimizers, batch sizes and regularizers.

Every public name is imported when it is first used: ``import harness`` costs nothing and changes
nothing in the process.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from harness.catalog import ENTRIES, KINDS, MODULES, OLD_NAMES, public_places
from harness.core.registry import load_place, register

__version__ = "0.1.0"

register(KINDS, ENTRIES)

# for ``from harness import *``, which imports all of it
__all__ = [*sorted(public_places()), *MODULES]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name in MODULES:
        return import_module(MODULES[name])
    if name in OLD_NAMES:
        import warnings

        warnings.warn(
            f"harness.{name} is now harness.{OLD_NAMES[name]}", DeprecationWarning, stacklevel=2
        )
        name = OLD_NAMES[name]
    place = public_places().get(name)
    if place is None:
        raise AttributeError(f"module 'harness' has no attribute {name!r}")
    return load_place(place)


def __dir__() -> list[str]:
    return sorted([*public_places(), *MODULES, "__version__"])
