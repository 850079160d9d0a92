"""Plain values: what JSON and YAML hold, with their types."""

from __future__ import annotations

import math
from collections.abc import Mapping

from harness.spec.objects import as_reference


def plain_option(value: object) -> object:
    """Return an option of a choice as JSON holds it, a copy of its own.

    Args:
        value: None, a truth value, a number, a text, or lists, tuples and mappings of such; what
            can write itself (``dump``), such as a part of a recipe, becomes its mapping, and a
            class or function the mapping that names it.

    Returns:
        The same value; a tuple as a list.

    Raises:
        ValueError: JSON has no such value.

    >>> plain_option((0.9, None)), plain_option({"beta": True})
    ([0.9, None], {'beta': True})
    """
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"expected finite numbers, got {value}")
        return value
    if isinstance(value, Mapping):
        if unnamed := [name for name in value if not isinstance(name, str)]:
            raise ValueError(f"expected a mapping with texts for names, got {unnamed[0]!r}")
        return {name: plain_option(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_option(inner) for inner in value]
    if callable(value) or hasattr(value, "__array__"):
        return as_reference(value)
    if callable(dump := getattr(value, "dump", None)):
        return plain_option(dump())
    raise ValueError(
        f"expected None, a number, a text, a list or a mapping, got {type(value).__name__}"
    )
