"""Statistics against published numbers, other libraries and closed forms."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import stats
from harness.stats import Reached


@pytest.mark.parametrize(
    "k, q", list(enumerate([1.960, 2.344, 2.569, 2.728, 2.850, 2.948, 3.031, 3.102, 3.164], 2))
)
def test_nemenyi_s_q_as_in_demsar(k, q):
    assert stats.nemenyi_q(k) == pytest.approx(q, abs=1.1e-3)


def test_critical_difference_as_in_demsar():
    assert stats.critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)
    assert stats.critical_difference(4, 14, 0.10) == pytest.approx(1.12, abs=0.005)


def test_friedman_on_demsar_s_table_6():
    c45 = [
        0.763,
        0.599,
        0.954,
        0.628,
        0.882,
        0.936,
        0.661,
        0.583,
        0.775,
        1.000,
        0.940,
        0.619,
        0.972,
        0.957,
    ]
    c45m = [
        0.768,
        0.591,
        0.971,
        0.661,
        0.888,
        0.931,
        0.668,
        0.583,
        0.838,
        1.000,
        0.962,
        0.666,
        0.981,
        0.978,
    ]
    cf = [
        0.771,
        0.590,
        0.968,
        0.654,
        0.886,
        0.916,
        0.609,
        0.563,
        0.866,
        1.000,
        0.965,
        0.614,
        0.9751,
        0.946,
    ]
    both = [
        0.798,
        0.569,
        0.967,
        0.657,
        0.898,
        0.931,
        0.685,
        0.625,
        0.875,
        1.000,
        0.962,
        0.669,
        0.975,
        0.970,
    ]
    scores = np.array([c45, c45m, cf, both]).T
    assert stats.average_ranks(scores, maximize=True) == pytest.approx(
        [3.143, 2.000, 2.893, 1.964], abs=1e-3
    )
    found = stats.friedman(-scores)
    assert found.chi2 == pytest.approx(scipy.stats.friedmanchisquare(*scores.T).statistic)
    assert found.p < 0.05
    ranks = [3.143, 2.000, 2.893, 1.964]
    assert stats.cliques(ranks, stats.critical_difference(4, 14)) == [(3, 1, 2, 0)]
    assert stats.cliques(ranks, stats.critical_difference(4, 14, 0.10)) == [(3, 1, 2), (2, 0)]


def test_rliable_s_own_values():
    x, y = [[1, 2], [2, 2], [1, 1], [2, 1]], [[1, 1], [2, 2], [3, 3]]
    assert (stats.iqm(x), stats.iqm(y)) == (1.5, 2.0)
    assert stats.probability_of_improvement(x, y) == pytest.approx(1 / 3)


def test_algoperf_s_score_and_profile():
    times = [[10, 40, 30], [20, 20, 90], [35, 25, np.inf]]
    assert stats.algoperf_score(times) == pytest.approx([0.8889, 0.6667, 0.3611], abs=5e-5)
    taus = np.linspace(1, 4, 300_001)
    by_sum = np.trapezoid(stats.performance_profile(times, taus), taus, axis=1) / 3
    assert stats.algoperf_score(times) == pytest.approx(by_sum, abs=1e-4)


@pytest.mark.parametrize("method, name", [("percentile", "percentile"), ("bca", "BCa")])
def test_bootstrap_agrees_with_scipy_s(method, name):
    x = np.random.default_rng(0).gamma(2.0, size=40)
    ours = stats.bootstrap(x, rng=np.random.default_rng(1), method=method, resamples=8000)
    hesterberg = 1 - 2 * scipy.stats.norm.sf(np.sqrt(40 / 39) * scipy.stats.t.ppf(0.975, 39))
    theirs = scipy.stats.bootstrap(
        (x,), np.mean, method=name, n_resamples=8000, rng=2, confidence_level=hesterberg
    )
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs.confidence_interval), abs=0.05)


@pytest.mark.parametrize("n", [10, 20])
def test_bootstrap_covers_the_truth_with_few_values_too(n):
    rng = np.random.default_rng(n)
    hits = [
        stats.bootstrap(rng.normal(size=n), rng=rng, method="percentile", resamples=400)
        for _ in range(600)
    ]
    assert np.mean([i.low <= 0 <= i.high for i in hits]) > 0.92


def test_bootstrap_is_named_by_its_generator():
    x = np.random.default_rng(0).normal(size=12)
    same = [stats.bootstrap(x, rng=np.random.default_rng(5)) for _ in range(2)]
    assert same[0] == same[1] != stats.bootstrap(x, rng=np.random.default_rng(6))


def test_stratified_bootstrap_keeps_the_tasks_apart():
    tasks = np.array([[0.0, 100.0]] * 6)
    assert stats.bootstrap(tasks, stats.iqm, rng=np.random.default_rng(0)) == (50.0, 50.0, 50.0)


def test_permutation_and_wilcoxon_agree_with_scipy_s():
    rng = np.random.default_rng(3)
    d = rng.normal(0.4, 1, 10)
    exact = scipy.stats.permutation_test(
        (d,), np.sum, permutation_type="samples", n_resamples=np.inf
    )
    assert stats.permutation(d) == pytest.approx(exact.pvalue)
    assert stats.wilcoxon(d) == pytest.approx(scipy.stats.wilcoxon(d, method="exact").pvalue)
    many = rng.normal(0.3, 1, 30)
    assert stats.permutation(many) == pytest.approx(
        scipy.stats.ttest_1samp(many, 0).pvalue, abs=0.02
    )


def test_a_diverged_arm_is_told_apart_from_one_that_is_not():
    found = stats.compare_paired([math.inf] * 8, np.linspace(1, 2, 8))
    assert found.difference.mean == math.inf and found.p == pytest.approx(2 / 2**8)


def test_effect_sizes():
    rng = np.random.default_rng(4)
    a, b = rng.normal(1, 1, 9), rng.normal(0, 1, 12)
    assert stats.cliffs_delta(a, b) == pytest.approx(
        2 * scipy.stats.mannwhitneyu(a, b).statistic / (9 * 12) - 1
    )
    t = scipy.stats.ttest_ind(a, b).statistic
    assert stats.cohen_d(a, b) == pytest.approx(t * math.sqrt(1 / 9 + 1 / 12))
    assert stats.hedges_g(a, b) == pytest.approx(stats.cohen_d(a, b) * (1 - 3 / 75))


@pytest.mark.parametrize("effect, seeds", [(0.2, 199), (0.5, 34), (0.8, 15), (1.2, 8)])
def test_seeds_needed_as_gpower_says(effect, seeds):
    assert stats.seeds_needed(effect) == seeds


def test_seeds_needed_reach_the_power_promised():
    rng, n = np.random.default_rng(5), stats.seeds_needed(0.7)
    seen = [stats.compare_paired(rng.normal(0.7, 1, n), np.zeros(n)).p <= 0.05 for _ in range(2000)]
    assert 0.78 <= np.mean(seen) <= 0.86


def test_factorial_effects_agree_with_a_regression_by_hand():
    rng = np.random.default_rng(6)
    x = (
        rng.normal(size=(3, 2, 4, 6))
        + np.arange(3)[:, None, None, None]
        + 2 * np.arange(2)[:, None, None]
    )
    found = {e.factors: e for e in stats.factorial_effects(x, ["a", "b", "c"])}
    assert sum(e.share for e in found.values()) < 1
    one = stats.factorial_effects(x.mean(axis=(1, 2)), ["a"])[0]
    assert found["a",].f == pytest.approx(one.f) and found["a",].df == (2, 10)
    two = scipy.stats.ttest_rel(x[:, 0].mean(axis=(0, 1)), x[:, 1].mean(axis=(0, 1)))
    assert found["b",].f == pytest.approx(two.statistic**2) and found["b",].p == pytest.approx(
        two.pvalue
    )
    mean = x.mean()
    squares = 6 * 4 * 2 * ((x.mean(axis=(1, 2, 3)) - mean) ** 2).sum()
    assert found["a",].share == pytest.approx(squares / ((x - mean) ** 2).sum())


def test_interaction_of_two_levels_is_the_test_of_the_double_difference():
    x = np.random.default_rng(7).normal(size=(2, 2, 9))
    both = stats.factorial_effects(x, ["a", "b"])[-1]
    double = scipy.stats.ttest_1samp(x[1, 1] - x[1, 0] - x[0, 1] + x[0, 0], 0)
    assert both.f == pytest.approx(double.statistic**2) and both.p == pytest.approx(double.pvalue)


def test_page_s_trend_agrees_with_scipy_s():
    x = np.random.default_rng(8).normal(size=(12, 5)) + 0.3 * np.arange(5)
    one_sided = scipy.stats.page_trend_test(x, method="asymptotic").pvalue
    assert stats.monotone_trend(x).p == pytest.approx(2 * one_sided)


def test_trend_names_the_step_that_turns():
    x = np.random.default_rng(9).normal(0, 0.1, (10, 4)) + np.array([0, 2, 1, 3])
    assert stats.monotone_trend(x).reversal[0] == 1 and stats.monotone_trend(x).reversal[1] < 1e-3


LEUKAEMIA = [6, 6, 6, 7, 10, 13, 16, 22, 23], [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]


def test_kaplan_meier_on_freireich_s_remission_times():
    """6-MP arm of Freireich et al. 1963: S(6) = 0.857, S(10) = 0.753, S(23) = 0.448, Greenwood's errors 0.076 and 0.135."""
    reached = [Reached(t, False) for t in LEUKAEMIA[0]] + [Reached(t, True) for t in LEUKAEMIA[1]]
    found = stats.kaplan_meier(reached)
    at = dict(zip(found.times, zip(found.share, found.low, found.high, strict=True), strict=True))
    assert [round(at[t][0], 3) for t in (6, 10, 23)] == [0.857, 0.753, 0.448]
    assert at[6][1:] == pytest.approx((0.620, 0.952), abs=1e-3)
    assert at[23][1:] == pytest.approx((0.188, 0.680), abs=2e-3)


