"""Looking at the data more than once: how much of the risk each look may spend.

A study may judge its claims after 5 seeds, again after 10, and so on, and stop once all are
decided. Without a correction each look would be one more chance to be wrong. Whoever starts a study
again with more seeds than it was first planned with has looked as well, which nothing planned for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

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


class Size(NamedTuple):
    """How much a look at a study sees."""

    searches: int
    """Searches that each arm was tuned by; 1 for an arm that is not tuned."""
    seeds: int
    """Fresh seeds that each winner was run with."""

    @property
    def runs(self) -> int:
        """Runs of an arm: what is known, as spending counts it."""
        return self.searches * self.seeds


RESERVE = 0.2
"""Share of α that is kept for looks which were not planned: a study that is never extended tests at
.04 in the place of .05."""


def look_levels(
    planned: Sequence[Size], earlier: Mapping[Size, float], alpha: float = 0.05
) -> list[float]:
    """Return the level of each planned look, given the looks that were shown before.

    A plan that nothing preceded spends (1 − r)α, with the reserve r = 1/5, by :func:`spending`. One
    that goes on after the last one has spent all it had is an extension: the e-th spends r α 2⁻ᵉ.
    Together they spend at most (1 − r 2⁻ᵉ)α < α, however often a study is started again, and err as
    often at most (as for :func:`spending`, a union bound). A look that was shown keeps its level:
    the same plan gives the same levels, at whatever look it is taken up again. A plan that was left
    before its end leaves what it has not spent to the next.

    Args:
        planned: the looks of the plan as it is now, growing.
        earlier: the level of each look that was shown, in any order, planned now or not.
        alpha: risk of a wrong decision over all looks there will ever be.

    Returns:
        (planned,) levels. The study is then judged by all looks, those that were shown before first
        (:func:`decide`).

    >>> first, again = Size(1, 5), Size(1, 10)
    >>> [round(level, 6) for level in look_levels([first, again], {})]
    [0.005, 0.035]
    >>> [round(level, 6) for level in look_levels([again], {first: 0.04})]
    [0.005]
    """
    fresh = [look for look in planned if look not in earlier]
    # searches and seeds can't shrink both, so that fewer runs than were shown start from nothing
    seen = max((look.runs for look in earlier if fresh and look.runs < fresh[0].runs), default=0)
    # t³ over the looks that are left: what spending() gives them, had these been planned at first
    spent = [seen**3, *(look.runs**3 for look in fresh)]
    left = _left(sum(earlier.values()) / alpha) * alpha
    shares = {
        look: left * (after - before) / (spent[-1] - spent[0])
        for look, before, after in zip(fresh, spent, spent[1:], strict=False)
    }
    return [earlier[look] if look in earlier else shares[look] for look in planned]


def _left(spent: float) -> float:
    """Return how much of the risk the next looks may spend, if a share of it is spent already.

    The e-th extension may bring the sum to 1 − r 2⁻ᵉ: the first e for which that is more than what
    is spent. Nothing is left where it is all, by levels that another rule gave.
    """
    reserve = RESERVE
    # a bound within rounding of what is spent is used up
    while reserve > 1e-15 and 1 - reserve - spent < 1e-9 * reserve:
        reserve /= 2
    return max(0.0, 1 - reserve - spent)


def decide(
    p: Sequence[Sequence[float]], levels: Sequence[float], alpha: float = 0.05
) -> list[tuple[int, float]]:
    """Return when each claim is decided, and its p-value corrected for other claims and looks.

    At each look all claims are tested by Holm's procedure at the look's level a. Its p-values are
    given as p·α/a, so that each can be read against α. A claim stays decided once it is; one that
    never is has the p-value of the last look.

    Args:
        p: (looks, claims) two-sided p-values.
        levels: (looks,) as :func:`spending` or :func:`look_levels` give them; a look at level 0
            decides nothing.
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
            corrected = min(1.0, adjusted * alpha / level) if level else 1.0
            if claim not in decisions or decisions[claim][1] > alpha:
                decisions[claim] = (look, corrected)
    return [decisions[claim] for claim in sorted(decisions)]
