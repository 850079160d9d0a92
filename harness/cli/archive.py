"""``export`` and ``import`` of a study in one file."""

from __future__ import annotations

from pathlib import Path

from harness import __version__
from harness.analysis.results import load
from harness.cli.report import print_answer, write_and_keep
from harness.core.plain_text import copyable
from harness.protocol.shown_answer import show_results
from harness.report.page import render
from harness.tracking.archive import pack_study, unpack_study
from harness.tracking.show import show_stored


def export_study(study: str, to: Path | None, store: str | None) -> None:
    """Write a finished study into one file, with its report and tables for people.

    Args:
        study: its name.
        to: the file; ``STUDY.zip`` by default.
        store: MLflow tracking URI.

    Raises:
        StoreError: the store has no such study, or it has not been run to its end.
        HarnessError: the file can't be written.
    """
    results = load(study, store)
    beside = {
        "report.html": render(results).encode(),
        "runs.csv": results.runs.to_csv(index=False).encode(),
        "trials.csv": results.trials.to_csv(index=False).encode(),
    }
    path = to or Path(f"{study}.zip")
    runs = pack_study(study, store, path, __version__, beside)
    print(f"{copyable(path)}: {runs} runs, {path.stat().st_size / 1e6:.1f} MB")


def import_archive(path: Path, store: str | None, folder: Path) -> None:
    """Record the study of an archive, write its report from the store and print the answer.

    Args:
        path: the archive.
        store: MLflow tracking URI of the store that the study is recorded in.
        folder: where the report goes.

    Raises:
        ArchiveError: the archive can't be read, or not be trusted.
        StoreError: the store has another study of this name, or can't be written.
    """
    done = unpack_study(path, store)
    print(f"study {done.study}: {done.added} of {done.runs} runs added")
    results = load(done.study, store)
    print_answer(results)
    show_stored(done.study, store, show_results(results))
    print(f"report: {copyable(write_and_keep(results, store, folder))}")
