"""Verdicts on the claims that a study declared before it ran.

The protocol asks here whether to add seeds, and the report what came out: one function, so that a
study never stops on a verdict that its report does not show.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from harness import stats
from harness.analysis.claims.evidence import weigh
from harness.analysis.claims.wording import describe_runs
from harness.analysis.ranking import ALPHA
from harness.analysis.results import Results
from harness.spec.claims import Claim
from harness.spec.looks import Look
from harness.stats import Verdict


class Tested(NamedTuple):
    """A claim with its verdict."""

    claim: Claim
    verdict: Verdict
    """One of four words, with the effect and the corrected p; "first look" for no verdict."""
    sentence: str
    """The claim and its evidence in words."""
    look: Look
    """The runs that the verdict rests on."""


# A page, its table and the audit each ask for the verdicts of the same results, and few results
# are in use at a time.
@lru_cache(maxsize=4)
def judge_claims(results: Results) -> tuple[Tested, ...]:
    """Return a verdict on each claim; p-values are corrected for the claims and for the looks
    together.

    A claim that is decided at a look stays decided: its verdict rests on the runs of that look. A
    study that is a first look has effects and no verdicts.

    Args:
        results: of a study that has been run to its end, or up to a look.

    Returns:
        One for each claim, in the study's order. Look k has the share a_k of the risk α
        (:func:`harness.stats.spending`) and intervals of coverage 1 − a_k; within it p-values are
        corrected by Holm's procedure, and across looks by α / a_k (:func:`harness.stats.decide`).
    """
    study = results.study
    looks = _looks_taken(results)
    # Shares are those of the looks as planned, whether they were all taken or not. Where the runs
    # suffice for none (a study cut short) the runs there are count as the first.
    levels = stats.spending([look.runs for look in study.looks], ALPHA)[: len(looks)] or [ALPHA]
    weighed = [
        [weigh(results, claim, look, 1 - level) for claim in study.claims]
        for look, level in zip(looks, levels, strict=True)
    ]
    decided = stats.decide([[w.evidence.p for w in row] for row in weighed], levels, ALPHA)
    verdicts = []
    for position, (claim, (last, p)) in enumerate(zip(study.claims, decided, strict=True)):
        evidence, detail = weighed[last][position]
        verdict = stats.judge(evidence, p, ALPHA)
        if study.first_look:
            verdict = verdict._replace(verdict="first look")
        runs = describe_runs(results, claim, looks[last], evidence)
        sentence = f"{claim}. {detail} {runs}{_when(last, looks)}"
        verdicts.append(Tested(claim, verdict, sentence, looks[last]))
    return tuple(verdicts)


def _looks_taken(results: Results) -> list[Look]:
    """Return the looks that the runs suffice for; all runs there are, if that is none.

    By the seeds of any arm: every look trains all arms.
    """
    have = set(results.confirmed["seed"])
    taken = [look for look in results.study.looks if {s for own in look.seeds for s in own} <= have]
    return taken or [results.look]


def _when(last: int, looks: Sequence[Look]) -> str:
    """Return when a claim was decided, if it was before the last look."""
    if last + 1 == len(looks):
        return ""
    return f" Decided at look {last + 1}, with {looks[last]}."
