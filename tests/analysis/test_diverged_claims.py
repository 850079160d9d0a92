"""What runs that diverged do to claims: they are the worst there are, and shield nobody."""

import math

import numpy as np
import pytest
from scipy.stats import barnard_exact

import harness as h
from tests.analysis.judged import NOISE, judged, losses


@pytest.mark.parametrize(
    "claim, verdict",
    [
        (h.Claim.better("A", than="B", on="gradient/ratio", direction="maximize"), "supported"),
        (h.Claim.above("B", 0.5, on="gradient/ratio"), "opposite"),
        (h.Claim.below("B", 0.5, on="gradient/ratio"), "opposite"),
        (h.Claim.better("A", than="B", on="gap/accuracy"), "supported"),
    ],
)
def test_a_diverged_run_is_the_worst_there_is_whichever_way_is_better(claim, verdict):
    values = {
        n: {
            "gradient/ratio": list(1 + NOISE[i]),
            "test/accuracy": [0.8] * 12,
            "train/accuracy": [0.9] * 12,
        }
        for i, n in enumerate("ABC")
    }
    result = judged(claim, values, statuses={("B", s): "diverged" for s in range(12)})
    assert result.verdict.verdict == verdict


def test_a_diverged_run_does_not_shield_an_arm_of_lower_accuracy():
    """An accuracy of 0 in its place spread the arm so widely that p was .27 out of 1e-10."""
    values = {
        n: {"test/accuracy": list(level + 0.06 * NOISE[i, :10])}
        for i, (n, level) in enumerate({"A": 0.93, "B": 0.9, "C": 0.5}.items())
    }
    claim = h.Claim.better("A", than="B", on="test/accuracy")
    result = judged(claim, values, seeds=10, statuses={("B", 3): "diverged"})
    a, b = (np.delete(values[n]["test/accuracy"], 3) for n in "AB")
    assert result.verdict.verdict == "supported" and result.verdict.p < 1e-4
    assert result.verdict.effect.mean == pytest.approx((a - b).mean()), "of pairs that ended well"
    assert "Ended well: 10 of 10 runs of A, 9 of B" in result.sentence


def test_success_is_a_result_of_its_own_where_more_is_better():
    """Barnard's p of 10 against 4 of 10 runs, at half the risk, where values tell nothing."""
    values = {n: {"test/accuracy": list(0.9 + 0.06 * NOISE[0, :10])} for n in "ABC"}
    claim = h.Claim.better("A", than="B", on="test/accuracy")
    lost = {("B", s): "diverged" for s in range(6)}
    result = judged(claim, values, seeds=10, statuses=lost)
    barnard = barnard_exact([[10, 4], [0, 6]], n=128).pvalue
    assert result.verdict.verdict == "supported"
    assert result.verdict.p == pytest.approx(2 * barnard / 0.8, rel=1e-3)  # of a look at .04


def test_an_arm_that_diverges_loses():
    values = losses(1.0, math.nan)
    result = judged(
        h.Claim.better("A", than="B"), values, statuses={("B", s): "diverged" for s in range(12)}
    )
    assert result.verdict.verdict == "supported" and result.verdict.effect.mean == math.inf
