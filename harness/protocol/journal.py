"""Optuna's journal: a file that mirrors trials for Optuna's dashboard.

No study depends on it. One that is damaged or foreign is set aside, one that can't be written is
done without, and both are told.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path

from optuna.storages import BaseStorage, InMemoryStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

LOCK_SECONDS = 5
"""Age from which a journal's lock counts as left behind by a killed process; a write takes far
less."""

_LOG = logging.getLogger("harness")


def open_journal(path: Path) -> BaseStorage:
    """Return a journal as Optuna's storage; of one that can't be used another in its place.

    Args:
        path: the file, which is made if it is missing.
    """
    try:
        _trim_torn_line(path)
        return _journal(path)
    except OSError as error:
        _LOG.warning(
            "Optuna's journal %s can't be used (%s): trials are not mirrored there, and the study "
            "goes on; --storage names another place",
            path,
            error.strerror or error,
        )
        return InMemoryStorage()
    # what Optuna raises differs with what it finds in the file's lines
    except Exception as error:
        aside = _free_name(path)
        path.rename(aside)
        _LOG.warning(
            "%s is no journal of Optuna's, or damaged (%s: %s): it is kept as %s, and a new one "
            "is written",
            path,
            type(error).__name__,
            error,
            aside.name,
        )
        return _journal(path)


def _journal(path: Path) -> BaseStorage:
    # An open() lock and not Optuna's default, a symbolic link, which not every file system allows.
    lock = JournalFileOpenLock(str(path), grace_period=LOCK_SECONDS)
    return JournalStorage(JournalFileBackend(str(path), lock_obj=lock))


def _free_name(path: Path) -> Path:
    """Return a name beside a file that no other has."""
    number = 1
    while (free := path.with_name(f"{path.name}.set-aside-{number}")).exists():
        number += 1
    return free


def _trim_torn_line(path: Path) -> None:
    """Cut off a last line that a killed process wrote half of; an append would ruin the file.

    Raises:
        ValueError: it does not begin as a journal's lines do.
    """
    if not path.exists():
        return
    content = path.read_bytes()
    end = content.rfind(b"\n") + 1
    # a torn line may have got its newline from the next process; then it is no JSON
    if end and not _is_json(content[:end].splitlines()[-1]):
        end = content[: end - 1].rfind(b"\n") + 1
    if not content[end:]:
        return
    if not content[end:].startswith(b"{"):
        raise ValueError("its last line is none of a journal")
    with path.open("r+b") as file:
        file.truncate(end)


def _is_json(line: bytes) -> bool:
    """Return whether a line is whole: one that was cut off is no JSON."""
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
