"""``report``: one study's page, or one that compares several."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.analysis.answer import answer_study
from harness.analysis.results import Results, load
from harness.cli.verdicts import study_name
from harness.core.errors import HarnessError, SpecError
from harness.core.plain_text import copyable
from harness.report.compare import write_comparison
from harness.report.figure_files import figure_files
from harness.report.page import render, write_report
from harness.report.plain_svg import answer_pictures
from harness.report.sections import page_context
from harness.spec.objects import reading_stored
from harness.tracking.show import keep_report


@reading_stored()
def write_reports(
    studies: Sequence[str], store: str | None, folder: Path, published: bool = False
) -> None:
    """Write the studies' reports from the store alone, and print where they are.

    Args:
        studies: their names, or their specs.
        store: MLflow tracking URI.
        folder: where the reports go.
        published: whether they share one file with plotly.js; else each holds it.

    Raises:
        StoreError: the store has no such study, or it has not been run to its end.
    """
    for study in studies:
        page = write_results(load(study_name(study), store), folder, published)
        print(f"report: {copyable(page)}")


def write_results(
    results: Results, folder: Path, published: bool = False, page: str | None = None
) -> Path:
    """Write one study's report; return the file.

    Args:
        results: of a finished study.
        folder: where the report and the index go; it is made if it is missing.
        published: whether the folder's reports share one file with plotly.js; else each holds it.
        page: the report, where it has been rendered already.

    Raises:
        HarnessError: the folder can't be written to.
    """
    try:
        return write_report(results, folder, published, page)
    except OSError as error:
        study = results.reader.study
        raise HarnessError(
            f"the report can't be written to {error.filename or folder}: {error.strerror}; "
            f'give another folder with --reports, then: harness report "{study}"'
        ) from error


def write_and_keep(results: Results, store: str | None, folder: Path) -> Path:
    """Write one study's report as :func:`write_results` does, put it and its figures where MLflow's
    UI shows them, and return its file.

    Args:
        results: of a finished study.
        store: MLflow tracking URI.
        folder: where the report and the index go; it is made if it is missing.

    Raises:
        HarnessError: the folder can't be written to.
        StoreError: the store refuses, or is away.
    """
    context = page_context(results)
    page = render(results, context=context)
    figures = answer_pictures(context.answer, results.study.recipe.declared)
    figures |= figure_files(context)
    try:
        # first: a report in its folder says that all of this is done, whenever a kill comes
        keep_report(results.reader.study, store, page, figures)
    finally:
        report = write_results(results, folder, page=page)
    return report


def print_answer(results: Results) -> None:
    """Print which arm is best, and the verdict on each claim."""
    given = answer_study(results)
    print(given.sentence)
    for claim in given.claims:
        print(f"  {claim.verdict.verdict}: {claim.claim}")


@reading_stored()
def write_side_by_side(
    studies: Sequence[str], store: str | None, folder: Path, published: bool = False
) -> None:
    """Write one page on several studies, and print where it is.

    Args:
        studies: their names, or their specs.
        store: MLflow tracking URI.
        folder: where the page goes.
        published: whether plotly.js lies in a file beside the page; else the page holds it.

    Raises:
        SpecError: fewer than two different studies were named.
        StoreError: the store has no such study, or it has not been run to its end.
    """
    # a study that was named twice is shown once, where it stood first
    different = list(dict.fromkeys(map(study_name, studies)))
    if len(different) < 2:
        raise SpecError(
            f"--compare: expected the names of two studies or more, got {', '.join(studies)}"
        )
    page = write_comparison([load(study, store) for study in different], folder, published)
    print(f"report: {copyable(page)}")
