"""What the commands that read a store are given: follow a study, and say what came of it.

The docstrings of the functions here are the help that people read, without ``Args:``, which Typer
would print as it stands.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.completion import complete_study, complete_study_or_file
from harness.cli.flags import DEFAULT_REPORTS, ReportFolder, StoreUri

FinishedStudy = Annotated[
    str,
    typer.Argument(
        help="Name of a study that has been run.",
        show_default=False,
        autocompletion=complete_study,
    ),
]


def status_command(
    study: Annotated[
        str | None,
        typer.Argument(
            help="Name of a study; all of them by default.",
            show_default=False,
            autocompletion=complete_study,
        ),
    ] = None,
    store: StoreUri = None,
) -> None:
    """Show what the store has of each study, or of each arm of one."""
    from harness.cli.inspect import show_arms, show_studies

    if study is None:
        show_studies(store)
    else:
        show_arms(study, store)


def watch_command(
    study: Annotated[
        str,
        typer.Argument(
            help="Name of a study that is running, or is about to.",
            show_default=False,
            autocompletion=complete_study,
        ),
    ],
    terminal: Annotated[
        bool, typer.Option("--terminal", help="A table in the terminal instead of a page.")
    ] = False,
    store: StoreUri = None,
    port: Annotated[
        int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.", min=0, max=65535)
    ] = 5050,
) -> None:
    """Follow a running study in the browser, on this machine only, or in the terminal."""
    from harness.cli.watch import watch_page, watch_terminal

    if terminal:
        watch_terminal(study, store)
    else:
        watch_page(study, store, port)


def report_command(
    studies: Annotated[
        list[str],
        typer.Argument(
            help="Names of studies that have been run, or their specs.",
            show_default=False,
            autocompletion=complete_study_or_file,
        ),
    ],
    compare: Annotated[
        bool, typer.Option("--compare", help="One page with the studies side by side.")
    ] = False,
    published: Annotated[
        bool,
        typer.Option(
            "--published",
            help="Pages for publishing together: plotly.js lies once in the folder, which makes "
            "each page 2 MB smaller. Without it a report is one file, to be kept or sent alone.",
        ),
    ] = False,
    store: StoreUri = None,
    reports: ReportFolder = DEFAULT_REPORTS,
) -> None:
    """Write studies' reports again, from the store alone, or one page that compares them."""
    from harness.cli.report import write_reports, write_side_by_side

    if compare:
        write_side_by_side(studies, store, reports, published)
    else:
        write_reports(studies, store, reports, published)


def audit_command(study: FinishedStudy, store: StoreUri = None) -> None:
    """Say what could have biased a study: budgets, seeds, censoring, timings, leaks, …"""
    from harness.cli.verdicts import show_audit

    show_audit(study, store)


def verdicts_command(
    studies: Annotated[
        list[str] | None,
        typer.Argument(
            help="Names of studies, or their specs; all finished ones by default.",
            show_default=False,
            autocompletion=complete_study_or_file,
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Markdown file to write; printed by default.")
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option(
            help="Page to put the table into, between its lines <!-- verdicts --> and its end."
        ),
    ] = None,
    store: StoreUri = None,
) -> None:
    """Print the verdicts on all claims of some studies as one Markdown table."""
    from harness.cli.verdicts import write_verdicts

    write_verdicts(studies or (), out, into, store)


def ui_command(
    store: StoreUri = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.", min=1, max=65535)] = 5000,
) -> None:
    """Open MLflow's UI on the store, on this machine only."""
    from harness.cli.ui import serve_ui

    serve_ui(store, port)
