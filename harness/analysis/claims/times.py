"""When runs reached a value of a metric.

Times are those of the evaluations: a run that reaches the value between two counts from the later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import stats
from harness.analysis.results import Results
from harness.spec.claims.fields import Goal
from harness.spec.looks import Look
from harness.stats import Reached

if TYPE_CHECKING:
    import pandas as pd

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
        (K·S,) times, search by search, seeds within them; nothing in seconds where the clock of
        one of the recipes was not read.

    Raises:
        KeyError: the arm has no run with one of the seeds.
    """
    curves = results.confirmed_curves
    if goal.metric not in curves or arm in untimed_arms(results, goal):
        return []
    wanted = results.look if look is None else look
    column = COLUMNS[goal.unit]
    points = _points(curves[curves["arm"] == arm], column, goal.metric)
    run_of_seed = results.by_arm[arm]["run_id"]
    times = []
    for search, seeds in zip(wanted.searches, wanted.seeds, strict=True):
        planned = _planned(results, arm, search, column)
        for seed in seeds:
            # a run without a point of the metric has an empty curve
            at, values = points.get(run_of_seed[seed], ([], []))
            time = stats.first_reach(at, values, goal.target, goal.maximize)
            times.append(Reached(planned, censored=True) if time.censored else time)
    return times


def untimed_arms(results: Results, goal: Goal) -> list[str]:
    """Return the arms of which it is not known how far their runs were, in the unit of a goal: a
    clock was not read, or a loop of a user's own told its steps alone."""
    curves, column = results.confirmed_curves, COLUMNS[goal.unit]
    unknown = curves[column].isna()
    if goal.unit != "seconds":  # studies of earlier versions have 0 where nothing was told
        unknown |= (curves[column] == 0) & (curves["step"] > 0)
    return sorted(set(curves[unknown & curves[goal.metric].notna()]["arm"]))


def _points(
    curves: pd.DataFrame, column: str, metric: str
) -> dict[object, tuple[list[float], list[float]]]:
    """Return the times and values of a metric by run, in the order of steps.

    Args:
        curves: of all runs of an arm.
        column: the unit of time.
        metric: points without it are left out.
    """
    points: dict[object, tuple[list[float], list[float]]] = {}
    own = curves.dropna(subset=[metric]).sort_values("step")
    for run_id, time, value in zip(own["run_id"], own[column], own[metric], strict=True):
        at, values = points.setdefault(run_id, ([], []))
        at.append(float(time))
        values.append(float(value))
    return points


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
        # a loop of a user's own has a length in one unit; the others are 0
        return float(winner.length._asdict()[column]) or _longest(results, arm, column)
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