def test_restricted_mean_without_censoring_is_the_mean_with_its_t_interval():
    times = np.array([3.0, 5.0, 8.0, 9.0, 20.0])
    found = stats.restricted_mean([Reached(t, False) for t in times], 10.0)
    assert found == pytest.approx(stats.mean_interval(np.minimum(times, 10.0)))


def test_expected_max_is_the_mean_over_all_samples_with_replacement():
    import itertools

    values = [0.3, 1.5, 0.9, 0.2]
    for n in (1, 2, 3):
        by_hand = np.mean([max(s) for s in itertools.product(values, repeat=n)])
        assert stats.expected_max(values, n) == pytest.approx(by_hand)


def test_expected_best_turns_with_the_direction_and_survives_divergence():
    values, rng = [0.5, 0.7, math.inf, 0.6], np.random.default_rng(0)
    low = stats.expected_best(values, [1, 4], False, rng)
    assert low[0].mean > low[1].mean >= 0.5 and low[0].low <= low[0].mean <= low[0].high
    high = stats.expected_best([0.5, 0.7, -math.inf], [1, 3], True, rng)
    assert high[1].mean > high[0].mean


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 50), min_size=1, max_size=6, unique=True))
def test_spending_spends_all_and_no_more(looks):
    assert sum(stats.spending(sorted(looks))) == pytest.approx(0.05)


