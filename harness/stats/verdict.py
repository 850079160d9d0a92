"""From a paired comparison to a verdict on a claim."""

from __future__ import annotations

from typing import Literal, NamedTuple

from harness.stats.intervals import Interval


class Verdict(NamedTuple):
    """What became of a claim."""

    verdict: Literal["supported", "refuted", "undecided"]
    effect: Interval
    """Mean advantage of the arm claimed to win, in the metric's unit; positive favours the claim."""
    p: float
    """Two-sided p-value of no difference, adjusted for the number of claims."""


def judge(advantage: Interval, p: float, alpha: float = 0.05) -> Verdict:
    """Return supported or refuted where the adjusted p is at most ``alpha``, else undecided.

    Args:
        advantage: interval of the mean advantage; positive favours the claim.
        p: adjusted p-value of no difference.
        alpha: risk of deciding where there is nothing to decide.

    >>> judge(Interval(0.2, 0.1, 0.3), 0.01).verdict, judge(Interval(0.2, -0.1, 0.5), 0.2).verdict
    ('supported', 'undecided')
    """
    if not p <= alpha:
        return Verdict("undecided", advantage, p)
    return Verdict("supported" if advantage.mean > 0 else "refuted", advantage, p)
