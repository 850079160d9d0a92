"""Designs of two stages: closed forms, G*Power's numbers, all designs tried, and simulation."""

import itertools
import math

import numpy as np
import pytest

from harness import stats
from harness.stats import Variances


@pytest.mark.parametrize("effect, pairs", [(0.5, 34), (0.8, 15), (1.0, 10), (0.2, 199)])
def test_arms_that_are_not_tuned_take_the_pairs_that_gpower_says(effect, pairs):
    design = stats.cheapest_design(effect, Variances(0.0, 1.0), search_cost=0)
    assert (design.searches, design.seeds, design.cost) == (pairs, 1, pairs)
    assert design.power >= 0.8 > stats.power_of(effect, Variances(0.0, 1.0), pairs - 1, 1)


def test_the_best_number_of_seeds_tells_most_for_its_cost():
    variances, cost = Variances(0.3, 2.0), 24.0
    best = stats.best_seeds(variances, cost)
    seeds = np.linspace(1, 60, 5901)
    variance = (cost + seeds) * (variances.searches + variances.seeds / seeds)
    assert best == pytest.approx(seeds[variance.argmin()], abs=0.01)
    assert best == pytest.approx(math.sqrt(24 / (0.3 / 2.0)))
    assert stats.best_seeds(Variances(0.0, 1.0), 8) == math.inf
    assert stats.best_seeds(Variances(0.0, 1.0), 0) == 0


@pytest.mark.parametrize("effect", [0.3, 0.8, 5.0])
@pytest.mark.parametrize("variances", [Variances(0.25, 1.0), Variances(2.0, 0.5)])
def test_no_design_is_cheaper(effect, variances):
    found = stats.cheapest_design(effect, variances, 16)
    costs = [
        searches * (16 + seeds)
        for searches, seeds in itertools.product(range(5, 220), range(1, 40))
        if searches * (16 + seeds) < found.cost + 20
        and stats.power_of(effect, variances, searches, seeds) >= 0.8
    ]
    assert found.cost == min(costs) and found.power >= 0.8


def test_no_split_of_the_same_runs_finds_more():
    variances, budget = Variances(0.25, 1.0), 8 * (16 + 5)
    split = stats.best_split(0.6, variances, 16, budget)
    powers = {
        (searches, seeds): stats.power_of(0.6, variances, searches, seeds)
        for searches in range(5, 11)
        for seeds in range(1, 30)
        if searches * (16 + seeds) <= budget
    }
    assert split.power == max(powers.values()) > powers[8, 5] - 1e-12
    assert powers[split.searches, split.seeds] == split.power and split.cost <= budget
    assert stats.best_split(0.6, variances, 16, 84) is None


def test_designs_have_the_power_that_they_promise():
    rng, variances = np.random.default_rng(0), Variances(0.5, 1.0)
    design = stats.cheapest_design(0.7, variances, 16)
    shape, found, studies = (design.searches, design.seeds), 0, 2000
    for _ in range(studies):
        a_K = rng.normal(0, math.sqrt(variances.searches), shape[0])
        d_KS = 0.7 + a_K[:, None] + rng.normal(0, math.sqrt(variances.seeds), shape)
        found += stats.mean_test(d_KS, scope="method").p <= 0.05
    assert found / studies == pytest.approx(design.power, abs=0.03)


def test_effects_that_none_or_any_design_finds():
    assert stats.cheapest_design(0.0, Variances(0.1, 1.0), 16) is None
    assert stats.cheapest_design(1e-4, Variances(0.1, 1.0), 16) is None
    assert stats.cheapest_design(1.0, Variances(0.0, 0.0), 16)[:3] == (5, 1, 1.0)
    assert stats.power_of(0.0, Variances(0.0, 0.0), 5, 1) == 0.0
    assert stats.power_of(-1e9, Variances(0.1, 1.0), 5, 1) == 1.0


def test_a_stricter_level_takes_more():
    plain = stats.cheapest_design(0.5, Variances(0.25, 1.0), 16)
    strict = stats.cheapest_design(0.5, Variances(0.25, 1.0), 16, alpha=0.01)
    surer = stats.cheapest_design(0.5, Variances(0.25, 1.0), 16, power=0.95)
    assert plain.cost < strict.cost and plain.cost < surer.cost
