"""When runs reached a value of a metric.

Times are those of the evaluations: a run that reaches the value between two counts from the later.
"""

from __future__ import annotations

import pandas as pd

from harness import stats
from harness.analysis.claims.evidence import SeedNumbers
from harness.analysis.results import Results
from harness.spec.claims.fields import Goal
from harness.stats import Reached

COLUMNS = {"steps": "step", "epochs": "epoch", "samples": "samples", "seconds": "seconds"}
"""The column of the curves that holds the time, by its unit; seconds are steps by the clock."""


def times_to(
    results: Results, arm: str, goal: Goal, seeds: SeedNumbers | None = None
) -> list[Reached]:
    """Return when each seed's run of an arm reached a goal, by seed; nothing where the metric was
    not recorded.

    A run that misses it is censored at the end of the arm's longest run. That holds for a run that
    diverged before, too: it never arrives.

    Args:
        results: the study's tables.
        arm: name of the arm.
        goal: what is to be reached.
        seeds: the seeds in the order wanted; all of the confirm stage by default.

    Raises:
        KeyError: the arm has no run with one of the seeds.
    """
    curves = results.confirmed_curves
    if goal.metric not in curves:
        return []
    own = curves[curves["arm"] == arm].dropna(subset=[goal.metric]).sort_values("step")
    by_run: dict[object, pd.DataFrame] = dict(iter(own.groupby("run_id")))
    run_of_seed = results.by_arm[arm]["run_id"]
    column = COLUMNS[goal.unit]
    times = []
    for seed in run_of_seed.index if seeds is None else seeds:
        # a run without a point of the metric is not in the groups: an empty curve, censored at 0
        curve = by_run.get(run_of_seed[seed], own[:0])
        at = list(curve[column].astype(float))
        times.append(stats.first_reach(at, list(curve[goal.metric]), goal.target, goal.maximize))
    # Censored where the arm's runs end and not where its own did: one that diverged at step 3 would
    # else cut off all times of the comparison at 3.
    longest = float(own[column].max()) if len(own) else 0.0
    return [Reached(longest, censored=True) if time.censored else time for time in times]
