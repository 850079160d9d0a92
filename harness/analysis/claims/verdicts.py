"""Verdicts on the claims that a study declared before it ran.

The protocol asks here whether to add searches or seeds, and the report what came out: one function,
so that a study never stops on a verdict that its report does not show.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from harness import stats
from harness.analysis.claims.evidence import weigh
from harness.analysis.claims.wording import describe_basis, describe_spread
from harness.analysis.looks import ALPHA, take_looks
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
    basis: str
    """Whom the verdict holds for, over which runs, and what its interval covers, in words."""


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
        (:func:`harness.stats.look_levels`) and intervals of coverage 1 − a_k; within it p-values
        are corrected by Holm's procedure, and across looks by α / a_k
        (:func:`harness.stats.decide`).
    """
    study = results.study
    looks, levels = take_looks(results)
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
        sentence = f"{claim}. {detail}{describe_spread(claim, evidence)}{_when(last, looks)}"
        basis = describe_basis(results, claim, looks[last], 1 - levels[last])
        verdicts.append(Tested(claim, verdict, sentence, looks[last], basis))
    return tuple(verdicts)


def _when(last: int, looks: Sequence[Look]) -> str:
    """Return when a claim was decided, if it was before the last look."""
    if last + 1 == len(looks):
        return ""
    return f" Decided at look {last + 1}, with {looks[last]}."
