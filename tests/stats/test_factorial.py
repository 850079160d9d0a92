"""Factorial effects against regressions, t-tests, simulation and all changes of sign by hand."""

import itertools
import math

import numpy as np
import pytest
import scipy.stats

from harness import stats
from harness.stats.factorial import contrasts_of


def interaction(x, **options):
    return stats.factorial_effects(x, ["a", "b"], **options)[-1]


def test_contrasts_of_all_effects_are_a_basis():
    sets = [axes for size in range(4) for axes in itertools.combinations(range(3), size)]
    whole = np.concatenate([contrasts_of((3, 2, 4), axes) for axes in sets])
    assert whole @ whole.T == pytest.approx(np.eye(24), abs=1e-12)


def test_effects_are_listed_by_size_up_to_the_order_asked_for():
    x = np.random.default_rng(18).normal(size=(2, 2, 2, 3))
    names = [e.factors for e in stats.factorial_effects(x, "abc")]
    assert names == [("a",), ("b",), ("c",), ("a", "b"), ("a", "c"), ("b", "c"), ("a", "b", "c")]
    assert [e.factors for e in stats.factorial_effects(x, "abc", order=2)] == names[:-1]
    assert stats.factorial_effects(x, "abc")[-1].df == (1, 2)


def test_the_f_of_a_factor_is_that_of_its_sums_of_squares():
    rng = np.random.default_rng(6)
    x = rng.normal(size=(3, 2, 4, 6)) + np.arange(3)[:, None, None, None]
    found = {e.factors: e for e in stats.factorial_effects(x, ["a", "b", "c"])}
    y = x.mean(axis=(1, 2))
    between = 6 * ((y.mean(1) - y.mean()) ** 2).sum() / 2
    rest = y - y.mean(1, keepdims=True) - y.mean(0) + y.mean()
    assert found["a",].f == pytest.approx(between / ((rest**2).sum() / 10))
    assert found["a",].df[1] == pytest.approx(5 * found["a",].df[0]) and found["a",].df[0] < 2
    two = scipy.stats.ttest_rel(x[:, 0].mean(axis=(0, 1)), x[:, 1].mean(axis=(0, 1)))
    assert found["b",].f == pytest.approx(two.statistic**2)
    assert found["b",].p == pytest.approx(two.pvalue) and found["b",].df == (1, 5)


def test_interaction_of_two_levels_is_the_test_of_the_double_difference():
    x = np.random.default_rng(7).normal(size=(2, 2, 9))
    double = scipy.stats.ttest_1samp(x[1, 1] - x[1, 0] - x[0, 1] + x[0, 0], 0)
    assert interaction(x).f == pytest.approx(double.statistic**2)
    assert interaction(x).p == pytest.approx(double.pvalue)


def test_epsilon_is_box_s():
    # Geisser and Greenhouse (1958): ε = k²(v̄_ii − v̄)²/((k − 1)(Σv_ij² − 2kΣv̄_i² + k²v̄²))
    x = np.random.default_rng(3).normal(size=(4, 7)) * np.array([[1.0], [2.0], [5.0], [1.0]])
    v, k = np.cov(x), 4
    below = (k - 1) * ((v**2).sum() - 2 * k * (v.mean(1) ** 2).sum() + k**2 * v.mean() ** 2)
    epsilon = k**2 * (np.diag(v).mean() - v.mean()) ** 2 / below
    assert stats.factorial_effects(x, ["a"])[0].df == pytest.approx((3 * epsilon, 18 * epsilon))


def test_from_ten_blocks_on_p_is_the_share_of_sign_changes():
    x = np.random.default_rng(8).normal(size=(2, 3, 10)) + np.eye(2, 3)[:, :, None]
    free = x - x.mean(0) - x.mean(1, keepdims=True) + x.mean((0, 1))
    lengths = [
        (np.einsum("abs,s->ab", free, s) ** 2).sum() for s in itertools.product((1, -1), repeat=10)
    ]
    assert interaction(x).p == pytest.approx(np.mean(lengths >= lengths[0] * (1 - 1e-9)))


def test_omega_squared_of_a_balanced_design():
    # ω² = df(F − 1)/(df(F − 1) + N) with N runs (Olejnik & Algina 2003), and λ by SciPy's law of F
    x = np.random.default_rng(4).normal(size=(2, 2, 8)) + 2 * np.eye(2)[:, :, None]
    found = interaction(x)
    assert found.omega.mean == pytest.approx((found.f - 1) / (found.f - 1 + 32))
    for end, quantile in zip(found.omega[1:], (0.975, 0.025), strict=True):
        noncentral = 32 * end / (1 - end)
        assert scipy.stats.ncf.cdf(found.f, 1, 7, noncentral) == pytest.approx(quantile)


