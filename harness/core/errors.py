"""Errors meant for people: what was expected, what was got, and the fix.

The command line prints a :class:`HarnessError` as one message and ends with it; any other exception
is taken for a bug of the harness and keeps its traceback.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from shlex import quote
from types import TracebackType


class HarnessError(ValueError):
    """A mistake the user can mend; the commands print it without a traceback.

    It is a ``ValueError``, so that pydantic turns one that is raised in a validator into an error
    of that field.
    """

    def __init__(self, *said: object) -> None:
        super().__init__(*said)
        # Importing the harness changes nothing in the process; the first mistake does, so that a
        # script which it ends shows the mistake alone.
        _end_scripts_in_words()


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
    return did_you_mean(name, known) or "expected one of: " + ", ".join(sorted(known))


def did_you_mean(name: str, options: Iterable[str]) -> str:
    """Return the closest of the names that are known as a question, for where they are too many to
    list; empty if none is close.

    >>> did_you_mean("smal.py", ["small.py", "other.py"]), did_you_mean("???", ["Adam"])
    ("did you mean 'small.py'?", '')
    """
    lowered = {option.lower(): option for option in options}
    # looser than difflib's default of 0.6: a far-fetched suggestion costs a user less than having
    # to look for the names that there are
    close = get_close_matches(name.lower(), list(lowered), n=1, cutoff=0.5)
    return f"did you mean {lowered[close[0]]!r}?" if close else ""


def not_utf8(error: UnicodeDecodeError, name: object) -> str:
    """Return what a file is that was expected in UTF-8, and the fix, as the end of a message.

    Args:
        error: of the try to read it.
        name: what the user calls the file.
    """
    return (
        f"expected {name} in UTF-8, got the byte 0x{error.object[error.start]:02x}, as Latin-1 and "
        "older Windows programs write it; save it as UTF-8, or write it anew with iconv -f latin1 "
        f"-t utf-8 {quote(str(name))} > utf8{Path(str(name)).suffix}"
    )


def _end_scripts_in_words() -> None:
    """Set Python's hook for uncaught errors, which notebooks and test runners never ask."""
    if getattr(sys.excepthook, "__name__", "") != _tell.__name__:
        _HOOKS.append(sys.excepthook)
        sys.excepthook = _tell


_HOOKS = [sys.__excepthook__]
"""Hooks that were there before; the last one gets every error that is no :class:`HarnessError`."""


def _tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if isinstance(error, HarnessError):
        print(f"error: {line_of(trace)}{error}", file=sys.stderr)
    else:
        _HOOKS[-1](kind, error, trace)


def line_of(trace: TracebackType | None) -> str:
    """Return the last line of the user's own code on the way to an error, ``mine.py:12: ``."""
    others = {__name__.partition(".")[0], "pydantic", *sys.stdlib_module_names}
    own = [
        f"{Path(frame.f_code.co_filename).name}:{line}: "
        for frame, line in traceback.walk_tb(trace)
        if frame.f_globals.get("__name__", "").partition(".")[0] not in others
    ]
    return own[-1] if own else ""
