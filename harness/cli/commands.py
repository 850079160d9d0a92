"""What each command takes; the work is imported when it is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

if TYPE_CHECKING:
    from harness.spec.study import Study

app = typer.Typer(
    rich_markup_mode=None,  # rich takes longer to import than the rest together
    name="harness",
    help="Compare optimizers, batch sizes and regularizers: fairly tuned, over fresh seeds, with intervals and verdicts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Spec = Annotated[
    Path, typer.Argument(help="A study: .py, .yaml or .json.", metavar="SPEC", show_default=False)
]
Quick = Annotated[
    bool, typer.Option("--quick", help="The study's quick form, kept apart as NAME-quick.")
]
Trials = Annotated[int | None, typer.Option(help="Trials of each arm.", min=1)]
Seeds = Annotated[int | None, typer.Option(help="Number of confirm seeds.", min=1)]
Device = Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N.")]
Change = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="Replace a field, such as recipe.epochs=20. Repeatable.",
        metavar="FIELD=VALUE",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        help="Worker processes; 0 trains in this process. [default: one a core or GPU]", min=0
    ),
]
CohortSize = Annotated[
    int | None,
    typer.Option(
        "--cohort",
        help="Runs trained together at most. [default: as size and machine allow]",
        min=1,
    ),
]
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Train everything anew, whatever is recorded.")
]
Storage = Annotated[
    str | None,
    typer.Option(
        help="Optuna's storage: a journal file or a database URL. [default: HARNESS_STORAGE, or optuna.journal]"
    ),
]
Store = Annotated[
    str | None,
    typer.Option(
        "--store", help="MLflow tracking URI. [default: MLFLOW_TRACKING_URI, or mlflow.db here]"
    ),
]
Reports = Annotated[Path, typer.Option("--reports", help="Folder that reports are written to.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the plan and train nothing.")]


class Flags(NamedTuple):
    """The flags that change a study or how it is executed."""

    quick: bool = False
    trials: int | None = None
    seeds: int | None = None
    device: str | None = None
    changes: tuple[str, ...] = ()
    workers: int | None = None
    cohort: int | None = None
    fresh: bool = False
    storage: str | None = None
    store: str | None = None
    reports: Path = Path("reports")
    dry_run: bool = False


@app.command()
def run(
    spec: Spec,
    quick: Quick = False,
    trials: Trials = None,
    seeds: Seeds = None,
    workers: Workers = None,
    device: Device = None,
    change: Change = None,
    cohort: CohortSize = None,
    fresh: Fresh = False,
    storage: Storage = None,
    store: Store = None,
    reports: Reports = Path("reports"),
    dry_run: DryRun = False,
) -> None:
    """Run a study, or what is left of it, and write its report."""
    from harness.cli.run import run_and_report
    from harness.spec.files import load_study

    flags = Flags(
        quick,
        trials,
        seeds,
        device,
        tuple(change or ()),
        workers,
        cohort,
        fresh,
        storage,
        store,
        reports,
        dry_run,
    )
    run_and_report(load_study(spec), flags)


def script_app(study: Study) -> Any:
    """Return the command of a study's own script."""
    script = typer.Typer(
        rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False
    )

    @script.command(help=study.question or f"Run the study {study.name}.")
    def run_script(
        quick: Quick = False,
        trials: Trials = None,
        seeds: Seeds = None,
        workers: Workers = None,
        device: Device = None,
        change: Change = None,
        cohort: CohortSize = None,
        fresh: Fresh = False,
        storage: Storage = None,
        store: Store = None,
        reports: Reports = Path("reports"),
        dry_run: DryRun = False,
    ) -> None:
        from harness.cli.run import run_and_report

        flags = Flags(
            quick,
            trials,
            seeds,
            device,
            tuple(change or ()),
            workers,
            cohort,
            fresh,
            storage,
            store,
            reports,
            dry_run,
        )
        run_and_report(study, flags)

    return script


@app.command()
def plan(
    spec: Spec,
    quick: Quick = False,
    trials: Trials = None,
    seeds: Seeds = None,
    workers: Workers = None,
    device: Device = None,
    change: Change = None,
    cohort: CohortSize = None,
) -> None:
    """Show a study's arms, runs, paths and time; train nothing."""
    from harness.cli.run import run_and_report
    from harness.spec.files import load_study

    run_and_report(
        load_study(spec),
        Flags(quick, trials, seeds, device, tuple(change or ()), workers, cohort, dry_run=True),
    )


