"""Intervals end where the metric does: of rates, and of their differences."""

import math

import pytest

import harness as h
from harness.analysis.answer import answer_study
from harness.analysis.bounds import with_bounds
from harness.analysis.claims import judge_claims
from harness.core.metric_names import describe
from harness.spec.arms import build_arms
from tests.analysis.made import results, study


def judged(claim, values):
    (result,) = judge_claims(results(study(claims=[claim], seeds=3), values))
    return result


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
    assert by_arm["test/loss"]["A"].high > 1
    assert by_arm["test/f1"]["A"].high == 1 and by_arm["test/f1"]["B"].low == 0
    assert by_arm["test/f1"]["A"].low == by_arm["test/loss"]["A"].low
    assert by_arm["test/f1"]["C"] == by_arm["test/loss"]["C"], "a cut that is not needed is none"


@pytest.mark.parametrize(
    ("recipe", "metric", "least"),
    [
        ({}, "test/loss", 0),
        ({}, "mean/valid/loss", 0),
        ({"loss": h.MSE()}, "lowest/train/loss", 0),
        ({"loss": h.Huber()}, "test/loss", 0),
        ({"loss": {"name": "torch.nn.GaussianNLLLoss"}}, "test/loss", -math.inf),
        ({"data": h.Rosenbrock(), "model": None}, "valid/loss", -math.inf),
        ({}, "gap/loss", -math.inf),
        ({}, "test/accuracy", 0),
    ],
)
def test_a_mean_of_losses_that_are_never_negative_is_not_either(recipe, metric, least):
    """Student's interval of 0.02, 0, 0.2 and 0 went to −0.1."""
    asked = study(recipe=study().recipe.with_values(recipe))
    assert describe(metric, with_bounds(asked, build_arms(asked))).least == least


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


@pytest.mark.parametrize("kind", [h.Claim.better, h.Claim.no_worse, h.Claim.equal])
def test_the_difference_of_two_rates_ends_at_one_and_of_losses_nowhere(kind):
    """Three seeds that scatter so had an interval from −1.5 to 2.7."""
    spread = {"A": [0.99, 0.95, 0.9], "B": [0.02, 0.97, 0.03], "C": [0.5, 0.5, 0.5]}

    def effect(metric):
        values = {arm: {metric: own} for arm, own in spread.items()}
        more = {} if kind is h.Claim.better else {"margin": 0.1}
        return judged(kind("A", than="B", on=metric, **more), values).verdict.effect

    rate, loss = effect("test/f1"), effect("test/loss")
    assert max(abs(loss.low), abs(loss.high)) > 1
    assert (rate.low, rate.high) == (max(-1.0, -loss.high), min(1.0, -loss.low))
