"""The order of the arms, and which are told apart from the best."""

import math

import harness as h
from harness.analysis.answer import answer_study
from tests.analysis.made import results, study


def test_an_arm_with_huge_and_scattered_losses_is_told_apart():
    spec = study(compare={"optimizer": {"A": h.SGD(lr=0.1), "B": h.SGD(lr=9.0)}}, seeds=6)
    tables = results(
        spec,
        {
            "A": {"test/loss": [0.1, 0.12, 0.11, 0.1, 0.13, 0.12]},
            "B": {"test/loss": [9e6, 1e4, 2e3, 8e5, 5.0, 40.0]},
        },
    )
    assert answer_study(tables).ranking[1].behind


def test_an_arm_without_values_comes_last_and_bad_runs_are_counted():
    values = {
        "A": {"test/loss": [math.nan] * 4},
        "B": {"test/loss": [2.0, 2.1, 1.9, 2.0]},
        "C": {"test/loss": [1.0, 1.1, 0.9, 1.0]},
    }
    made = results(study(seeds=4), values, statuses={("B", 0): "failed", ("B", 1): "diverged"})
    ranking = answer_study(made).ranking
    assert [place.arm for place in ranking] == ["C", "B", "A"]
    assert [place.ended_badly for place in ranking] == [0, 2, 0]
    assert ranking[1].values[0, :2].tolist() == [math.inf, math.inf] and ranking[0].p == 1.0


def test_the_metric_of_the_study_comes_first():
    values = {n: {"test/loss": [1.0] * 4, "test/accuracy": [0.5] * 4} for n in "ABC"}
    assert answer_study(results(study(seeds=4), values)).metric == "test/loss"
    made = answer_study(results(study(seeds=4, metric="test/accuracy"), values))
    assert (made.metric, made.maximize) == ("test/accuracy", True)
    tuned_for = study(seeds=4, search=h.Search(objective="valid/accuracy"))
    assert answer_study(results(tuned_for, values)).metric == "test/accuracy"
    only_training = {n: {"train/loss": [1.0] * 4} for n in "ABC"}
    assert answer_study(results(study(seeds=4), only_training)).metric == "train/loss"


def test_a_study_of_which_no_run_ended_well_has_no_best_arm():
    values = {name: {"test/loss": [math.nan] * 4} for name in "ABC"}
    lost = {(name, seed): "failed" for name in "ABC" for seed in range(4)}
    made = answer_study(results(study(seeds=4), values, statuses=lost))
    assert made.sentence.startswith("No run ended well")
    lost.pop(("A", 0))
    values["A"] = {"test/loss": [1.0] * 4}
    made = answer_study(results(study(seeds=4), values, statuses=lost))
    assert made.sentence.startswith("A has the best test loss: 1.00 over 4 seeds")


def test_an_arm_whose_runs_are_all_lost_is_not_called_as_good():
    """Few runs tell nothing apart; that arm was named as not distinguishable from the best."""
    near = {"A": [1.0, 1.1], "B": [1.1, 1.0], "C": [math.nan] * 2}
    values = {name: {"test/loss": own} for name, own in near.items()}
    made = results(study(seeds=2), values, statuses={("C", i): "failed" for i in range(2)})
    assert answer_study(made).sentence.endswith(
        "No run of C ended well. Not distinguishable from it: B."
    )
