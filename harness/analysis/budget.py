"""The winner as a function of the tuning budget.

Which arm is best may depend on how many trials each is given (Dodge et al. 2019): the curves here
say from when on the answer would have been the same. They describe the search and use validation
data alone; no verdict rests on them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from harness import stats
from harness.analysis.results import Results
from harness.stats import Interval


class Budget(NamedTuple):
    """What each arm's search would have reached after n trials, on validation data."""

    objective: str
    """The metric that trials were judged by."""
    maximize: bool
    """Whether more of it is better."""
    exact: bool
    """Whether trials were independent (random search); otherwise the curves are only a
    description."""
    budgets: tuple[int, ...]
    """Numbers of trials: 1, 2, …"""
    arms: dict[str, tuple[Interval, ...]]
    """Median best by arm, one interval a budget; infinite where most searches of that many trials
    would have diverged throughout."""
    leaders: tuple[str, ...]
    """The arm ahead at each budget."""

    @property
    def changes(self) -> tuple[tuple[int, str], ...]:
        """The budgets at which another arm takes the lead, with its name."""
        # each budget but the first, with the leader there and the one before
        pairs = zip(self.budgets[1:], self.leaders[1:], self.leaders, strict=False)
        return tuple((budget, now) for budget, now, before in pairs if now != before)


def winner_by_budget(results: Results) -> Budget | None:
    """Return the best objective to be expected of each arm after 1, 2, … trials.

    It is the median over which n of the arm's trials a shorter search would have had
    (:func:`harness.stats.median_best`). A trial that diverged is worse than any other.

    Args:
        results: of a study with a search.

    Returns:
        The curves up to the smallest number of trials that an arm had in a search, by the trials
        of all searches; None where nothing was searched.
    """
    search, trials = results.study.search, results.trials
    if search is None or not len(trials):
        return None
    budgets = tuple(range(1, int(trials.groupby(["arm", "search"]).size().min()) + 1))
    rng = np.random.default_rng(0)  # the intervals' resamples; a page made again is the same
    # what a trial without an objective counts as, since a search of n trials may hit upon it too
    worst = -math.inf if search.maximize else math.inf
    best = {}
    for arm, rows in trials.groupby("arm", sort=False):
        values = rows["value"].astype(float).fillna(worst).to_numpy()
        best[str(arm)] = tuple(stats.median_best(values, budgets, search.maximize, rng))
    pick = max if search.maximize else min
    leaders = tuple(pick(best, key=lambda arm: best[arm][i].mean) for i in range(len(budgets)))
    # Samplers that learn make later trials better than earlier ones: a shorter search would not
    # have been a random part of the longer.
    independent = search.sampler == "random"
    return Budget(search.objective, search.maximize, independent, budgets, best, leaders)
