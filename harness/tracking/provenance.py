"""What a result was computed with: code, packages and hardware.

It is recorded with every study and every run, and shown in the report. What can't be found out is
left empty: a missing git or ``/proc`` never keeps a study from being run.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Sequence
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import TypedDict

import psutil

from harness.core import kernels
from harness.spec.source_code import short_digest
from harness.tracking.changes import NO_PAGES, git_output, in_checkout
from harness.tracking.uris import hide_password

HARNESS = Path(__file__).parent
"""A folder of the harness: its checkout's, or where it is installed."""


class Environment(TypedDict):
    """What a study was run with; the names are those of its file in MLflow."""

    commit: str
    """Of the harness's checkout, or ``HARNESS_COMMIT`` where an image was built without one."""
    dirty: str
    """Hash of the uncommitted changes, reports left out; empty if there are none."""
    python: str
    platform: str
    processor: str
    kernels: str
    """Compiled inner loops that runs are trained by, or "none" (:mod:`harness.core.kernels`)."""
    cores: int
    """Physical ones."""
    memory_gib: float
    gpus: list[str]
    """Names of those that torch can use; empty in a process that has not imported torch."""
    command: str
    """The command line, as :func:`public_command` gives it."""
    packages: dict[str, str]
    """Versions of the installed distributions."""


@lru_cache(maxsize=1)
def read_environment() -> Environment:
    """Return what this process runs with.

    It is read once, since asking git and the packages takes a second. Callers share what is
    returned and must not change it.
    """
    changes = git_output(HARNESS, "diff", "HEAD", "--", *NO_PAGES) if in_checkout(HARNESS) else ""
    commit = git_output(HARNESS, "rev-parse", "HEAD") if in_checkout(HARNESS) else ""
    return {
        "commit": commit or os.environ.get("HARNESS_COMMIT", ""),
        "dirty": short_digest(changes) if changes else "",
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": _processor(),
        "kernels": kernels.version(),
        "cores": psutil.cpu_count(logical=False) or os.cpu_count() or 1,
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "gpus": _gpus(),
        "command": public_command(sys.argv),
        "packages": _packages(),
    }


_PLACES = ("--store", "--storage", "--reports", "--uri", "--scheduler")
"""Flags whose values say where results are kept: a matter of the machine, and URLs may hold
passwords."""


def public_command(words: Sequence[str]) -> str:
    """Return the command line as others may read it, without the places of stores and passwords.

    Args:
        words: as in ``sys.argv``: the program and its arguments.

    >>> public_command("/here/harness run s.py --store postgresql://me:secret@db --quick".split())
    'harness run s.py --quick'
    """
    program, rest = Path(words[0]).name, iter(words[1:])
    kept = ["harness" if program == "__main__.py" else program]
    for word in rest:
        flag, equals, _ = word.partition("=")
        if flag not in _PLACES:
            kept.append(hide_password(word))
        elif not equals:  # "--store URI": its value is the next word
            next(rest, None)
    return " ".join(kept)


_NAME, _VERSION = (re.compile(rf"^{field}: *(.+?)\s*$", re.M) for field in ("Name", "Version"))


def _packages() -> dict[str, str]:
    """Return the versions of the installed distributions.

    The two lines are looked for by themselves: Python's own parser reads whole descriptions, half a
    second of them. A distribution that was removed by half has no name, and is left out.
    """
    found = {}
    for distribution in metadata.distributions():
        text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
        head = text.partition("\n\n")[0]
        name, version = (pattern.search(head) for pattern in (_NAME, _VERSION))
        if name and version:
            found[name[1]] = version[1]
    return dict(sorted(found.items()))


def _processor() -> str:
    """Return the processor's name; ``platform.processor()`` is empty on many Linux systems."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")),
        platform.machine(),
    )


def _gpus() -> list[str]:
    # A process that has not imported torch trains nothing itself, and need not wait seconds for it.
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return []
    return [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
