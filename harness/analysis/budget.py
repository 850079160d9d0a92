"""The winner as a function of the tuning budget."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from harness import stats
from harness.analysis.results import Results
from harness.stats import Interval


class Budget(NamedTuple):
    """What each arm's search was expected to reach after n trials, on validation data."""

    objective: str
    maximize: bool
    exact: bool
    """Whether trials were independent (random search); otherwise the curves are only a
    description."""
    budgets: tuple[int, ...]
    arms: dict[str, tuple[Interval, ...]]
    """Expected best by arm, one interval a budget."""
    leaders: tuple[str, ...]
    """The arm ahead at each budget."""

    @property
    def changes(self) -> tuple[tuple[int, str], ...]:
        """The budgets at which another arm takes the lead, with its name."""
        pairs = zip(self.budgets[1:], self.leaders[1:], self.leaders, strict=False)
        return tuple((budget, now) for budget, now, before in pairs if now != before)


def winner_by_budget(results: Results) -> Budget | None:
    """Return the expected best objective of each arm after 1, 2, … trials.

    Args:
        results: of a study with a search.

    Returns:
        The curves up to the smallest number of trials that an arm had; None where nothing was
        searched.
    """
    search, trials = results.study.search, results.trials
    if search is None or not len(trials):
        return None
    budgets = tuple(range(1, int(trials.groupby("arm").size().min()) + 1))
    rng = np.random.default_rng(0)  # the intervals' resamples; a page made again is the same
    # what a trial without an objective counts as
    worst = -math.inf if search.maximize else math.inf
    expected = {}
    for arm, rows in trials.groupby("arm", sort=False):
        values = rows["value"].astype(float).fillna(worst).to_numpy()
        expected[str(arm)] = tuple(stats.expected_best(values, budgets, search.maximize, rng))
    pick = max if search.maximize else min
    leaders = tuple(
        pick(expected, key=lambda arm: expected[arm][i].mean) for i in range(len(budgets))
    )
    independent = search.sampler == "random"
    return Budget(search.objective, search.maximize, independent, budgets, expected, leaders)
