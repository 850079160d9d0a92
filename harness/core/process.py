"""Settings of the processes that the harness starts itself: workers and commands.

A process that only imports the harness is left as it is.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress

REPRODUCIBLE_MKL = ("MKL_CBWR", "AUTO,STRICT")
"""An environment variable of MKL, and the value that makes its matrix products reproducible.

By default the last bits of MKL's products depend on the alignment of its matrices in memory, and so
on which other runs share a run's cohort. MKL reads the variable before its first product, so that a
process which has computed one already is not changed. A notebook that trains in its own process can
set it before it imports torch.
"""


def kill_children(process: int) -> None:
    """Kill all that a process has started, and that is still under it."""
    import psutil

    with suppress(psutil.Error):
        for child in psutil.Process(process).children(recursive=True):
            with suppress(psutil.Error):
                child.kill()


def python_call(function: str, *arguments: str) -> tuple[str, ...]:
    """Return the command line of a process that calls a function, and finds a user's own modules
    where this process finds them.

    Args:
        function: its module and name, as ``package.module.function``; it is not imported here.
        arguments: what it finds in ``sys.argv``.
    """
    module, _, name = function.rpartition(".")
    code = (
        "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); "
        f"from {module} import {name} as call; call()"
    )
    return (sys.executable, "-c", code, json.dumps(sys.path), *arguments)
