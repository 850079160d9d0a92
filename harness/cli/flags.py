"""The flags that ``harness run``, ``harness plan`` and a study's own script share.

They are declared once, as the fields of :class:`Flags`, and reach a command as one argument.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_type_hints

import typer

DEFAULT_REPORTS = Path("reports")
"""Folder that reports are written to."""

Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="Replace a field of the recipe or study, such as epochs=20 or search.trials=8. "
        "Repeatable.",
        metavar="FIELD=VALUE",
    ),
]
StoreUri = Annotated[
    str | None,
    typer.Option(
        "--store", help="MLflow tracking URI. [default: MLFLOW_TRACKING_URI, or mlflow.db here]"
    ),
]
ReportFolder = Annotated[
    Path, typer.Option("--reports", help="Folder that reports are written to.")
]


class Flags(NamedTuple):
    """What changes a study, or how it is executed; each annotation is an option."""

    quick: Annotated[
        bool,
        typer.Option(
            "--quick", help="A first look: effects, no verdicts; kept apart as NAME-quick."
        ),
    ] = False
    trials: Annotated[
        int | None, typer.Option(help="Trials of each arm in each search.", min=1)
    ] = None
    searches: Annotated[
        int | None, typer.Option(help="Independent searches of each arm.", min=1)
    ] = None
    seeds: Annotated[
        int | None, typer.Option(help="Number of confirm seeds of each search.", min=1)
    ] = None
    workers: Annotated[
        int | None,
        typer.Option(
            help="Worker processes; 0 trains in this process. [default: one a core or GPU]",
            min=0,
            max=1024,
        ),
    ] = None
    executor: Annotated[
        str | None, typer.Option(help="Where cohorts are trained instead of here: dask.")
    ] = None
    scheduler: Annotated[
        str | None,
        typer.Option(help="Address of the Dask cluster's scheduler, such as tcp://10.0.0.1:8786."),
    ] = None
    resources: Annotated[
        list[str] | None,
        typer.Option(
            help="What a cohort takes of a worker on the cluster, such as GPU=1. Repeatable.",
            metavar="NAME=NUMBER",
        ),
    ] = None
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N.")] = None
    changes: Changes = None
    cohort: Annotated[
        int | None,
        typer.Option(
            help="Runs trained together at most. [default: as size and machine allow]", min=1
        ),
    ] = None
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Train everything anew, whatever is recorded.")
    ] = False
    take_over: Annotated[
        bool,
        typer.Option(
            "--take-over",
            help="Go on with a study that another machine is running, which stops there.",
        ),
    ] = False
    join: Annotated[
        bool,
        typer.Option(
            "--join",
            help="Share the study with others that run it with --join, on any machine with the "
            "same store.",
        ),
    ] = False
    storage: Annotated[
        str | None,
        typer.Option(
            help="Optuna's storage: a journal file or a database URL. "
            "[default: HARNESS_STORAGE, or optuna.journal]"
        ),
    ] = None
    store: StoreUri = None
    reports: ReportFolder = DEFAULT_REPORTS
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and train nothing.")] = (
        False
    )


OF_A_PLAN = ("quick", "trials", "searches", "seeds", "workers", "device", "changes", "cohort")
"""The flags that change what a plan says; the others are of runs, stores and reports."""


def takes_flags(
    names: Sequence[str] = Flags._fields,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that turns a command's parameter ``flags`` into options.

    Typer reads a command's options from its signature: the decorated command has one that lists the
    flags, each with its annotation and default in :class:`Flags`.

    Args:
        names: the flags that the command has; the others keep their defaults.

    Returns:
        The decorator. The function that it returns takes the command's own parameters and one for
        each flag, and calls the command with ``flags``.
    """
    # with extras, or the typer.Option of each Annotated type would be lost
    annotations = get_type_hints(Flags, include_extras=True)
    options = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=Flags._field_defaults[name],
            annotation=annotations[name],
        )
        for name in names
    ]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        def with_options(**given: Any) -> None:
            flags = Flags(**{name: given.pop(name) for name in names})
            command(**given, flags=flags)

        # evaluated, since the annotations of the command's module are texts
        parameters = inspect.signature(command, eval_str=True).parameters.values()
        own = [parameter for parameter in parameters if parameter.name != "flags"]
        with_options.__doc__ = command.__doc__  # the command's help
        signature = inspect.Signature([*own, *options])
        with_options.__signature__ = signature  # type: ignore[attr-defined]  # what typer reads
        return with_options

    return decorate
