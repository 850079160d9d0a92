"""What each command takes and says of itself.

What a command does is imported when it is asked for, so that ``--help`` is quick.

The docstrings of the functions here are the help that people read: they say what a command does for
its user, without ``Args:``, which Typer would print as it stands.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.completion import complete_kind, complete_study, complete_study_or_file
from harness.cli.flags import (
    DEFAULT_REPORTS,
    OF_A_PLAN,
    Changes,
    Flags,
    ReportFolder,
    StoreUri,
    takes_flags,
)
from harness.cli.import_flags import (
    ImportClaims,
    ImportColumns,
    ImportKind,
    ImportLarger,
    ImportMetric,
    ImportMetrics,
    ImportName,
    ImportQuestion,
    ImportSmaller,
    ImportUri,
    ImportWhere,
)

if TYPE_CHECKING:
    from harness.spec.study import Study

app = typer.Typer(
    rich_markup_mode=None,  # rich takes longer to import than the rest together
    name="harness",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # mistakes end in a message; see harness.cli
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        from harness import __version__

        print(f"harness {__version__}")
        raise typer.Exit


@app.callback()
def main_options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Compare optimizers, batch sizes and regularizers: fairly tuned, over fresh seeds, with
    intervals and verdicts."""


SpecFile = Annotated[
    Path, typer.Argument(help="A study: .py, .yaml or .json.", metavar="SPEC", show_default=False)
]
FinishedStudy = Annotated[
    str,
    typer.Argument(
        help="Name of a study that has been run.",
        show_default=False,
        autocompletion=complete_study,
    ),
]


@app.command("run")
@takes_flags()
def run_command(spec: SpecFile, flags: Flags) -> None:
    """Run a study, or what is left of it, and write its report."""
    from harness.cli.run import run_and_report
    from harness.spec.files import load_study

    run_and_report(load_study(spec), flags)


@app.command("plan")
@takes_flags(OF_A_PLAN)
def plan_command(
    spec: SpecFile,
    flags: Flags,
    detect: Annotated[
        float | None,
        typer.Option(
            help="Also show the searches and seeds that find a difference of this size between "
            "two arms with 80 %, in the unit of the study's metric."
        ),
    ] = None,
    spread: Annotated[
        tuple[float, float] | None,
        typer.Option(
            help="Standard deviations of paired differences, by search and by seed. "
            "[default: those of the stored study]",
            metavar="SEARCH SEED",
        ),
    ] = None,
    store: StoreUri = None,
) -> None:
    """Show a study's arms, runs, paths and time; train nothing."""
    from harness.cli.detect import Detect
    from harness.cli.plan import show_plan
    from harness.core.errors import SpecError
    from harness.spec.files import load_study

    if spread is not None and detect is None:
        raise SpecError("--spread: expected with --detect, the difference that is to be found")
    show_plan(
        load_study(spec), flags, Detect(detect, spread, store) if detect is not None else None
    )


def script_app(study: Study) -> typer.Typer:
    """Return the command line of a study's own script: the flags of ``harness run``."""
    script = typer.Typer(
        rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False
    )

    @script.command(help=study.question or f"Run the study {study.name}.")
    @takes_flags()
    def run_script(flags: Flags) -> None:
        from harness.cli.run import run_and_report

        run_and_report(study, flags)

    return script


@app.command("status")
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


@app.command("report")
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


@app.command("export")
def export_command(
    study: FinishedStudy,
    to: Annotated[
        Path | None, typer.Option(help="File to write. [default: STUDY.zip]", show_default=False)
    ] = None,
    store: StoreUri = None,
) -> None:
    """Write a study into one file, which 'harness import' records in another store."""
    from harness.cli.archive import export_study

    export_study(study, to, store)


@app.command("import")
def import_command(
    source: ImportWhere,
    kind: ImportKind = "table",
    name: ImportName = None,
    question: ImportQuestion = "",
    claims: ImportClaims = None,
    metric: ImportMetric = None,
    columns: ImportColumns = None,
    metrics: ImportMetrics = None,
    larger: ImportLarger = None,
    smaller: ImportSmaller = None,
    uri: ImportUri = None,
    store: StoreUri = None,
    reports: ReportFolder = DEFAULT_REPORTS,
) -> None:
    """Record a study that was exported, or judge runs that were trained elsewhere; write its
    report."""
    from harness.cli.imports import Source, import_runs
    from harness.tracking.archive.file import looks_like_archive

    if looks_like_archive(Path(source)):
        from harness.cli.archive import import_archive

        return import_archive(Path(source), store, reports)
    asked = Source(
        source,
        kind,
        name,
        question,
        claims or (),
        metric,
        columns or (),
        metrics,
        uri,
        larger or (),
        smaller or (),
    )
    import_runs(asked, store, reports)


@app.command("watch")
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


@app.command("reproduce")
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


@app.command("audit")
def audit_command(study: FinishedStudy, store: StoreUri = None) -> None:
    """Say what could have biased a study: budgets, seeds, censoring, timings, leaks, …"""
    from harness.cli.verdicts import show_audit

    show_audit(study, store)


@app.command("verdicts")
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


@app.command("verify")
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
            help="Only the rows of a group (mnist1d, deepobs, edge, quadratics, equivalences, "
            "noise, statistics, vanishing), or those whose names have this text.",
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


@app.command("train")
def train_command(
    spec: SpecFile,
    arm: Annotated[
        str | None, typer.Option(help="Arm to train; the study's own recipe by default.")
    ] = None,
    seeds: Annotated[int, typer.Option(help="Number of seeds.", min=1, max=10_000)] = 1,
    changes: Changes = None,
    csv: Annotated[Path | None, typer.Option(help="Write the curves to this file.")] = None,
    test: Annotated[
        bool, typer.Option("--test", help="Evaluate the test data too, which is said.")
    ] = False,
) -> None:
    """Train one recipe, record nothing, print the closing values; test data are left alone."""
    from harness.cli.train import train_recipe
    from harness.spec.files import load_study

    train_recipe(load_study(spec), arm, seeds, changes or (), csv, test)


@app.command("ui")
def ui_command(
    store: StoreUri = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.", min=1, max=65535)] = 5000,
) -> None:
    """Open MLflow's UI on the store, on this machine only."""
    from harness.cli.ui import serve_ui

    serve_ui(store, port)


@app.command("list")
def list_command(
    kind: Annotated[
        str | None,
        typer.Argument(
            help="average, claim, data, init, loss, metric, model, optimizer, probe, "
            "regularizer, schedule or trainer.",
            show_default=False,
            autocompletion=complete_kind,
        ),
    ] = None,
) -> None:
    """List what specs can name, with parameters and defaults."""
    from harness.cli.inspect import show_components

    show_components(kind)


@app.command("new")
def new_command(
    path: Annotated[Path, typer.Argument(help="File to write: .py or .yaml.", show_default=False)],
) -> None:
    """Write a commented spec to start from."""
    from harness.cli.new import write_new_study

    write_new_study(path)


@app.command("schema")
def schema_command() -> None:
    """Print the JSON schema of a study, for editors that check YAML."""
    from harness.spec.files import json_schema

    print(json_schema())


@app.command("doctor")
def doctor_command() -> None:
    """Check packages, devices, data and store; say what to mend."""
    from harness.cli.doctor import examine_machine

    examine_machine()
