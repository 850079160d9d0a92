"""Arms without any value of a metric: nothing is decided, and nothing fails."""

import numpy as np
import pytest

import harness as h
from harness.analysis.answer import answer_study
from tests.analysis.made import results, study

CLAIMS = [
    h.Claim.better("A", than="B", on="test/auroc"),
    h.Claim.no_worse("A", than="B", on="test/auroc", margin=0.1),
    h.Claim.equal("A", than="B", on="test/auroc", margin=0.1),
    h.Claim.above("B", 0.4, on="test/auroc"),
    h.Claim.cured("A", of="B", on="test/auroc"),
    h.Claim.monotone("optimizer", on="test/auroc", rising=True),
    h.Claim.trend("optimizer", on="test/auroc", rising=True),
]


@pytest.mark.parametrize("without", ["B", "AB", "ABC"])
def test_arms_without_a_value_come_last_and_nothing_is_said_of_them(without):
    rng = np.random.default_rng(0)
    spec = study(
        recipe=study().recipe.with_values({"metrics": ["auroc"]}),
        metric="test/auroc",
        claims=CLAIMS,
    )
    values = {
        arm: {"test/auroc": [np.nan] * 10 if arm in without else list(rng.uniform(0.5, 1, 10))}
        for arm in "ABC"
    }
    answer = answer_study(results(spec, values))
    assert {tested.verdict.verdict for tested in answer.claims} == {"undecided"}
    having = [place.arm for place in answer.ranking if np.isfinite(place.interval.mean)]
    assert [place.arm for place in answer.ranking][: len(having)] == having
    assert set(having) == set("ABC") - set(without)
