"""One driver a study: who holds it, and for how long they have given signs of life.

Two processes that drive one study would train runs twice and write over each other's answer. On
one machine a lock of the operating system's keeps the second out; it is free again as soon as its
process is gone, however that ended. Between machines it is a lease: a tag of the study's experiment
that names the holder, and whose beat changes while the holder lives.
"""

from __future__ import annotations

import getpass
import json
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Protocol, Self

import psutil
from filelock import FileLock, Timeout

from harness.core.errors import StoreError
from harness.core.paths import cache_folder
from harness.spec.source_code import short_digest
from harness.tracking.uris import hide_password, sqlite_path

BEAT = 10.0
"""Seconds between two signs of life."""
STALE = 35.0
"""Seconds without a change of the beat after which its holder counts as gone: three beats, and some
time for a slow server."""
SETTLING = 1.0
"""Seconds after which a lease is read again: of two drivers that take it at once, each has written
by then, and the last one's name is there."""

_LOG = logging.getLogger("harness")


class HeldError(StoreError):
    """Somebody else drives the study."""


class LeaseBoard(Protocol):
    """Where the lease is written: a text that every driver of the study reads and writes."""

    def read_driver(self) -> str:
        """Return the text; empty if there is none."""

    def write_driver(self, text: str) -> None:
        """Replace the text."""


class Holder(NamedTuple):
    """Who drives a study."""

    owner: str
    """A name that no other driver has."""
    host: str
    pid: int
    born: float
    """When the process began, which tells it from a later one of the same number."""
    user: str
    since: str
    """When it took the study, in UTC."""
    beat: float = 0.0
    """When it last gave a sign of life, by its own clock."""

    @classmethod
    def this_process(cls) -> Self:
        """Return this process as a holder."""
        born = psutil.Process().create_time()
        since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        owner, host = uuid.uuid4().hex, socket.gethostname()
        return cls(owner, host, os.getpid(), born, _user(), since, time.time())

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the holder that a text names; None for none, or for what this version can't read,
        which can't be obeyed."""
        try:
            plain = json.loads(text)
            return cls(**{name: plain[name] for name in cls._fields})
        except (ValueError, TypeError, KeyError):
            return None

    def __str__(self) -> str:
        return f"{self.user} on {self.host} (process {self.pid}, since {self.since})"

    @property
    def gone(self) -> bool:
        """Whether it is surely gone: a process of this machine that is no more."""
        if self.host != socket.gethostname():
            return False
        try:
            return abs(psutil.Process(self.pid).create_time() - self.born) > 1
        except psutil.NoSuchProcess:
            return True
        except psutil.Error:  # another user's process, which is there
            return False


