"""What the commands that carry studies between stores are given: export and import.

The docstrings of the functions here are the help that people read, without ``Args:``, which Typer
would print as it stands.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.flags import DEFAULT_REPORTS, ReportFolder, StoreUri
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
from harness.cli.result_commands import FinishedStudy


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
