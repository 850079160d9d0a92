"""Errors meant for people: what was expected, what was got, and the fix."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class HarnessError(ValueError):
    """A mistake the user can mend; the commands print it without a traceback."""


class SpecError(HarnessError):
    """A study that can't be run as written; lists every mistake found in it."""


class ProtocolError(HarnessError):
    """Something was asked for that the protocol forbids, such as test data during the search."""


class StoreError(HarnessError):
    """The MLflow or Optuna store can't be reached or read."""


class NoStudyError(StoreError):
    """The store can be read, and has no such study."""


def nearest(name: str, options: Iterable[str]) -> str:
    """Return a question with the option closest to a name, or a list of all options.

    >>> nearest("Addam", ["Adam", "SGD"]), nearest("x", ["Adam", "SGD"])
    ("did you mean 'Adam'?", 'expected one of: Adam, SGD')
    """
    known = list(options)
    lowered = {option.lower(): option for option in known}
    close = get_close_matches(name.lower(), list(lowered), n=1, cutoff=0.5)
    if close:
        return f"did you mean {lowered[close[0]]!r}?"
    return "expected one of: " + ", ".join(sorted(known))
