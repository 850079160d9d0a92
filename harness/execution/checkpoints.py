"""Checkpoints of a job's cohort while it trains: when they are written, where, and how one is read.

A job has one file for each stretch between two rungs of the search, named by the rung and by the
members that train: who prunes otherwise than before finds no file, and goes on from the rung. A
file is written whole or not at all, and holds the checksum of what it should be. torch and the
engine are imported inside the functions, as in :mod:`harness.execution.jobs`.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from harness.core import kernels
from harness.core.errors import HarnessError
from harness.core.whole_file import replacing
from harness.spec.arms import Run
from harness.spec.keys import ENGINE, digest

if TYPE_CHECKING:
    from harness.engine.cohort import Cohort

MAGIC = b"harness checkpoint\n"
"""What a file begins with; its SHA-256 as 32 bytes and its content follow."""


class Saving(NamedTuple):
    """Where a job's checkpoints are, and how often one is written."""

    folder: Path
    """Of this job alone; it is made when the first one is written."""
    every: float
    """Seconds from one to the next."""

    def part(self, name: str) -> Saving:
        """Return the same for a part of the job."""
        return self._replace(folder=self.folder / name)

    def forget(self) -> None:
        """Remove the job's checkpoints, if there are any."""
        shutil.rmtree(self.folder, ignore_errors=True)


class DamagedError(HarnessError):
    """A checkpoint is not what was written."""


class Keeper:
    """Writes a cohort when it is due, and reads what an earlier process wrote.

    Args:
        saving: where and how often.
        runs: those that the cohort was started with.
        until: the update at which the job hands its cohort back; None for the end.
        rows: the runs that train, by their places.
    """

    def __init__(
        self, saving: Saving, runs: Sequence[Run], until: int | None, rows: Sequence[int]
    ) -> None:
        self.runs, self.every, self.rung = runs, saving.every, until is not None
        self.path = saving.folder / f"{until or 'end'}-{digest(list(rows))[:16]}"
        self.due = time.monotonic() + saving.every
        self.notes: list[str] = []
        """What its user is told, in sentences."""

    def resume(self) -> Cohort | None:
        """Return the cohort of the last checkpoint; None where there is none that can be used.

        One of another engine or torch is removed, since it would go on to other numbers; a damaged
        one is set aside.
        """
        from harness.engine.checkpoint.cohorts import cohort_from_tree

        if not self.path.exists():
            return None
        try:
            made_by, tree = read(self.path)
            if made_by != _made_by():
                self.path.unlink()
                return None
            return cohort_from_tree(tree, self.runs)
        # whatever is wrong with a file, the runs can be trained from their start
        except Exception as error:
            aside = self.path.with_name(f"{self.path.name}.damaged")
            self.path.replace(aside)
            self.notes.append(
                f"a checkpoint can't be used and was set aside as {aside}: {error}; its "
                f"{len(self.runs)} runs are trained from their start"
            )
            return None

    def between(self, cohort: Cohort) -> None:
        """Write the cohort if it is time to.

        Args:
            cohort: between two updates.
        """
        if time.monotonic() >= self.due:
            self.save(cohort)

    def at_rung(self, cohort: Cohort) -> None:
        """Write a cohort that is handed back, if as much would be lost with it as is otherwise."""
        from_start = sum(member.seconds for member in cohort.members)
        if self.rung and from_start >= self.every:
            self.save(cohort)

    def save(self, cohort: Cohort) -> None:
        """Write the cohort in the place of the last checkpoint; a failure is noted, and is none of
        the runs'."""
        from harness.engine.checkpoint.cohorts import cohort_to_tree

        try:
            write(self.path, [_made_by(), cohort_to_tree(cohort)])
        # a full disk, a state that can't be seen, a user's own object that raises
        except Exception as error:
            self.notes.append(f"no checkpoint could be written: {error}")
            self.due = float("inf")
            return
        # counted from the end: a slow disk is not written to all the time
        self.due = time.monotonic() + self.every


def _made_by() -> list[str]:
    import torch

    return [ENGINE, str(torch.__version__), kernels.version()]


def write(path: Path, tree: object) -> None:
    """Write a tree so that the file is whole or is the one before, whenever the process is killed.

    Args:
        path: the file; its folder is made.
        tree: of tensors and plain values.

    Raises:
        OSError: it can't be written.
    """
    import torch

    buffer = io.BytesIO()
    torch.save(tree, buffer)
    content = buffer.getbuffer()
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write(MAGIC + hashlib.sha256(content).digest())
        file.write(content)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Have the names in a folder written to the disk, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read(path: Path) -> tuple[object, object]:
    """Return what :func:`write` was given.

    Args:
        path: the file.

    Raises:
        DamagedError: it is not what was written.
    """
    import torch

    content = path.read_bytes()
    start = len(MAGIC) + hashlib.sha256().digest_size
    if content[: len(MAGIC)] != MAGIC:
        raise DamagedError("it is no checkpoint")
    body = content[start:]
    if hashlib.sha256(body).digest() != content[len(MAGIC) : start]:
        raise DamagedError("its checksum is not that of its content")
    made_by, tree = torch.load(io.BytesIO(body), weights_only=True)
    return made_by, tree
