"""Errors meant for people: what was expected, what was got, and the fix.

The command line prints a :class:`HarnessError` as one message and ends with it; any other exception
is taken for a bug of the harness and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class HarnessError(ValueError):
    """A mistake the user can mend; the commands print it without a traceback.

    It is a ``ValueError``, so that pydantic turns one that is raised in a validator into an error
    of that field.
    """


class SpecError(HarnessError):
    """A study that can't be run as written; lists every mistake found in it."""


class ProtocolError(HarnessError):
    """Something was asked for that the protocol forbids, such as test data during the search."""


class StoreError(HarnessError):
    """The MLflow or Optuna store can't be reached or read."""


class NoStudyError(StoreError):
    """The store can be read, and has no such study."""


def nearest(name: str, options: Iterable[str]) -> str:
    """Return the end of an error message that helps with a misspelt name.

    Args:
        name: what the user wrote.
        options: the names that are known.

    Returns:
        The closest option as a question if one is close, else all options.

    >>> nearest("adm", ["Adam", "SGD"]), nearest("???", ["SGD", "Adam"])
    ("did you mean 'Adam'?", 'expected one of: Adam, SGD')
    """
    known = list(options)
    lowered = {option.lower(): option for option in known}
    # looser than difflib's default of 0.6: a far-fetched suggestion costs a user less than having
    # to read the list of all names
    close = get_close_matches(name.lower(), list(lowered), n=1, cutoff=0.5)
    if close:
        return f"did you mean {lowered[close[0]]!r}?"
    return "expected one of: " + ", ".join(sorted(known))
