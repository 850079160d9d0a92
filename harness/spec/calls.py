"""Whether a user's class or function takes what it is to be called with."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable

from harness.core.errors import HarnessError, nearest


def parameters_of(target: Callable[..., object]) -> list[str]:
    """Return the names of a target's parameters; none where Python can't tell them."""
    try:
        return list(inspect.signature(target).parameters)
    except (TypeError, ValueError):  # of some classes written in C
        return []


def check_call(
    part: str, target: Callable[..., object], given: Iterable[str], positional: int = 0
) -> None:
    """Refuse arguments that a target does not take, before it is called.

    Args:
        part: kind and name of the part, which the message begins with.
        target: the class or function.
        given: names of the keyword arguments.
        positional: how many arguments come before these, without names.

    Raises:
        HarnessError: what it takes, what it was given, and the nearest name.
    """
    try:
        signature = inspect.signature(target)
    except (TypeError, ValueError):
        return
    names = list(given)
    try:
        signature.bind(*range(positional), **dict.fromkeys(names))
    except TypeError as error:
        unknown = [name for name in names if name not in signature.parameters]
        known = signature.parameters
        hint = f"; {nearest(unknown[0], known)}" if unknown and known else ""
        taken = ", ".join(map(str, signature.parameters)) or "none"
        raise HarnessError(
            f"{part}: expected arguments of ({taken}), got ({', '.join(names) or 'none'}): "
            f"{error}{hint}"
        ) from error
