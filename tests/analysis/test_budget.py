"""The winner as a function of the tuning budget."""

import pytest

from harness.analysis.budget import winner_by_budget
from tests.analysis.made import VALUES, results, study, tuned


def test_winner_as_a_function_of_the_budget():
    objectives = {"A": [1.0, 1.0, 1.0, 1.0], "B": [0.5, 2.0, 2.0, 2.0]}
    rows = [
        {"arm": arm, "trial": trial, "status": "finished", "value": value, "values": {}}
        for arm, values in objectives.items()
        for trial, value in enumerate(values)
    ]
    budget = winner_by_budget(tuned(trials=rows))
    assert (
        budget.leaders == ("A", "A", "A", "B")
        and budget.changes == ((4, "B"),)
        and not budget.exact
    )
    assert budget.arms["B"][1].mean == pytest.approx(2.0 - 1.5 * (1 - (3 / 4) ** 2))
    assert winner_by_budget(results(study(seeds=4), {n: VALUES["A"] for n in "ABC"})) is None
