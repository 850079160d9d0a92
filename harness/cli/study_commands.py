"""What the commands that take a study's spec are given: run, plan, train, and its own script.

The docstrings of the functions here are the help that people read, without ``Args:``, which Typer
would print as it stands.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.bad_values import FlagsInWords
from harness.cli.flags import OF_A_PLAN, Changes, Flags, StoreUri, takes_flags
from harness.core.importing import importing

if TYPE_CHECKING:
    from harness.spec.study import Study

SpecFile = Annotated[
    Path, typer.Argument(help="A study: .py, .yaml or .json.", metavar="SPEC", show_default=False)
]


@takes_flags()
def run_command(spec: SpecFile, flags: Flags) -> None:
    """Run a study, or what is left of it, and write its report."""
    with importing():
        from harness.cli.run import run_and_report
        from harness.spec.files import load_study

    run_and_report(load_study(spec), flags)


def script_app(study: Study) -> typer.Typer:
    """Return the command line of a study's own script: the flags of ``harness run``."""
    script = typer.Typer(
        rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False
    )

    @script.command(cls=FlagsInWords, help=study.question or f"Run the study {study.name}.")
    @takes_flags()
    def run_script(flags: Flags) -> None:
        from harness.cli.run import run_and_report

        run_and_report(study, flags)

    return script


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
