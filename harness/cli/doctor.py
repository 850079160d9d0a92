"""``doctor``: whether this machine has what studies need, and what to mend if not.

Each check imports what it looks at, so that what is broken does not keep the others from being
made.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import metadata

from harness.core.errors import HarnessError
from harness.core.paths import wished_cache

SHOWN_PACKAGES = ("torch", "mlflow", "optuna", "pandas", "plotly")
GIBIBYTE = 2**30
LEAST_GIBIBYTES_FREE = 1
"""A study's store and reports are far smaller; below this a disk is about to be full."""


def examine_machine() -> None:
    """Print one line a check; end with status 1 if something must be mended."""
    failures = 0
    for name, check in _CHECKS.items():
        # what else a check raises is a mistake of the harness's, and keeps its traceback
        try:
            print(f"ok    {name}: {check()}")
        except (HarnessError, OSError, ImportError, ValueError) as error:
            failures += 1
            print(f"mend  {name}: {error}")
    for line in _notes():
        print(f"note  {line}")
    if failures:
        sys.exit(1)


def _python() -> str:
    return sys.version.split()[0]


def _packages() -> str:
    return ", ".join(f"{name} {metadata.version(name)}" for name in SHOWN_PACKAGES)


def _devices() -> str:
    import torch

    if torch.cuda.is_available():
        return ", ".join(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count()))
    return "no GPU; training on the CPU"


def _workers() -> str:
    from harness.execution.local import default_workers

    return f"{default_workers()} by default"


def _kernels() -> str:
    from harness.core.kernels import version

    name = version()
    return (
        "none; harness kernels makes MLPs, CNNs, GPTs and Adam faster" if name == "none" else name
    )


def _cache() -> str:
    # a file of its own, since permissions alone do not tell of a read-only file system
    folder = wished_cache()
    with tempfile.TemporaryFile(dir=folder):
        return str(folder)


def _data() -> str:
    # two data sets that need no network; loading them shows that the readers work
    from harness.data.base import Data, fingerprint

    names = ("mnist1d", "digits")
    return ", ".join(f"{name} {fingerprint(Data.parse(name))[:12]}" for name in names)


def _store() -> str:
    from harness.tracking import default_uri, hide_password
    from harness.tracking.uris import sqlite_path

    uri = default_uri()
    path = sqlite_path(uri)
    if path is not None:
        folder = path.absolute().parent
        if not os.access(folder, os.W_OK):
            raise HarnessError(
                f"can't write in {folder}; go to another folder, or set MLFLOW_TRACKING_URI"
            )
    return hide_password(uri)


def _disk() -> str:
    free = shutil.disk_usage(".").free / GIBIBYTE
    if free < LEAST_GIBIBYTES_FREE:
        raise HarnessError(
            f"{free:.1f} GiB free here; expected at least {LEAST_GIBIBYTES_FREE} GiB"
        )
    return f"{free:.0f} GiB free"


# Each returns what it found, or raises an error that says what to mend.
_CHECKS: dict[str, Callable[[], str]] = {
    "python": _python,
    "packages": _packages,
    "device": _devices,
    "workers": _workers,
    "kernels": _kernels,
    "cache": _cache,
    "data": _data,
    "store": _store,
    "disk": _disk,
}


def _notes() -> Iterator[str]:
    """Yield what is good to know and does not fail the check: a data set that must be fetched
    first, and a busy machine."""
    from harness.data.base import Data, load_data

    try:
        load_data(Data.parse("FashionMNIST"))
    except (HarnessError, OSError) as error:
        yield f"Fashion-MNIST: {error}"
    if hasattr(os, "getloadavg") and os.getloadavg()[0] > (os.cpu_count() or 1):
        yield f"the machine is busy (load {os.getloadavg()[0]:.1f}); timings will not be true"
