"""Mistakes in specs that are made in Python end in a :class:`SpecError` in words.

A spec inside another is made by its own constructor too, where pydantic must see its own errors, to
add their places: only the outermost one is explained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from harness.core.errors import SpecError

_INSIDE: ContextVar[bool] = ContextVar("inside", default=False)
"""Whether a spec is being made that holds the one that is made now."""


@contextmanager
def inside() -> Iterator[None]:
    """Leave mistakes to the caller, as pydantic tells them."""
    token = _INSIDE.set(True)
    try:
        yield
    finally:
        _INSIDE.reset(token)


@contextmanager
def explained(explain: Callable[[ValidationError], str]) -> Iterator[None]:
    """Explain what is wrong with the outermost spec that is made.

    Args:
        explain: puts pydantic's mistakes into words.

    Raises:
        SpecError: of the outermost spec; of others pydantic's own error.
    """
    outermost = not _INSIDE.get()
    try:
        with inside():
            yield
    except (ValidationError, PydanticCustomError) as error:
        if not outermost:
            raise
        # the second kind is of what names no part, space or claim, and says so itself
        said = explain(error) if isinstance(error, ValidationError) else str(error)
        raise SpecError(said) from None
