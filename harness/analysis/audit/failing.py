"""Checks of runs that failed, which is no outcome of training as divergence is."""

from __future__ import annotations

from collections.abc import Iterator

from harness.analysis.audit.finding import Finding
from harness.analysis.results import Results
from harness.core.records import NOT_TRIED


def failed_runs(results: Results) -> Iterator[Finding]:
    """Find arms of which runs failed: a mistake of code or of the machine says nothing of an arm,
    and yet such a run counts as the worst there is, in the search and in every verdict."""
    for arm, own in results.runs.groupby("arm", sort=False):
        details = own.loc[own["status"] == "failed", "detail"].astype(str)
        if details.empty:
            continue
        tried = details[~details.str.startswith(NOT_TRIED)]
        untried = len(details) - len(tried)
        yield Finding(
            "failed runs",
            f"{arm}: {len(details)} of its {len(own)} runs failed and count as the worst there is"
            + (f", {untried} of them not tried after equal failures" if untried else "")
            + f": {next(iter(tried if len(tried) else details))}",
            "a failure is no result of an arm: mend what it says and run the same command again, "
            "which tries failed runs anew",
        )
