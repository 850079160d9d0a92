"""The mixed model, against closed forms and a brute-force maximum of the restricted likelihood."""

import numpy as np
import pytest
from scipy.linalg import null_space
from scipy.optimize import minimize

from harness import stats

SIZES = [(2, 3, 4), (1, 5, 5, 2), (4, 4, 1, 4, 3), (1, 1, 6)]


def drawn(sizes, ratio, seed):
    """Return a group of each size, with σ²_seed = 1 and σ²_search = ratio."""
    rng = np.random.default_rng(seed)
    return [5 + np.sqrt(ratio) * rng.normal() + rng.normal(size=n) for n in sizes]


class Normal:
    """The values as one multivariate normal vector: y ~ N(μ1, σ²_e I + σ²_a ZZᵀ)."""

    def __init__(self, groups):
        self.y = np.concatenate(groups)
        search = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
        self.parts = np.eye(len(self.y)), np.equal.outer(search, search).astype(float)
        # error contrasts: a basis of all that the mean has no part in (Patterson & Thompson 1971)
        self.contrasts = null_space(np.ones((1, len(self.y))))

    def covariance(self, seeds, searches):
        return seeds * self.parts[0] + searches * self.parts[1]

    def deviance(self, seeds, searches):
        """Return −2 log of the contrasts' likelihood, without its constant."""
        a = self.contrasts
        v = a.T @ self.covariance(seeds, searches) @ a
        y = a.T @ self.y
        return np.linalg.slogdet(v)[1] + y @ np.linalg.solve(v, y)

    def largest(self):
        """Return the variances (seeds, searches ≥ 0) of the largest likelihood."""
        found = []
        for start in ((1.0, 0.1), (1.0, 1.0), (0.5, 4.0)):
            found.append(
                minimize(
                    lambda v: self.deviance(*v),
                    start,
                    bounds=[(1e-6, None), (0, None)],
                    method="L-BFGS-B",
                    options={"ftol": 1e-15, "gtol": 1e-9},
                )
            )
        return min(found, key=lambda one: one.fun).x

    def variance(self, seeds, searches):
        """Return the variance of the generalized least-squares mean, 1/(1ᵀV⁻¹1)."""
        return 1 / np.linalg.inv(self.covariance(seeds, searches)).sum()

    def mean(self, seeds, searches):
        inverse = np.linalg.inv(self.covariance(seeds, searches))
        return inverse.sum(axis=0) @ self.y / inverse.sum()

    def degrees(self, seeds, searches):
        """Return 2v²/(gᵀI⁻¹g), g by differences and I from the contrasts' likelihood."""
        point, step = np.array([seeds, searches]), 1e-5 * seeds
        gradient = [
            (self.variance(*(point + move)) - self.variance(*(point - move))) / (2 * step)
            for move in step * np.eye(2)
        ]
        a = self.contrasts
        inverse = np.linalg.inv(a.T @ self.covariance(seeds, searches) @ a)
        own = [inverse @ a.T @ part @ a for part in self.parts]
        information = [[0.5 * np.trace(x @ y) for x in own] for y in own]
        v = self.variance(seeds, searches)
        return 2 * v**2 / (gradient @ np.linalg.solve(information, gradient))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("sizes", SIZES)
def test_the_fit_is_the_largest_restricted_likelihood(sizes, seed):
    groups = drawn(sizes, 2.0, seed)
    fit, model = stats.fit_reml(groups), Normal(groups)
    seeds, searches = model.largest()
    assert model.deviance(fit.seeds, fit.searches) <= model.deviance(seeds, searches) + 1e-6
    assert fit.seeds == pytest.approx(seeds, rel=1e-3)
    assert fit.searches == pytest.approx(searches, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("sizes", SIZES)
def test_the_mean_is_that_of_generalized_least_squares(sizes):
    groups = drawn(sizes, 2.0, seed=5)
    fit, model = stats.fit_reml(groups), Normal(groups)
    assert fit.mean == pytest.approx(model.mean(fit.seeds, fit.searches))
    assert fit.variance == pytest.approx(model.variance(fit.seeds, fit.searches))


@pytest.mark.parametrize("sizes", SIZES)
def test_the_degrees_of_freedom_are_satterthwaites(sizes):
    groups = drawn(sizes, 3.0, seed=6)
    fit, model = stats.fit_reml(groups), Normal(groups)
    assert fit.searches > 0.05, "inside, where differences have two sides"
    assert fit.degrees == pytest.approx(model.degrees(fit.seeds, fit.searches), rel=1e-4)


@pytest.mark.parametrize("ratio", [1.0, 30.0])
@pytest.mark.parametrize("searches, seeds", [(3, 2), (5, 4), (8, 5)])
def test_balanced_groups_have_the_estimators_of_an_analysis_of_variance(searches, seeds, ratio):
    groups = drawn([seeds] * searches, ratio, seed=7)
    x = np.array(groups)
    within = x.var(axis=1, ddof=1).mean()
    between = seeds * x.mean(axis=1).var(ddof=1)
    assert between > within
    fit = stats.fit_reml(groups)
    assert fit.mean == pytest.approx(x.mean())
    assert fit.seeds == pytest.approx(within, rel=1e-5)
    assert fit.searches == pytest.approx((between - within) / seeds, rel=1e-5)
    assert fit.variance == pytest.approx(between / x.size, rel=1e-5)
    assert fit.degrees == pytest.approx(searches - 1, rel=1e-6)


def test_searches_that_differ_less_than_seeds_do_have_no_variance():
    groups = [np.array([0.0, 1.0, 2.0]), np.array([2.1, 0.1, 1.0]), np.array([1.0, 0.0])]
    every = np.concatenate(groups)
    fit = stats.fit_reml(groups)
    assert fit.searches == 0.0
    assert fit.mean == pytest.approx(every.mean())
    assert fit.seeds == pytest.approx(every.var(ddof=1))
    assert fit.variance == pytest.approx(every.var(ddof=1) / 8)


def test_a_search_with_one_run_counts_nearly_as_much_as_others_where_searches_differ_most():
    same = 1e-3 * np.array([-1.0, 0.0, 1.0])
    fit = stats.fit_reml([same, 1 + same, 2 + same, np.array([7.0])])
    assert fit.mean == pytest.approx(10 / 4, abs=1e-3), "the mean of means, not 16/10 of runs"
    assert fit.degrees == pytest.approx(3, abs=0.01)


def test_the_unit_and_the_order_of_searches_change_nothing():
    groups = drawn((2, 3, 4, 1), 2.0, seed=8)
    fit = stats.fit_reml(groups)
    other = stats.fit_reml([100 + 10 * group for group in reversed(groups)])
    assert other.mean == pytest.approx(100 + 10 * fit.mean)
    assert other.variance == pytest.approx(100 * fit.variance, rel=1e-6)
    assert other.searches == pytest.approx(100 * fit.searches, rel=1e-5)
    assert other.degrees == pytest.approx(fit.degrees, rel=1e-6)
