"""The winner as a function of the tuning budget."""

import math

from harness.analysis.budget import winner_by_budget
from harness.report.figures.budget import plot_budget
from harness.report.style import assign_looks
from tests.analysis.made import VALUES, results, study, tuned


def test_winner_as_a_function_of_the_budget():
    objectives = {"A": [1.0, 1.0, 1.0, 1.0], "B": [0.5, 2.0, 2.0, 2.0]}
    rows = [
        {"arm": arm, "trial": trial, "status": "finished", "value": value, "values": {}}
        for arm, values in objectives.items()
        for trial, value in enumerate(values)
    ]
    budget = winner_by_budget(tuned(trials=rows))
    # B's best of three is 0.5 with probability 1 − (3/4)³ = .58, of two with .44
    assert (
        budget.leaders == ("A", "A", "B", "B")
        and budget.changes == ((3, "B"),)
        and not budget.exact
    )
    assert [best.mean for best in budget.arms["B"]] == [2.0, 2.0, 0.5, 0.5]
    assert winner_by_budget(results(study(seeds=4), {n: VALUES["A"] for n in "ABC"})) is None


def test_an_arm_whose_trials_diverge_does_not_lead():
    values = {"A": [None, None, 0.1, None], "B": [1.0, 2.0, 2.0, 2.0]}
    rows = [
        {"arm": arm, "trial": trial, "status": "finished", "value": value, "values": {}}
        for arm, own in values.items()
        for trial, value in enumerate(own)
    ]
    budget = winner_by_budget(tuned(trials=rows))
    # with one or two trials A's search ends with nothing more often than not: (3/4)² > ½
    assert budget.leaders == ("B", "B", "A", "A")
    assert [math.isinf(best.mean) for best in budget.arms["A"]] == [True, True, False, False]
    figure = plot_budget(budget, assign_looks(["A", "B"]))
    line = next(trace for trace in figure.data if trace.name == "A" and trace.fill is None)
    assert list(line.x) == [3, 4] and list(line.y) == [0.1, 0.1]
    assert all(math.isfinite(y) for trace in figure.data for y in trace.y)