@app.command()
def status(
    study: Annotated[
        str | None,
        typer.Argument(help="Name of a study; all of them by default.", show_default=False),
    ] = None,
    store: Store = None,
) -> None:
    """Show what the store has of each study, or of each arm of one."""
    from harness.cli.inspect import show_status

    show_status(study, store)


@app.command()
def report(
    studies: Annotated[
        list[str], typer.Argument(help="Names of studies that have been run.", show_default=False)
    ],
    compare: Annotated[
        bool, typer.Option("--compare", help="One page with the studies side by side.")
    ] = False,
    store: Store = None,
    reports: Reports = Path("reports"),
) -> None:
    """Write studies' reports again, from the store alone, or one page that compares them."""
    from harness.cli.run import write, write_side_by_side

    if compare:
        print(f"report: {write_side_by_side(studies, store, reports)}")
        return
    for study in studies:
        print(f"report: {write(study, store, reports)}")


@app.command()
def watch(
    study: Annotated[
        str, typer.Argument(help="Name of a study that is running.", show_default=False)
    ],
    terminal: Annotated[
        bool, typer.Option("--terminal", help="A table in the terminal instead of a page.")
    ] = False,
    store: Store = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 5050,
) -> None:
    """Follow a running study in the browser, on this machine only, or in the terminal."""
    from harness.cli.watch import watch_page, watch_terminal

    if terminal:
        watch_terminal(study, store)
    else:
        watch_page(study, store, port)


@app.command()
def reproduce(
    run_id: Annotated[
        str,
        typer.Argument(
            help="MLflow's id of a run; the report's table has them.", show_default=False
        ),
    ],
    store: Store = None,
) -> None:
    """Train a recorded run again from MLflow alone and compare every point; exit status 1 if it differs."""
    from harness.cli.verdicts import show_reproduced

    show_reproduced(run_id, store)


@app.command()
def audit(
    study: Annotated[
        str, typer.Argument(help="Name of a study that has been run.", show_default=False)
    ],
    store: Store = None,
) -> None:
    """Say what could have biased a study: budgets, spaces, seeds, censoring, pruning, timings, leaks."""
    from harness.cli.verdicts import show_audit

    show_audit(study, store)


@app.command()
def verdicts(
    studies: Annotated[
        list[str] | None,
        typer.Argument(
            help="Names of studies, or their specs; all finished ones by default.",
            show_default=False,
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
    store: Store = None,
) -> None:
    """Print the verdicts on all claims of some studies as one Markdown table."""
    from harness.cli.verdicts import write_verdicts

    write_verdicts(studies or (), out, into, store)


@app.command()
def train(
    spec: Spec,
    arm: Annotated[
        str | None, typer.Option(help="Arm to train; the study's own recipe by default.")
    ] = None,
    seeds: Annotated[int, typer.Option(help="Number of seeds.", min=1)] = 1,
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Replace a field of the recipe, such as optimizer.lr=0.1. Repeatable.",
            metavar="FIELD=VALUE",
        ),
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the curves to this file.")] = None,
) -> None:
    """Train one recipe, record nothing, print the closing values."""
    from harness.cli.run import train_recipe
    from harness.spec.files import load_study

    train_recipe(load_study(spec), arm, seeds, tuple(change or ()), csv)


@app.command()
def ui(
    store: Store = None, port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 5000
) -> None:
    """Open MLflow's UI on the store, on this machine only."""
    from harness.cli.inspect import serve_ui

    serve_ui(store, port)


@app.command("list")
def list_(
    kind: Annotated[
        str | None,
        typer.Argument(
            help="optimizer, model, data, loss, regularizer, schedule, probe or init.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """List what specs can name, with parameters and defaults."""
    from harness.cli.inspect import show_components

    show_components(kind)


@app.command()
def new(
    path: Annotated[Path, typer.Argument(help="File to write: .py or .yaml.", show_default=False)],
) -> None:
    """Write a commented spec to start from."""
    from harness.cli.new import write_new

    write_new(path)


@app.command()
def schema() -> None:
    """Print the JSON schema of a study, for editors that check YAML."""
    from harness.spec.files import schema as text

    print(text())


@app.command()
def doctor() -> None:
    """Check packages, devices, data and store; say what to mend."""
    from harness.cli.new import examine

    examine()
