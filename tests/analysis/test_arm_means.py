"""Means over an arm's runs, against SciPy."""

import numpy as np
import pytest
from scipy import stats

import harness as h
from harness.analysis.answer import answer_study
from harness.analysis.arm_means import closing_means, mean_curves
from harness.protocol.shown_answer import describe_answer
from tests.analysis.made import results, study

LOSSES = {"A": [1.0, 2.0, 4.0], "B": [3.0, 3.5, 5.0], "C": [9.0, 8.0, 7.0]}


def made(**options):
    spec = study(seeds=3, claims=(h.Claim.better("A", than="C", on="test/loss"),))
    return results(spec, {arm: {"test/loss": own} for arm, own in LOSSES.items()}, **options)


@pytest.mark.parametrize("arm", LOSSES)
def test_closing_values_have_students_interval_and_their_number(arm):
    """From 0 on, since no cross-entropy is below."""
    mean = closing_means(made(), arm)["test/loss"]
    centre = np.mean(LOSSES[arm])
    low, high = stats.t.interval(0.95, 2, centre, stats.sem(LOSSES[arm]))
    assert mean.interval == pytest.approx((centre, max(low, 0), high)) and mean.runs == 3


def test_runs_that_diverged_do_not_count():
    mean = closing_means(made(statuses={("A", 2): "diverged"}), "A")["test/loss"]
    assert mean.interval.mean == pytest.approx(1.5) and mean.runs == 2


def test_curves_are_means_at_the_steps_that_all_runs_have():
    curves = {"A": [[1.0, 2.0, 3.0], [3.0, 4.0], [5.0, 6.0, 9.0]]}
    tables = made(curves={arm: {"valid/loss": curves.get(arm, [[1.0]] * 3)} for arm in "ABC"})
    mean = mean_curves(tables)["A"].curves["valid/loss"]
    assert [value for _, value in mean] == [3.0, 4.0]


def test_the_description_has_question_answer_verdicts_and_ranking():
    tables = made()
    text = describe_answer(tables, answer_study(tables))
    assert text.startswith("made\n\n**")
    assert (
        "| verdict | claim | effect |" in text and "A ends with a better test loss than C" in text
    )
    assert text.index("| A |") < text.index("| B |") < text.index("| C |")