@pytest.mark.parametrize("truth", [0.0, 0.3, 0.8])
def test_the_interval_of_omega_squared_covers(truth):
    # the fault: the share's percentile interval never covered 0 where there is no interaction
    rng = np.random.default_rng(5)
    sign = np.array([[1, -1], [-1, 1]])[:, :, None] * math.sqrt(truth / (1 - truth))
    omegas = [interaction(rng.normal(size=(2, 2, 6)) + sign).omega for _ in range(300)]
    covered = np.mean([o.low <= truth <= o.high for o in omegas])
    assert covered >= 0.93 and all(0 <= o.low <= o.mean <= o.high < 1 for o in omegas)


@pytest.mark.parametrize("seeds", [4, 7, 10])
def test_the_level_holds_where_one_cell_has_ten_times_the_spread(seeds):
    # the fault: .16 by the plain F
    rng = np.random.default_rng(seeds)
    spread = np.ones((3, 3, 1))
    spread[0, 0] = 10
    p = [interaction(rng.normal(size=(3, 3, seeds)) * spread).p for _ in range(500)]
    assert np.mean(np.array(p) <= 0.05) <= 0.06 + 0.02  # two standard errors


def test_an_interaction_is_found():
    x = np.random.default_rng(9).normal(0, 0.3, (2, 3, 5)) + np.eye(2, 3)[:, :, None]
    assert interaction(x).p < 0.01 and interaction(x).omega.low > 0


def test_a_method_is_judged_by_means_of_its_searches():
    x_ABKS = np.random.default_rng(10).normal(size=(2, 3, 6, 4))
    means = x_ABKS.mean(axis=-1)
    method = stats.factorial_effects(x_ABKS, ["a", "b"], scope="method")
    assert method == stats.factorial_effects(means, ["a", "b"])


def test_winners_are_judged_by_the_spread_within_searches():
    rng = np.random.default_rng(11)
    searches = 5 * rng.normal(size=(2, 3, 3, 1))
    x_ABKS = rng.normal(size=(2, 3, 3, 3)) + searches - searches.mean(axis=2, keepdims=True)
    found = interaction(x_ABKS)
    y = x_ABKS - x_ABKS.mean(axis=0) - x_ABKS.mean(axis=1, keepdims=True) + x_ABKS.mean((0, 1))
    within = ((y - y.mean(axis=-1, keepdims=True)) ** 2).sum() / (2 * 6)
    assert found.f == pytest.approx(9 * (y.mean((2, 3)) ** 2).sum() / 2 / within)
    assert found.df[1] == pytest.approx(6 * found.df[0])


def test_too_few_blocks_decide_nothing():
    x = np.random.default_rng(12).normal(0, 1e-3, (2, 2, 3)) + np.eye(2)[:, :, None]
    assert interaction(x).p == 1.0 and interaction(x).omega.low > 0
    one = interaction(x[..., :1])
    assert one.p == 1.0 and one.omega == (0, 0, 1)
    assert math.isnan(interaction(np.full((2, 2, 3), math.nan)).omega.mean)


def test_outcomes_without_noise_or_without_any_difference():
    clear = stats.factorial_effects([[1.0] * 5, [2.0] * 5], ["a"])[0]
    assert (clear.omega.mean, clear.f, clear.p) == (1.0, math.inf, 2 / 2**5)
    flat = stats.factorial_effects([[0.1] * 5, [0.1] * 5], ["a"])[0]
    assert (flat.omega.mean, flat.f, flat.p) == (0.0, 0.0, 1.0)


def test_values_in_steps_have_the_spread_of_their_rounding():
    x = np.zeros((2, 2, 4))
    x[0, 0] = 0.01
    # a double difference of one step r, of four cells whose rounding has a variance of r²/12
    assert interaction(x, resolution=0.01).f == pytest.approx(4 / (4 / 12))
    assert interaction(x).f == math.inf and interaction(x).p == 2 / 2**4


def test_a_diverged_run_leaves_the_effect_unknown():
    x = np.zeros((2, 2, 4))
    x[0, 0, 0] = math.inf
    assert interaction(x).p == 1.0 and interaction(x).omega == (math.inf, -math.inf, math.inf)


@pytest.mark.parametrize("shape, names", [((2, 3), ["a", "b"]), ((2, 2, 2, 3), ["a"])])
def test_a_shape_that_does_not_fit_is_refused(shape, names):
    with pytest.raises(ValueError, match="an axis for each"):
        stats.factorial_effects(np.zeros(shape), names)
    with pytest.raises(ValueError, match="two levels or more"):
        stats.factorial_effects(np.zeros((1, 3, 4)), ["a", "b"])
