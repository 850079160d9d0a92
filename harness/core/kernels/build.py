"""Compiling the kernels for this machine, and finding what was compiled.

They lie in the cache under a name that their source, the compiler's options and the processor make:
another version of any of them is another file, and a home that several machines share has one each.
"""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import subprocess
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from harness.core.errors import HarnessError
from harness.core.paths import cache_folder
from harness.core.temporary import temporary_folder

SOURCE = Path(__file__).with_name("network.cpp")
# without -fno-math-errno a square root is a call for each number
OPTIONS = ("-std=c++17", "-O3", "-march=native", "-fno-math-errno", "-shared", "-fPIC")
COMPILERS = ("g++", "c++")
"""Where ``$CXX`` names none."""
CHOICE = "HARNESS_KERNELS"
"""An environment variable that keeps a study's workers to what its driver began with, whatever is
compiled or removed meanwhile: the kernels' name, or "none", which users may set too."""


def library() -> ctypes.CDLL | None:
    """Return the compiled kernels; None where this machine has none, or others were chosen.

    They are looked for once, so that all runs of a process are computed in one form, unless
    :data:`CHOICE` is set to another: a study's own file may do so.

    Raises:
        HarnessError: those that were chosen are gone.
    """
    return _library(os.environ.get(CHOICE))


@lru_cache(maxsize=1)
def _library(chosen: str | None) -> ctypes.CDLL | None:
    place = _place()
    if chosen not in {None, _name()}:
        return None
    if place.exists():
        return ctypes.CDLL(str(place))
    if chosen is not None:
        raise HarnessError(
            f"kernels: expected {place}, with which this study began, found none; make them again"
            " by `harness kernels`, or start the study again to go on without"
        )
    return None


def look_again() -> None:
    """Have this process look for the kernels when it needs them next."""
    _library.cache_clear()


def version() -> str:
    """Return what tells these kernels' numbers from others': their name, or "none"."""
    return "none" if library() is None else _name()


def build() -> Path:
    """Compile the kernels for this machine, unless it has them, and return where they are.

    Raises:
        HarnessError: there is no compiler, or it can't compile them; everything trains without.
    """
    place = _place()
    if place.exists():
        return place
    wished = filter(None, (os.environ.get("CXX"), *COMPILERS))
    compiler = next(filter(shutil.which, wished), None)
    if compiler is None:
        raise HarnessError(
            "kernels: expected a C++ compiler ($CXX, g++ or c++), found none; install one (such as"
            " Debian's package g++), or go on without: nothing needs the kernels"
        )
    place.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder("kernels", place.parent) as folder:
        made = Path(folder, place.name)
        command = [compiler, *OPTIONS, str(SOURCE), "-o", str(made)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            said = next((line for line in done.stderr.splitlines() if "error" in line), "")
            raise HarnessError(
                f"kernels: {compiler} can't compile them ({said.strip()}); expected GCC 9 or newer:"
                " set CXX to it, or go on without: nothing needs the kernels"
            )
        # whole or not there, whoever else compiles or looks at this moment
        made.replace(place)
    look_again()
    return place


def remove() -> None:
    """Let this machine have no kernels; processes that have begun keep theirs."""
    _place().unlink(missing_ok=True)
    look_again()


def _place() -> Path:
    return cache_folder() / "kernels" / f"{_name()}.so"


@lru_cache(maxsize=1)
def _name() -> str:
    """Return a name of source, options and processor."""
    headers = sorted(SOURCE.parent.glob("*.h"))
    sources = (source.read_bytes() for source in (SOURCE, *headers))
    parts = [*sources, " ".join(OPTIONS).encode(), _instructions().encode()]
    return "kernels-" + sha256(b"\0".join(parts)).hexdigest()[:16]


def _instructions() -> str:
    """Return what tells processors apart that the same compiled code may not run on."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            # x86's name, and ARM's
            flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    except OSError:  # no Linux
        flags = ""
    return f"{platform.system()} {platform.machine()} {flags}"