class Driver(NamedTuple):
    """Who drives a study, and how far it is."""

    holder: Holder
    progress: Mapping[str, object]
    """As the driver told it last, at most two beats ago; empty where it has told nothing yet."""

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the driver that a text names, None for none."""
        holder = Holder.parse(text)
        return None if holder is None else cls(holder, json.loads(text).get("progress") or {})


class Lease:
    """The right to drive a study, kept until :meth:`release`.

    Args:
        board: where the holder is named.
        uri: MLflow's tracking URI.
        study: the study's name.
        take_over: take it from a holder on another machine, even if it gives signs of life.

    Raises:
        HeldError: somebody else drives the study; the message says who, and how to take over.
    """

    def __init__(self, board: LeaseBoard, uri: str, study: str, take_over: bool = False) -> None:
        self.board, self.study = board, study
        self._shared = sqlite_path(uri) is None
        """Whether drivers on other machines may be at work; to an SQLite file the lock beside it is
        enough."""
        self.me = Holder.this_process()
        self._told: Callable[[], Mapping[str, object]] = dict
        self._lost = ""
        self._stop = threading.Event()
        self._lock = FileLock(_lock_file(uri, study))
        self._lock_machine()
        try:
            self._take(take_over)
            if self._shared:
                self._settle()
        except BaseException:
            self._lock.release()
            raise
        self._beating = threading.Thread(target=self._beat, name="lease", daemon=True)
        self._beating.start()

    def tell(self, told: Callable[[], Mapping[str, object]]) -> None:
        """Write beside every sign of life how far the study is, for ``harness watch``.

        Args:
            told: is asked at once and at every beat, from a thread of the lease's.
        """
        self._told = told
        _quietly(self._write)

    def check(self) -> None:
        """Raise if the study has been taken over.

        Raises:
            StoreError: another driver has it now.
        """
        if self._lost:
            raise StoreError(self._lost)

    def release(self) -> None:
        """Let others drive the study; a store that is away is not waited for."""
        self._stop.set()
        self._beating.join()
        if not self._lost:
            _quietly(lambda: self.board.write_driver(""))
        self._lock.release()

    def _lock_machine(self) -> None:
        """Keep other processes of this machine out.

        Raises:
            HeldError: one has the study.
        """
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            holder = Holder.parse(self.board.read_driver())
            who = f"by {holder}" if holder else "by another process on this machine"
            stop = f" (kill {holder.pid})" if holder and holder.host == self.me.host else ""
            raise HeldError(
                f"study {self.study!r} is being run {who}; wait for it, or stop it{stop} and "
                "start the same command again: what is finished is kept"
            ) from None

    def _take(self, take_over: bool) -> None:
        """Write this process as the holder, if no other lives.

        Raises:
            HeldError: another holder gives signs of life.
        """
        holder = Holder.parse(self.board.read_driver())
        asked = self._shared and not take_over
        if asked and holder is not None and not holder.gone and self._lives(holder):
            raise HeldError(
                f"study {self.study!r} is being run by {holder}; wait for it, or take it over with "
                "--take-over, which stops it at its next cohort"
            )
        self._write()

    def _lives(self, holder: Holder) -> bool:
        """Return whether a holder's beat changes; clocks of several machines are not compared."""
        _LOG.warning(
            "study %r was being run by %s; looking for %d seconds whether it still is",
            self.study,
            holder,
            STALE,
        )
        until = time.monotonic() + STALE
        while time.monotonic() < until:
            time.sleep(min(1.0, BEAT / 5))
            now = Holder.parse(self.board.read_driver())
            if now is None:  # it has ended
                return False
            if now != holder:
                return True
        return False

    def _settle(self) -> None:
        """Give up the lease if another took it in the same moment.

        Raises:
            HeldError: another did.
        """
        time.sleep(SETTLING)
        self._look()
        if self._lost:
            raise HeldError(self._lost)

    def _look(self) -> None:
        """Note it if somebody else has the lease."""
        holder = Holder.parse(self.board.read_driver())
        if holder is not None and holder.owner != self.me.owner:
            self._lost = (
                f"study {self.study!r} was taken over by {holder}, which goes on with it; "
                "what this process has finished is kept"
            )

    def _write(self) -> None:
        holder = self.me._replace(beat=time.time())._asdict()
        self.board.write_driver(json.dumps({**holder, "progress": self._told()}))

    def _beat(self) -> None:
        """Give signs of life until the lease is released or lost."""
        while not self._stop.wait(BEAT) and not self._lost:
            _quietly(self._look)
            if not self._lost:
                _quietly(self._write)


def _quietly(action: Callable[[], None]) -> None:
    """Do something that may fail: a store that is away is tried again at the next beat, and told by
    those who need it."""
    try:
        action()
    except Exception as error:
        _LOG.debug("lease: %s", error)


def _lock_file(uri: str, study: str) -> Path:
    """Return the file that drivers of one machine lock: beside an SQLite store, whoever's it is;
    for servers in the cache."""
    path = sqlite_path(uri)
    if path is not None:
        return path.resolve().parent / f".{path.name}-{short_digest(study)}.lock"
    folder = cache_folder() / "drivers"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{short_digest(f'{hide_password(uri)} {study}')}.lock"


def _user() -> str:
    """Return the user's name, or their number where it has none, as in some containers."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"user {os.getuid()}"
