"""Rankings that went wrong: order and test on one scale, divergence, arms without the metric."""

import math

import numpy as np
import pytest

import harness as h
from harness.analysis.answer import answer_study
from harness.core.study_record import LookShown
from tests.analysis.made import results, study

TWO = {"optimizer": {"X": h.SGD(lr=0.1), "Y": h.SGD(lr=0.2)}}


def ranked(values, **fields):
    spec = study(**{"compare": TWO, "seeds": len(values["X"]), **fields.pop("spec", {})})
    made = results(spec, {arm: {"test/loss": own} for arm, own in values.items()}, **fields)
    return answer_study(made).ranking


def test_the_order_is_that_of_the_scale_that_is_tested():
    """By means X = 1.0 led Y, which a test of logarithms then told apart: from the better one."""
    x = list(np.linspace(0.99, 1.01, 10))
    first, second = ranked({"X": x, "Y": [0.2] * 4 + [0.21] * 5 + [9.4]})
    assert (first.arm, second.arm) == ("Y", "X")


def test_an_arm_that_lost_runs_comes_after_those_that_lost_none():
    good = [1.0, 1.1, 0.9, 1.05, 0.95, 1.0]
    lost = {("Y", 0): "diverged"}
    first, second = ranked({"X": good, "Y": [0.5] * 6}, statuses=lost)
    assert (first.arm, second.arm, second.ended_badly) == ("X", "Y", 1)
    assert second.interval.mean == pytest.approx(0.5), "of the runs that ended well"


@pytest.mark.parametrize("dead, others", [(5, 2), (10, 26)])
def test_an_arm_of_which_all_runs_diverged_is_told_apart(dead, others):
    """5 of 5 were "not distinguishable", and 10 of 10 among 27 arms had p = .0508."""
    rng = np.random.default_rng(0)
    arms = {f"a{i}": h.SGD(lr=0.1 + i) for i in range(others)} | {"dead": h.SGD(lr=99.0)}
    values = {arm: {"test/loss": list(1 + 0.01 * rng.normal(size=dead))} for arm in arms}
    spec = study(compare={"optimizer": arms}, seeds=dead)
    statuses = {("dead", seed): "diverged" for seed in range(dead)}
    last = answer_study(results(spec, values, statuses=statuses)).ranking[-1]
    assert last.arm == "dead" and math.isinf(last.interval.mean) and last.behind


def test_an_arm_without_the_metric_is_compared_with_none():
    values = {"X": {"test/accuracy": [0.9, 0.91, 0.92, 0.9]}, "Y": {"test/loss": [1.0] * 4}}
    answer = answer_study(results(study(compare=TWO, seeds=4, metric="test/accuracy"), values))
    assert not answer.ranking[1].measured
    assert "X has the best test accuracy" in answer.sentence and "Y" not in answer.sentence


def test_intervals_hold_together():
    spec = study(seeds=6)
    rng = np.random.default_rng(1)
    values = {arm: {"test/loss": list(rng.normal(1, 0.1, 6))} for arm in "ABC"}
    widths = [np.diff(p.interval[1:])[0] for p in answer_study(results(spec, values)).ranking]
    from scipy import stats

    own = [np.std(v["test/loss"], ddof=1) for v in values.values()]
    expected = [2 * stats.t.ppf(1 - 0.04 / 6, 5) * s / math.sqrt(6) for s in own]
    assert sorted(widths) == pytest.approx(sorted(expected))


def test_of_several_searches_the_search_means_are_compared():
    search = h.Search(trials=1, searches=5)
    tuned = {"optimizer": {n: h.SGD(lr=h.LogUniform(1e-3, 1.0)) for n in "XY"}}
    spec = study(compare=tuned, search=search, seeds=3)
    rng = np.random.default_rng(2)
    by_search = rng.normal(0, 1, (2, 5, 1))  # far more between searches than within
    losses = 5 + by_search + 0.01 * rng.normal(size=(2, 5, 3))
    values = {n: {"test/loss": list(losses[i].ravel())} for i, n in enumerate("XY")}
    first, _ = answer_study(results(spec, values)).ranking
    i = "XY".index(first.arm)
    means = losses[i].mean(axis=1)
    half = first.interval.high - first.interval.mean
    assert half > 1.5 * means.std(ddof=1) / math.sqrt(5), "the search's spread, and not the seed's"


def test_differences_from_the_best_hold_together():
    spec = study(seeds=6)
    rng = np.random.default_rng(5)
    values = {arm: {"test/loss": list(rng.normal(i, 0.1, 6))} for i, arm in enumerate("ABC")}
    first, second, _ = answer_study(results(spec, values)).ranking
    from scipy import stats

    d = (second.values - first.values).ravel()
    half = stats.t.ppf(1 - 0.04 / 6, 5) * d.std(ddof=1) / math.sqrt(6)  # of three pairs
    assert second.from_best == pytest.approx((d.mean(), d.mean() - half, d.mean() + half))
    assert first.from_best == (0.0, 0.0, 0.0)


def test_a_first_look_tells_no_arms_apart():
    values = {"A": [1.0, 1.1, 0.9, 1.0], "B": [5.0, 5.1, 4.9, 5.0], "C": [9.0, 9.1, 8.9, 9.0]}
    spec = study(seeds=4, first_look=True)
    answer = answer_study(results(spec, {arm: {"test/loss": v} for arm, v in values.items()}))
    assert "first look" in answer.sentence and "told apart" not in answer.sentence


def test_a_ranking_pays_for_the_looks_that_were_shown_before():
    rng = np.random.default_rng(7)
    values = {
        "X": {"test/loss": list(rng.normal(1.0, 0.1, 8))},
        "Y": {"test/loss": list(rng.normal(1.1, 0.1, 8))},
    }
    tables = results(study(compare=TWO, seeds=8), values)
    first = answer_study(tables).ranking[1]
    again = results(study(compare=TWO, seeds=8), values)
    again.looks_shown = (LookShown(1, 4, 0.04),)
    second = answer_study(again).ranking[1]
    assert second.p == pytest.approx(8 * first.p), "of what is left, .005 in the place of .04"
    assert np.ptp(second.interval) > np.ptp(first.interval)
