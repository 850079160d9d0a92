"""``run``: a study, its report and its answer."""

from __future__ import annotations

import sys
from pathlib import Path

from harness.cli.changes import change_study
from harness.cli.executor import executor_of
from harness.cli.flags import Flags
from harness.cli.progress import choose_display
from harness.core.plain_text import copyable
from harness.protocol.options import Options
from harness.protocol.run import Summary, run_study
from harness.spec.study import Study
from harness.tracking import default_uri, hide_password, locate_ui

INTERRUPTED = 130
"""Exit status of a command that Ctrl-C ended, as shells expect it."""


def run_and_report(study: Study, flags: Flags) -> None:
    """Run the study as the flags say, write its report and print the answer; or show its plan.

    Args:
        study: the study as it is written.
        flags: what changes it, and how it is executed.

    Raises:
        SpecError: the study can't be run as written, or a flag does not fit it.
        StoreError: a store can't be reached or written; what is finished is kept.
        SystemExit: Ctrl-C was pressed while it ran.
    """
    if flags.dry_run:
        from harness.cli.plan import show_plan  # imports torch, which a known answer does without

        return show_plan(study, flags)
    study = change_study(study, flags)
    summary = _run(study, flags)
    if summary.joined:
        print(
            f"study {study.name}: {summary.trained} runs trained here, {summary.seconds:.1f} s; "
            "the driver that was joined writes the answer and its report"
        )
        return
    print(
        f"study {study.name}: {summary.trained} runs trained, {summary.known} known already, "
        f"{summary.seconds:.1f} s"
    )
    if summary.failed:
        print(
            f"{summary.failed} runs failed and will be tried again; "
            f"'harness status {_quoted(study.name)}' says why"
        )
    print(f"report: {copyable(_report(study, summary, flags))}")
    print(f"runs:   {_place_of_runs(flags.store)}")


def _quoted(name: str) -> str:
    """Return a study's name as a word of a command."""
    shown = copyable(name)
    return f'"{name}"' if shown == name else shown


def _run(study: Study, flags: Flags) -> Summary:
    options = Options(
        workers=flags.workers,
        cohort=flags.cohort,
        fresh=flags.fresh,
        storage=flags.storage,
        uri=flags.store,
        take_over=flags.take_over,
        join=flags.join,
        executor=executor_of(flags.executor, flags.scheduler, flags.resources),
    )
    try:
        with choose_display() as display:
            return run_study(study, options, display)
    except KeyboardInterrupt:
        print(
            "stopped; finished runs are kept, and the same command goes on from there",
            file=sys.stderr,
        )
        raise SystemExit(INTERRUPTED) from None


def _report(study: Study, summary: Summary, flags: Flags) -> Path:
    """Return the study's report, after writing it and printing its answer where that is new."""
    # imported only now, while a person reads the summary: pages take Plotly and Jinja
    from harness.analysis.results import load
    from harness.cli.report import print_answer, write_and_keep
    from harness.report.index import is_current, page_of
    from harness.report.library import place_of

    # A page that shows this answer need not be made again. Without new runs a study may have
    # another answer all the same: to another claim, or by fewer searches.
    folder = place_of(flags.reports)
    if summary.answered and is_current(folder, study.name, summary.identity):
        return page_of(folder, study.name)
    results = load(study.name, flags.store)
    print_answer(results)
    return write_and_keep(results, flags.store, flags.reports)


def _place_of_runs(store: str | None) -> str:
    """Return where a person sees the runs: a server, or the command that starts one."""
    uri = store or default_uri()
    if uri.startswith("http"):
        return locate_ui(uri)
    given = f" --store {copyable(hide_password(store))}" if store else ""
    return f"harness ui{given}   (MLflow's UI on http://127.0.0.1:5000)"