def test_looking_five_times_calls_no_more_differences_than_looking_once():
    rng, looks = np.random.default_rng(10), [5, 10, 15, 20, 25]
    levels, called, naive = stats.spending(looks), 0, 0
    for _ in range(2000):
        d = rng.normal(size=(3, 25))
        p = [[stats.compare_paired(row[:n], np.zeros(n)).p for row in d] for n in looks]
        called += any(q <= 0.05 for _, q in stats.decide(p, levels))
        naive += any(min(row) <= 0.05 for row in p)
    assert called / 2000 <= 0.06 < naive / 2000


def test_verdicts_on_margins():
    rng = np.random.default_rng(11)
    base = rng.normal(size=12)
    near, far = base + rng.normal(0, 0.05, 12), base + 1 + rng.normal(0, 0.05, 12)
    equal = stats.equivalent(near, base, 0.2)
    assert equal.favours and equal.p < 0.01
    unequal = stats.equivalent(far, base, 0.2)
    assert not unequal.favours and unequal.p < 0.01
    assert stats.superior(near, base, -0.2).favours and stats.superior(near, base, -0.2).p < 0.01
    assert not stats.superior(far, base, 2.0).favours and stats.superior(
        far, base, 2.0
    ).effect.mean == pytest.approx(1, abs=0.1)


def test_equivalence_is_two_one_sided_tests():
    rng = np.random.default_rng(12)
    a, b = rng.normal(0, 1, 15), rng.normal(0, 1, 15)
    lower = scipy.stats.ttest_1samp(a - b, -2, alternative="greater").pvalue
    upper = scipy.stats.ttest_1samp(a - b, 2, alternative="less").pvalue
    assert stats.equivalent(a, b, 2.0).p == pytest.approx(2 * max(lower, upper))
