"""What could have biased a study, and what to do about it.

Each check is a generator of findings, and is listed in ``CHECKS``. A finding never changes a
verdict: it tells the reader how far to trust one. The thresholds are rules of thumb.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from harness.analysis.audit.deciding import censored_times, late_claims, undecided_claims
from harness.analysis.audit.elsewhere import (
    missing_runs,
    read_with_care,
    unequal_lengths,
    unknown_choices,
    unknown_pairing,
    unknown_tuning,
)
from harness.analysis.audit.failing import failed_runs
from harness.analysis.audit.finding import Finding as Finding
from harness.analysis.audit.finding import FindingGroup as FindingGroup
from harness.analysis.audit.judging import (
    judged_where_tuned,
    stopped_against_whole,
    tuned_for_another,
)
from harness.analysis.audit.measuring import (
    different_paths,
    leaks,
    timings_under_load,
    wall_times,
)
from harness.analysis.audit.metrics import undefined_metrics
from harness.analysis.audit.scope import few_searches, tied_winners
from harness.analysis.audit.searching import pruned_trials, unequal_budgets, unsettled_ranking
from harness.analysis.audit.seeds import idle_seeds
from harness.analysis.audit.winners import lucky_winners, values_at_edges
from harness.analysis.results import Results

Check = Callable[[Results], Iterator[Finding]]

CHECKS: dict[str, Check] = {
    "no run failed": failed_runs,
    "equal budgets": unequal_budgets,
    "searches enough": few_searches,
    "tuned for what is judged": tuned_for_another,
    "judged on other data than tuned": judged_where_tuned,
    "all arms judged at the same point": stopped_against_whole,
    "best values inside their spaces": values_at_edges,
    "claims said beforehand": late_claims,
    "claims decided": undecided_claims,
    "no censored times": censored_times,
    "no pruned trials": pruned_trials,
    "ranking settled over the search": unsettled_ranking,
    "winners no flukes": lucky_winners,
    "winners ahead of the others": tied_winners,
    "timings on a quiet machine": timings_under_load,
    "seconds by a calibrated clock": wall_times,
    "no leak between search and confirm": leaks,
    "seeds make a difference": idle_seeds,
    "metrics defined in all runs": undefined_metrics,
    "one path for all arms": different_paths,
}
"""Checks by what holds where they find nothing, in the order of the report."""


IMPORTED_CHECKS: dict[str, Check] = {
    "how arms were tuned": unknown_tuning,
    "what chose the runs": unknown_choices,
    "seeds paired": unknown_pairing,
    "seeds make a difference": idle_seeds,
    "all runs there": missing_runs,
    "runs of one length": unequal_lengths,
    "table read as written": read_with_care,
    "claims said beforehand": late_claims,
    "claims decided": undecided_claims,
    "no censored times": censored_times,
}
"""Checks of runs that were trained elsewhere, of whose making most can't be seen."""


def checks_of(results: Results) -> dict[str, Check]:
    """Return the checks that can be made of a study, by what holds where they find nothing."""
    return CHECKS if results.study.imported is None else IMPORTED_CHECKS


class CheckMade(NamedTuple):
    """A check that was made."""

    name: str
    """What holds where it finds nothing."""
    findings: tuple[Finding, ...]


def run_checks(results: Results) -> tuple[CheckMade, ...]:
    """Return every check of a study with what it found.

    Args:
        results: of a study that has been run to its end.
    """
    return tuple(
        CheckMade(name, tuple(check(results))) for name, check in checks_of(results).items()
    )


def audit(results: Results) -> tuple[Finding, ...]:
    """Return what could have biased the study, in the order of the checks; nothing if all of them
    pass.

    Args:
        results: of a study that has been run to its end.
    """
    return tuple(finding for checked in run_checks(results) for finding in checked.findings)


def gather_findings(findings: Iterable[Finding]) -> list[FindingGroup]:
    """Return findings of one kind together, kinds in the order they are met.

    Args:
        findings: of any checks.
    """
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.check, []).append(finding)
    return [
        FindingGroup(
            check,
            tuple(finding.text for finding in own),
            tuple(dict.fromkeys(finding.advice for finding in own)),
        )
        for check, own in groups.items()
    ]
