"""The spread of stored studies' differences, as the next study's design needs it."""

import numpy as np
import pandas as pd
import pytest

import harness as h
from harness.analysis.design import length_of_trials, pairs_of, spread_of_pairs
from harness.core.errors import StoreError
from harness.stats import Variances
from tests.analysis.made import SPACES, results, study, tuned


def searched(values, **spec):
    """Return results of three searches with two seeds each."""
    made = {"compare": {"optimizer": SPACES}, "search": h.Search(trials=4, searches=3), "seeds": 2}
    return results(
        study(**made | spec), {arm: {"test/loss": list(np.ravel(v))} for arm, v in values.items()}
    )


def test_the_variances_of_searches_and_seeds():
    d_KS = np.array([[1.0, 1.2], [0.4, 0.6], [1.9, 2.1]])
    common = np.random.default_rng(0).normal(5, 1, (3, 2))  # what pairs share is no spread
    (variances,) = spread_of_pairs(
        searched({"A": d_KS + common, "B": common}), "test/loss"
    ).values()
    # by hand: means 1.1, .5 and 2.0 with variance .57, less half of .02 within searches
    assert variances == pytest.approx(Variances(0.57 - 0.01, 0.02))


def test_arms_that_nothing_tunes_have_the_spread_of_their_seeds():
    values = {"A": [1.0, 2.0, 4.0], "B": [1.0, 1.0, 1.0], "C": [0.0, 0.0, 0.0]}
    spec = study(seeds=3)
    made = results(spec, {arm: {"test/loss": v} for arm, v in values.items()})
    found = spread_of_pairs(made, "test/loss")
    assert list(found) == [("A", "B"), ("A", "C"), ("B", "C")]
    assert found["A", "B"] == pytest.approx(Variances(0.0, np.var([0, 1, 3], ddof=1)))


def test_pairs_are_those_of_the_claims():
    claims = [
        h.Claim.better("B", than="A"),
        h.Claim.equal("A", than="B", margin=0.1),
        h.Claim.above("C", 0.1, on="test/loss"),
    ]
    assert [set(pair) for pair in pairs_of(study(claims=claims))] == [{"A", "B"}]
    assert len(pairs_of(study())) == 3


def test_one_search_and_lost_metrics_tell_nothing():
    with pytest.raises(StoreError, match="one search, which does not tell.*search.searches=3"):
        spread_of_pairs(tuned(), "test/loss")
    with pytest.raises(StoreError, match="too few runs with test/accuracy"):
        spread_of_pairs(searched({arm: np.ones((3, 2)) for arm in "AB"}), "test/accuracy")


def test_trials_that_were_pruned_are_shorter():
    assert length_of_trials(tuned()) == 1.0
    made = tuned()
    made.runs["cost/steps"] = 100.0
    short = made.runs.assign(stage="search").copy()
    short["cost/steps"] = [25.0, 75.0] * (len(short) // 2)
    made.runs = pd.concat([made.runs, short])
    assert length_of_trials(made) == pytest.approx(0.5)
