"""What a worker of another's executor does: unpack a study's code, compare versions, and train.

Nothing is assumed of the worker but that it has the harness installed: it may share neither disk
nor folder nor environment with the driver.
"""

from __future__ import annotations

import os
import pickle
import platform
import socket
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from harness.core import kernels
from harness.core.errors import HarnessError
from harness.core.process import REPRODUCIBLE_MKL
from harness.data.base import fingerprint
from harness.execution.jobs import Done, Job, perform
from harness.execution.parcel import Parcel, has, unpack
from harness.spec.keys import ENGINE


class Packed(NamedTuple):
    """A call, as it goes to a worker."""

    parcel: str
    """Hash of the study's code."""
    made_by: dict[str, str]
    """What the driver computes with, which the worker has to as well."""
    call: bytes
    """Function and argument; they are unpickled when the code is there."""


class Reply(NamedTuple):
    """What a worker says of a call."""

    result: bytes = b""
    """What the function returned; empty where it was not called."""
    lacking: bool = False
    """It lacks the study's code, and gets it with the next try."""
    refused: str = ""
    """Why no worker like this one can be used."""


class Performed(NamedTuple):
    """A job's end, as a worker elsewhere says it."""

    done: Done
    counted: bool
    """Whether its updates are on the board already, which the worker then shares."""


_ALONE = threading.Lock()
"""torch's number of threads is one for the process: calls in threads go one after the other."""


def versions() -> dict[str, str]:
    """Return what numbers depend on besides the recipe, as far as it is not the machine."""
    import torch

    return {
        "the harness's engine": ENGINE,
        "torch": str(torch.__version__),
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "kernels (harness kernels [--remove])": kernels.version(),
    }


def pack_call(call: Callable[[Any], object], argument: object, parcel: str) -> Packed:
    """Return a call that :func:`answer` makes elsewhere; a job is checked against its data there.

    Args:
        call: a function of a module.
        argument: what it is called with.
        parcel: hash of the code that the argument needs.
    """
    if isinstance(argument, Job):
        call = partial(perform_checked, data=_fingerprints(argument))
    return Packed(parcel, versions(), pickle.dumps((call, argument)))


def answer(packed: Packed, parcel: Parcel | None = None) -> Reply:
    """Make a call in this process.

    Args:
        packed: the call.
        parcel: the code that it needs, where this process is known to lack it.
    """
    # before torch is loaded, which reads it with its first product
    os.environ.setdefault(*REPRODUCIBLE_MKL)
    with _ALONE:
        try:
            if parcel is not None:
                unpack(parcel)
            if not has(packed.parcel):
                return Reply(lacking=True)
            refuse_unlike(packed.made_by)
            call, argument = pickle.loads(packed.call)
            return Reply(pickle.dumps(call(argument)))
        except HarnessError as error:
            return Reply(refused=f"a worker on {here()} can't be used: {error}")


def here() -> str:
    """Return this process in words: its machine and number."""
    return f"{socket.gethostname()} (process {os.getpid()})"


def refuse_unlike(made_by: dict[str, str]) -> None:
    """Refuse to compute with other versions than the driver's.

    Args:
        made_by: the driver's, by name.

    Raises:
        HarnessError: one differs.
    """
    for name, version in versions().items():
        if version != made_by.get(name):
            raise HarnessError(
                f"expected {name} {made_by.get(name)}, which the driver has, got {version}: numbers"
                " may differ; install the same on all machines"
            )


def perform_checked(job: Job, data: tuple[str, ...]) -> Performed:
    """Train a job, where this process sees the data that the driver sees.

    Args:
        job: of the driver's; board and checkpoints are used where they are seen from here.
        data: the fingerprints of its data on the driver.

    Raises:
        HarnessError: the data are not here, or are others.
    """
    if _fingerprints(job) != data:
        names = sorted({run.recipe.data.name for run in job.runs})
        raise HarnessError(
            f"its data {', '.join(names)} are not those of the driver; put the same files under"
            " the same paths, best on a disk that all machines share"
        )
    board = job.board if job.board is not None and job.board.exists() else None
    # a folder that only this machine had would help no other worker, and nobody would remove it
    shared = job.saving is not None and job.saving.folder.parent.is_dir()
    saving = job.saving if shared else None
    return Performed(perform(job._replace(board=board, saving=saving)), board is not None)


def _fingerprints(job: Job) -> tuple[str, ...]:
    """Return the fingerprints of the data that a job's runs train on."""
    return tuple(fingerprint(data) for data in dict.fromkeys(run.recipe.data for run in job.runs))
