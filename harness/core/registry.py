"""The names that specs know, by kind. The catalogue fills it when the package is imported.

Rooms below the content look names up here and so never import, or name in a string, a module above them.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple


class KindEntry(NamedTuple):
    """What the catalogue has of one kind of part."""

    base: str
    """The kind's base class, as ``module:Class``."""
    external: str
    """The class that stands for a dotted name from outside, as ``module:Class``; empty where a subclass is needed."""
    parts: Mapping[str, str]
    """The module of each part, by the part's name."""


REGISTRY: dict[str, KindEntry] = {}
"""What the catalogue has, by kind."""
UPPER_PLACES: dict[str, str] = {}
"""What lies above and is reached from below, as ``module:name``."""


def register(kinds: Mapping[str, KindEntry], entries: Mapping[str, str]) -> None:
    """Add to what specs know."""
    REGISTRY.update(kinds)
    UPPER_PLACES.update(entries)


def canonical(kind: str, name: str) -> str | None:
    """Return the registered spelling of ``name``: case, ``_`` and ``-`` do not matter.

    >>> canonical("data", "mnist1d"), canonical("loss", "cross_entropy"), canonical("model", "resnet")
    ('MNIST1D', 'CrossEntropy', None)
    """
    return {_plain(known): known for known in REGISTRY[kind].parts}.get(_plain(name))


def lookup(kind: str, name: str) -> Any:
    """Import the class registered for ``kind`` under exactly ``name``."""
    return getattr(import_module(REGISTRY[kind].parts[name]), name)


def base_class(kind: str) -> Any:
    """Import the base class of ``kind``."""
    return load_place(REGISTRY[kind].base)


def external_class(kind: str) -> Any:
    """Import the class that stands for outside parts of ``kind``; None where there is none."""
    return load_place(place) if (place := REGISTRY[kind].external) else None


def entry(name: str) -> Any:
    """Import what is registered as an entry, such as ``study.main``."""
    return load_place(UPPER_PLACES[name])


def load_place(place: str) -> Any:
    """Import what ``module:name`` names."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")
