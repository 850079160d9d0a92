"""The commands: ``harness`` and ``python -m harness``, and the flags of a study's own script."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.spec.study import Study


def main() -> None:
    """Run the command line."""
    from harness.cli.commands import app

    guarded(app)


def study_main(study: Study) -> None:
    """Run a study's script: the same flags as ``harness run``, and ``--dry-run``."""
    from harness.cli.commands import script_app

    guarded(script_app(study))


def guarded(command: Callable[[], Any]) -> None:
    """Call a command; a user's mistake ends in a message, not in a traceback; SIGTERM counts as Ctrl-C."""
    from harness.core.errors import HarnessError
    from harness.core.process import REPRODUCIBLE_MKL

    os.environ.setdefault(*REPRODUCIBLE_MKL)  # for --workers 0, which trains in this process
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        command()
    except HarnessError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
