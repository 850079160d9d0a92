"""What the commands that help to write a spec are given: list, new, schema.

The docstrings of the functions here are the help that people read, without ``Args:``, which Typer
would print as it stands.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.completion import complete_kind


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


def new_command(
    path: Annotated[Path, typer.Argument(help="File to write: .py or .yaml.", show_default=False)],
) -> None:
    """Write a commented spec to start from."""
    from harness.cli.new import write_new_study

    write_new_study(path)


def schema_command() -> None:
    """Print the JSON schema of a study, for editors that check YAML."""
    from harness.spec.files import json_schema

    print(json_schema())
