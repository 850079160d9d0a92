"""The names that specs know, by kind. The catalogue fills it when the package is imported.

Specs must turn ``optimizer: adam`` into a class that lies in a layer above them. They look it up
here, so that no room imports a module above it or names one in a string; the one list of such
strings is :mod:`harness.catalog`. A class is imported when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, NamedTuple


class KindEntry(NamedTuple):
    """What the catalogue has of one kind of part."""

    base: str
    """The kind's base class, as ``module:Class``."""
    external: str
    """The class that stands for a dotted name from outside, as ``module:Class``; empty where a
    subclass is needed."""
    parts: Mapping[str, str]
    """The module of each part, by the part's name."""


REGISTRY: dict[str, KindEntry] = {}
"""What the catalogue has, by kind."""
UPPER_PLACES: dict[str, str] = {}
"""What lies in rooms above and is reached from below, as ``module:name``."""


def register(kinds: Mapping[str, KindEntry], entries: Mapping[str, str]) -> None:
    """Add to what specs know; a name that is there already is replaced.

    Args:
        kinds: the parts, by kind.
        entries: what lies in rooms above, as ``module:name``, by the name that it is asked for.
    """
    REGISTRY.update(kinds)
    UPPER_PLACES.update(entries)


def canonical(kind: str, name: str) -> str | None:
    """Return the registered spelling of ``name``: case, ``_`` and ``-`` do not matter.

    Args:
        kind: such as ``optimizer``.
        name: a part's name as a user wrote it.

    Returns:
        The class's name; None where the kind has no such part.

    Raises:
        KeyError: there is no such kind.

    >>> canonical("data", "mnist1d"), canonical("loss", "cross_entropy"), canonical("model", "vgg")
    ('MNIST1D', 'CrossEntropy', None)
    """
    spellings = {_without_marks(known): known for known in REGISTRY[kind].parts}
    return spellings.get(_without_marks(name))


def _without_marks(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


# The registry lies below all parts and can't name their classes: what is imported by name is Any
# to a type checker.


def lookup(kind: str, name: str) -> Any:
    """Import the class registered for ``kind`` under exactly ``name``.

    Args:
        kind: such as ``optimizer``.
        name: the registered spelling; :func:`canonical` finds it.

    Raises:
        KeyError: there is no such kind or name.
    """
    return load_place(f"{REGISTRY[kind].parts[name]}:{name}")


def base_class(kind: str) -> Any:
    """Import the base class of ``kind``.

    Raises:
        KeyError: there is no such kind.
    """
    return load_place(REGISTRY[kind].base)


def external_class(kind: str) -> Any:
    """Import the class that stands for outside parts of ``kind``; None where there is none."""
    place = REGISTRY[kind].external
    return load_place(place) if place else None


def load_entry(name: str) -> Callable[..., object]:
    """Import what the catalogue has in a room above under ``name``, such as ``study.main``.

    It lets a spec offer methods that run it (``study.main()``) without importing what runs it.

    Raises:
        KeyError: the catalogue has nothing of this name.
    """
    built: Callable[..., object] = load_place(UPPER_PLACES[name])
    return built


def load_place(place: str) -> Any:
    """Import what ``module:name`` names.

    Raises:
        ImportError: there is no such module.
        AttributeError: the module has no such name.
    """
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
