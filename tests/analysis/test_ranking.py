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


def test_the_interval_of_a_rate_ends_at_one_and_at_nothing():
    """Student's interval of 0.99, 1, 0.8, 1 went to 1.1."""
    near = {"A": [0.99, 1.0, 0.8, 1.0], "B": [0.01, 0.0, 0.2, 0.0], "C": [0.5, 0.51, 0.5, 0.49]}
    values = {arm: {"test/f1": own, "test/loss": own} for arm, own in near.items()}
    by_arm = {
        metric: {
            place.arm: place.interval
            for place in answer_study(results(study(seeds=4, metric=metric), values)).ranking
        }
        for metric in ("test/f1", "test/loss")
    }
    assert by_arm["test/loss"]["A"].high > 1 and by_arm["test/loss"]["B"].low < 0
    assert by_arm["test/f1"]["A"].high == 1 and by_arm["test/f1"]["B"].low == 0
    assert by_arm["test/f1"]["A"].low == by_arm["test/loss"]["A"].low
    assert by_arm["test/f1"]["C"] == by_arm["test/loss"]["C"], "a cut that is not needed is none"


def test_two_rates_are_at_most_one_apart():
    """Of three seeds that scatter so, an interval of the difference went from −3.3 to 2.1."""
    spread = {"A": [0.99, 0.95, 0.9], "B": [0.02, 0.97, 0.03], "C": [0.9, 0.95, 0.92]}
    values = {arm: {"test/f1": own, "test/loss": own} for arm, own in spread.items()}

    def gaps(metric):
        ranking = answer_study(results(study(seeds=3, metric=metric), values)).ranking
        return {place.arm: place.from_best for place in ranking[1:]}

    cut = gaps("test/f1")
    assert (cut["B"].low, cut["B"].high) == (-1, 1)
    assert -1 < cut["C"].low < cut["C"].high < 1, "a cut that is not needed is none"
    assert max(gap.high for gap in gaps("test/loss").values()) > 1
