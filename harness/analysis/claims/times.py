"""When runs reached a value of a metric.

Times are those of the evaluations: a run that reaches the value between two counts from the later.
"""

from __future__ import annotations

import pandas as pd

from harness import stats
from harness.analysis.results import Results
from harness.spec.claims.fields import Goal
from harness.spec.looks import Look
from harness.stats import Reached

COLUMNS = {"steps": "step", "epochs": "epoch", "samples": "samples", "seconds": "seconds"}
"""The column of the curves that holds the time, by its unit; seconds are steps by the clock."""


def times_to(results: Results, arm: str, goal: Goal, look: Look | None = None) -> list[Reached]:
    """Return when each run of an arm reached a goal; nothing where the metric was not recorded.

    A run that misses it is censored at its planned length, wherever its own training ended: one
    that diverged or stopped early never arrives, however long is waited.

    Args:
        results: the study's tables.
        arm: name of the arm.
        goal: what is to be reached.
        look: the runs wanted; all of the confirm stage by default.

    Returns:
        (K·S,) times, search by search, seeds within them.

    Raises:
        KeyError: the arm has no run with one of the seeds.
    """
    curves = results.confirmed_curves
    if goal.metric not in curves:
        return []
    wanted = results.look if look is None else look
    own = curves[curves["arm"] == arm].dropna(subset=[goal.metric]).sort_values("step")
    by_run: dict[object, pd.DataFrame] = dict(iter(own.groupby("run_id")))
    run_of_seed = results.by_arm[arm]["run_id"]
    column = COLUMNS[goal.unit]
    times = []
    for search, seeds in zip(wanted.searches, wanted.seeds, strict=True):
        planned = _planned(results, arm, search, column)
        for seed in seeds:
            # a run without a point of the metric is not in the groups: an empty curve
            curve = by_run.get(run_of_seed[seed], own[:0])
            at = list(curve[column].astype(float))
            time = stats.first_reach(at, list(curve[goal.metric]), goal.target, goal.maximize)
            times.append(Reached(planned, censored=True) if time.censored else time)
    return times


def _planned(results: Results, arm: str, search: int, column: str) -> float:
    """Return how long an arm's runs were to train; 0 where nothing says so.

    Args:
        results: the study's tables.
        arm: name of the arm.
        search: the search that froze its recipe.
        column: the unit, as a column of the curves.
    """
    winner = next((w for w in results.winners.get(arm, ()) if w.search == search), None)
    if winner is None or winner.length is None:
        return _longest(results, arm, column)
    if column != "seconds":
        return float(winner.length._asdict()[column])
    reading = results.clock.get(arm, {}).get(search)
    return winner.length.step * reading.seconds if reading else _longest(results, arm, column)


def _longest(results: Results, arm: str, column: str) -> float:
    """Return the end of the longest run: of the arm's that ended as planned, else of any.

    Studies of earlier versions have not kept their planned lengths, and a study that still runs has
    none yet.
    """
    curves = results.confirmed_curves
    runs = results.confirmed
    finished = runs[(runs["arm"] == arm) & (runs["status"] == "finished")]["run_id"]
    whole = curves[curves["run_id"].isin(finished)]
    ends = (whole if len(whole) else curves)[column].astype(float)
    return float(ends.max()) if ends.notna().any() else 0.0
