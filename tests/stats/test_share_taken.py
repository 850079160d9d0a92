"""Which share is taken away: against Fieller's closed form, and simulation."""

import math

import numpy as np
import pytest
import scipy.stats

from harness import stats

INF = math.inf


def pairs(base, cured, n=8, spread=0.3, rng=None):
    rng = rng or np.random.default_rng(1)
    shared = rng.normal(0, spread, n)
    return (m + shared + rng.normal(0, spread, n) for m in (base, cured))


def verdict(found):
    return stats.judge(found.evidence, found.evidence.p).verdict


def fieller(b, c, level=0.95):
    """The roots of (c̄ − ρb̄)² = t²(v_cc − 2ρv_bc + ρ²v_bb), as in Fieller (1954)."""
    v = np.cov(b, c) / len(b)
    t2 = scipy.stats.t.ppf(0.5 + level / 2, len(b) - 1) ** 2
    square = b.mean() ** 2 - t2 * v[0, 0]
    linear = -2 * (b.mean() * c.mean() - t2 * v[0, 1])
    low, high = sorted(np.roots([square, linear, c.mean() ** 2 - t2 * v[1, 1]]))
    return 1 - high, 1 - low


@pytest.mark.parametrize("base, cured", [(2.0, 1.0), (1.0, 1.5), (0.6, 0.1)])
@pytest.mark.parametrize("level", [0.95, 0.8])
def test_the_interval_is_fieller_s(base, cured, level):
    b, c = pairs(base, cured)
    found = stats.share_taken(b, c, level=level)
    assert found.defined and found.base.mean == pytest.approx(b.mean())
    assert found.evidence.effect.mean == pytest.approx(1 - c.mean() / b.mean())
    assert found.evidence.effect[1:] == pytest.approx(fieller(b, c, level))


def test_the_test_is_of_the_contrast_that_the_interval_shows():
    rng = np.random.default_rng(2)
    for _ in range(100):
        b, c = pairs(1.0, 0.4, rng=rng)
        found = stats.share_taken(b, c, share=0.5)
        if not found.defined:
            continue
        contrast, there = scipy.stats.ttest_1samp([0.5 * b - c, b], 0, axis=1).pvalue
        assert found.evidence.p == pytest.approx(max(contrast, there))
        effect = found.evidence.effect
        assert (contrast <= 0.05) == (not effect.low <= 0.5 <= effect.high)


@pytest.mark.parametrize("share, word", [(0.2, "supported"), (0.8, "smaller than claimed")])
def test_a_share_is_taken_or_it_is_less(share, word):
    assert verdict(stats.share_taken(*pairs(2.0, 1.0, spread=0.1), share)) == word


def test_what_makes_it_worse_is_the_opposite():
    assert verdict(stats.share_taken(*pairs(1.0, 2.0, spread=0.1), 0.5)) == "opposite"


@pytest.mark.parametrize("base", [-1.0, 0.0])
def test_of_nothing_no_share_is_taken(base):
    # the fault: a base gap of −1 was "cured" by a gap of −2
    found = stats.share_taken(*pairs(base, -2.0))
    assert not found.defined and found.evidence.p == 1.0 and verdict(found) == "undecided"
    assert math.isnan(found.evidence.effect.mean) and found.evidence.effect[1:] == (-INF, INF)
    assert found.base.mean == pytest.approx(base, abs=0.3)


def test_the_interval_covers_the_share():
    rng = np.random.default_rng(3)
    found = [stats.share_taken(*pairs(1.0, 0.3, 6, rng=rng)).evidence for _ in range(300)]
    assert np.mean([e.effect.low <= 0.7 <= e.effect.high for e in found]) >= 0.93


def test_nothing_taken_is_seldom_called_a_share():
    rng = np.random.default_rng(4)
    p = [stats.share_taken(*pairs(1.0, 0.5, 6, rng=rng), 0.5).evidence.p for _ in range(300)]
    assert np.mean(np.array(p) <= 0.05) <= 0.05 + 0.025


def test_a_method_goes_by_its_searches():
    rng = np.random.default_rng(5)
    b_KS, c_KS = 2 + rng.normal(0, 0.3, (6, 4)), 1 + rng.normal(0, 0.3, (6, 4))
    method = stats.share_taken(b_KS, c_KS, scope="method")
    assert method.evidence.effect[1:] == pytest.approx(fieller(b_KS.mean(1), c_KS.mean(1)))
    means = stats.share_taken(b_KS.mean(1), c_KS.mean(1))
    assert method.evidence.p == pytest.approx(means.evidence.p)
    assert stats.share_taken(b_KS, c_KS).evidence.effect.low != method.evidence.effect.low


def test_runs_that_miss_are_left_out_of_a_method():
    rng = np.random.default_rng(6)
    b_KS, c_KS = 2 + rng.normal(0, 0.3, (6, 4)), 1 + rng.normal(0, 0.3, (6, 4))
    b_KS[0, 0] = math.nan
    effect = stats.share_taken(b_KS, c_KS, scope="method").evidence.effect
    assert effect.low < effect.mean < effect.high and effect.mean == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    "base, cured, word, share",
    [(INF, 1.0, "supported", 1.0), (1.0, INF, "opposite", -INF), (INF, INF, "undecided", None)],
)
def test_an_infinite_loss_is_all_taken_away_or_put_there(base, cured, word, share):
    found = stats.share_taken([base] * 6, [cured] * 6)
    assert verdict(found) == word
    if share is not None:
        assert found.evidence.effect == (share, -INF, INF) and found.defined


def test_a_run_that_diverges_under_the_cure_speaks_against_it():
    b, c = pairs(2.0, 1.0)
    surely = stats.share_taken(b, c).evidence.p
    c[0] = INF
    found = stats.share_taken(b, c).evidence
    assert found.p > surely and found.effect.mean == pytest.approx(1 - c[1:].mean() / b[1:].mean())


def test_values_without_any_spread_have_one_share():
    found = stats.share_taken([2.0] * 5, [0.5] * 5)
    assert found.evidence.effect == pytest.approx((0.75,) * 3) and found.evidence.p == 2 / 2**5


def test_what_was_not_recorded_has_no_share():
    found = stats.share_taken([math.nan] * 4, [1.0] * 4)
    assert np.isnan(found.evidence.effect).all() and found.evidence.p == 1.0
