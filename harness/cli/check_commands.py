"""What the commands that check are given: reproduce a run, verify a report, examine the machine.

The docstrings of the functions here are the help that people read, without ``Args:``, which Typer
would print as it stands.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.flags import StoreUri


def reproduce_command(
    run_id: Annotated[
        str,
        typer.Argument(
            help="MLflow's id of a run; the report's table has them.", show_default=False
        ),
    ],
    store: StoreUri = None,
    trust: Annotated[
        bool,
        typer.Option("--trust", help="Run recorded code that is not the same in this folder."),
    ] = False,
) -> None:
    """Train a recorded run again from MLflow alone; exit status 1 if a point differs."""
    from harness.cli.verdicts import show_reproduced

    show_reproduced(run_id, store, trust)


def verify_command(
    page: Annotated[
        Path | None,
        typer.Argument(
            help="A report: its study is run again here, and verdicts and numbers are compared.",
            show_default=False,
        ),
    ] = None,
    archive: Annotated[
        Path | None,
        typer.Option(
            help="The report's study as 'harness export' wrote it: its runs are not trained again.",
            show_default=False,
        ),
    ] = None,
    trust: Annotated[
        bool,
        typer.Option("--trust", help="Run recorded code that is not the same in this folder."),
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(help="Worker processes, of a report.", min=0, max=1024, show_default=False),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(
            help="Only the rows of a group, such as mnist1d or edge, or those whose names have "
            "this text.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Page to write. [default: verification.html in reports]", show_default=False
        ),
    ] = None,
) -> None:
    """Run a report's study again and compare; without one measure numbers that others published or
    mathematics fixes. Exit status 1 if something differs."""
    if page is not None:
        from harness.cli.verify_page import verify_page

        return verify_page(page, archive, trust, workers)
    from harness.cli.verify import verify

    verify(only, out)


def kernels_command(
    drop: Annotated[
        bool, typer.Option("--remove", help="Let this machine have none again.")
    ] = False,
) -> None:
    """Compile the inner loops for this machine, once: MLPs, CNNs, GPTs and Adam become faster."""
    from harness.core.kernels import build, remove

    if drop:
        remove()
        print("this machine has no kernels")
        return
    print(f"studies that begin from now on use {build()}")


def doctor_command() -> None:
    """Check packages, devices, data and store; say what to mend."""
    from harness.cli.doctor import examine_machine

    examine_machine()
