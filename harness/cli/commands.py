"""The commands of ``harness``, in the order of its help.

What a command takes and says of itself stands in the ``*_commands`` files; what it does is imported
when it is asked for, so that ``--help`` is quick.
"""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli import (
    check_commands,
    exchange_commands,
    result_commands,
    study_commands,
    writing_commands,
)
from harness.cli.bad_values import FlagsInWords

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


app.command("run", cls=FlagsInWords)(study_commands.run_command)
app.command("plan", cls=FlagsInWords)(study_commands.plan_command)
app.command("status", cls=FlagsInWords)(result_commands.status_command)
app.command("report", cls=FlagsInWords)(result_commands.report_command)
app.command("export", cls=FlagsInWords)(exchange_commands.export_command)
app.command("import", cls=FlagsInWords)(exchange_commands.import_command)
app.command("watch", cls=FlagsInWords)(result_commands.watch_command)
app.command("reproduce", cls=FlagsInWords)(check_commands.reproduce_command)
app.command("audit", cls=FlagsInWords)(result_commands.audit_command)
app.command("verdicts", cls=FlagsInWords)(result_commands.verdicts_command)
app.command("verify", cls=FlagsInWords)(check_commands.verify_command)
app.command("train", cls=FlagsInWords)(study_commands.train_command)
app.command("ui", cls=FlagsInWords)(result_commands.ui_command)
app.command("list", cls=FlagsInWords)(writing_commands.list_command)
app.command("new", cls=FlagsInWords)(writing_commands.new_command)
app.command("schema", cls=FlagsInWords)(writing_commands.schema_command)
app.command("kernels", cls=FlagsInWords)(check_commands.kernels_command)
app.command("doctor", cls=FlagsInWords)(check_commands.doctor_command)
