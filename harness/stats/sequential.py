"""Looking at the data more than once: how much of the risk each look may spend.

A study may judge its claims after 5 seeds, again after 10, and so on, and stop once all are
decided. Without a correction each look would be one more chance to be wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.stats.paired import holm


def spending(looks: Sequence[int], alpha: float = 0.05) -> list[float]:
    """Return each look's share of α: increments of α·t³ with t the share of the seeds seen.

    Kim & DeMets 1987. Claims tested at look k by Holm's procedure at level a_k err there with
    probability a_k at most, so that over all looks they err with Σ a_k = α at most, however the
    looks depend on each other. (Lan & DeMets 1983; this is the union bound in the place of the
    joint distribution, which t-tests of few seeds do not follow.)

    Args:
        looks: numbers of seeds at which the claims are judged, increasing; the last is all of them.
        alpha: risk of a wrong decision over all looks.

    Returns:
        (looks,) levels.

    >>> [round(a, 5) for a in spending([5, 10, 20])], sum(spending([5, 10, 20]))
    ([0.00078, 0.00547, 0.04375], 0.05)
    """
    # the cube gives early looks little, so that the last is nearly as sharp as a single one
    spent = [alpha * (n / looks[-1]) ** 3 for n in looks]
    return [after - before for before, after in zip([0.0, *spent], spent, strict=False)]


def decide(
    p: Sequence[Sequence[float]], levels: Sequence[float], alpha: float = 0.05
) -> list[tuple[int, float]]:
    """Return when each claim is decided, and its p-value corrected for other claims and looks.

    At each look all claims are tested by Holm's procedure at the look's level a. Its p-values are
    given as p·α/a, so that each can be read against α. A claim stays decided once it is; one that
    never is has the p-value of the last look.

    Args:
        p: (looks, claims) two-sided p-values.
        levels: (looks,) as :func:`spending` gives them.
        alpha: risk over all looks.

    Returns:
        (look, corrected p) of each claim, the look by its place from 0.

    >>> decide([[0.2, 0.0001], [0.01, 0.00001]], spending([5, 10]))
    [(1, 0.011428571428571429), (0, 0.0016)]
    """
    decisions: dict[int, tuple[int, float]] = {}
    for look, (row, level) in enumerate(zip(p, levels, strict=True)):
        for claim, adjusted in enumerate(holm(row)):
            # adjusted ≤ level is the same as corrected ≤ alpha
            corrected = min(1.0, adjusted * alpha / level)
            if claim not in decisions or decisions[claim][1] > alpha:
                decisions[claim] = (look, corrected)
    return [decisions[claim] for claim in sorted(decisions)]
