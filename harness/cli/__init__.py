"""The command line: ``harness``, ``python -m harness``, and the flags of a study's own script.

The commands are listed in :mod:`harness.cli.commands`; the ``*_commands`` files declare their
options, :mod:`harness.cli.flags` those that several share; the other files do the work. They print
to people and end with an exit status: 0 for success, 1 for a check that failed, 2 for a mistake of
the user's, 130 for a study that Ctrl-C stopped. Whatever a notebook may want as well belongs in a
room below.

Nothing heavy is imported here, so that ``harness --help`` answers at once.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.spec.study import Study


def main() -> None:
    """Run the command line."""
    _guard(_command)


def study_main(study: Study) -> None:
    """Run a study's script, which takes the flags of ``harness run``, or a notebook's cell.

    Args:
        study: what the script declares; ``Study.main`` comes here.
    """
    from harness.protocol.notebook_progress import in_notebook

    if in_notebook():
        return _run_in_notebook(study)
    _guard(partial(_script, study))


def _command() -> None:
    if sys.argv[1:2] == ["run"]:
        _start_ahead()
    from harness.cli.commands import app

    app(prog_name="harness")  # also where Python was told -m harness


def _script(study: Study) -> None:
    _start_ahead()
    from harness.cli.study_commands import script_app

    script_app(study)()


def _start_ahead() -> None:
    """Let workers begin to start, unless nothing is going to be trained."""
    from harness.execution.forked import start_ahead

    words = " ".join(sys.argv).replace("=", " ")
    if not any(word in words for word in (" -h", " --help", " --dry-run", " --workers 0")):
        start_ahead()


def _run_in_notebook(study: Study) -> None:
    """Run a study and print its answer; the command line is the kernel's, which stays alive."""
    from harness.cli.flags import Flags
    from harness.cli.run import run_and_report
    from harness.core.errors import HarnessError

    try:
        run_and_report(study, Flags())
    except HarnessError as error:
        print(f"error: {error}", file=sys.stderr)


def _guard(command: Callable[[], object]) -> None:
    """Call a command; a user's mistake ends in a message and not in a traceback."""
    from harness.core.errors import HarnessError
    from harness.core.plain_text import let_streams_degrade, with_copyable_paths
    from harness.core.process import REPRODUCIBLE_MKL

    # With --workers 0 this process trains; workers get the same setting where they are started.
    os.environ.setdefault(*REPRODUCIBLE_MKL)
    signal.signal(signal.SIGTERM, _interrupt)
    let_streams_degrade()
    try:
        command()
    except HarnessError as error:
        print(f"error: {with_copyable_paths(str(error))}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        # The reader of a pipe has left, as `head` does: nobody is there to be told. With stderr
        # closed, Python can't complain either when it flushes stdout at its end.
        sys.stderr.close()
    except Exception as error:
        from harness.cli.failures import in_a_sentence, known_store
        from harness.tracking.uris import hide_in_error

        if said := in_a_sentence(error):
            print(f"error: {with_copyable_paths(said)}", file=sys.stderr)
            sys.exit(2)
        hide_in_error(error, known_store(), *sys.argv)
        raise


def _interrupt(*_: object) -> None:
    # as Ctrl-C does, so that a stopped container ends its study as a person would
    raise KeyboardInterrupt
