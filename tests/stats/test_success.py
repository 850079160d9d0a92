"""How many runs ended well, against SciPy, exact fractions and all that can happen."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import scipy.stats

from harness import stats

INF = math.inf


def wald(x, y, runs):
    """Return the square of the pooled Wald statistic, exactly."""
    pooled = Fraction(x + y, 2 * runs)
    error = pooled * (1 - pooled) * 2 * runs
    return Fraction((x - y) ** 2) / error if error else Fraction(0)


def exact_barnard(mine, other, runs):
    """Return Barnard's p: equal statistics are equal as fractions; the maximum by a fine grid."""
    tables = itertools.product(range(runs + 1), repeat=2)
    extreme = [(x, y) for x, y in tables if wald(x, y, runs) >= wald(mine, other, runs)]
    pi = np.linspace(0, 1, 4001)
    pmf = [scipy.stats.binom.pmf(x, runs, pi) for x in range(runs + 1)]
    return min(1.0, max(sum(pmf[x] * pmf[y] for x, y in extreme)))


@pytest.mark.parametrize(
    "mine, other, runs",
    [(4, 0, 4), (1, 0, 4), (3, 0, 5), (5, 0, 5), (4, 1, 5), (9, 3, 10), (10, 7, 10), (20, 14, 20)],
)
def test_barnards_p_is_that_of_exact_fractions(mine, other, runs):
    p = stats.barnard(mine, other, runs)
    assert p == pytest.approx(exact_barnard(mine, other, runs), rel=1e-4)
    assert stats.barnard(other, mine, runs) == pytest.approx(p)
    assert stats.barnard(runs - mine, runs - other, runs) == pytest.approx(p)


@pytest.mark.parametrize(
    "mine, other, runs", [(4, 0, 4), (1, 0, 4), (5, 0, 5), (10, 7, 10), (20, 14, 20), (8, 0, 10)]
)
def test_barnards_p_is_scipys(mine, other, runs):
    """But for tables whose statistic others equal, which SciPy rounds apart: (3, 0, 5)."""
    table = [[mine, other], [runs - mine, runs - other]]
    theirs = scipy.stats.barnard_exact(table, pooled=True).pvalue
    assert stats.barnard(mine, other, runs) == pytest.approx(theirs, rel=1e-3)


@pytest.mark.parametrize("runs", [4, 5, 10])
def test_barnards_test_keeps_its_level(runs):
    decided = [
        (x, y)
        for x, y in itertools.product(range(runs + 1), repeat=2)
        if stats.barnard(x, y, runs) <= 0.05
    ]
    pi = np.linspace(0, 1, 301)
    pmf = [scipy.stats.binom.pmf(x, runs, pi) for x in range(runs + 1)]
    level = max(sum(pmf[x] * pmf[y] for x, y in decided))
    assert 0.005 < level <= 0.05


def test_an_arm_that_diverged_in_five_of_five_is_behind():
    """It was "not distinguishable" from the best: no exact rank test of five has p < .0625."""
    success = stats.success_of([-INF] * 5, [1.0, 1.1, 0.9, 1.0, 1.2])
    assert success == (0, 5, 5, pytest.approx(2 / 2**10))
    assert stats.success_of([-INF] * 10, [1.0] * 10).p * 26 < 0.05, "of 27 arms, .0508 before"


def test_missing_runs_are_no_failures():
    mine = [1.0, -INF, math.nan, -INF, -INF, -INF, math.nan]
    other = [1.0, 1.0, 1.0, 1.0, 1.0, math.nan, -INF]
    # four pairs are whole: one good run against four
    assert stats.success_of(mine, other) == (1, 4, 4, stats.barnard(1, 4, 4))


def test_either_infinity_is_a_run_that_diverged():
    lost = stats.success_of([INF] * 4 + [1.0], [1.0] * 5)
    assert lost[:3] == (1, 5, 5) and lost.p == stats.barnard(1, 5, 5) < 0.05


@pytest.mark.parametrize("scope", ["method", "winner"])
def test_equally_many_or_fewer_than_four_runs_say_nothing(scope):
    same = stats.success_of([-INF, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, -INF], scope)
    assert same == (3, 3, 4, 1.0)
    assert stats.success_of([-INF] * 3, [1.0] * 3, scope) == (0, 3, 3, 1.0)
    assert stats.success_of(np.full((3, 1), -INF), np.ones((3, 1)), scope).p == 1.0


def test_one_search_says_nothing_about_a_method():
    assert stats.success_of([-INF] * 9, [1.0] * 9, "method") == (0, 9, 9, 1.0)
    assert stats.success_of([-INF] * 9, [1.0] * 9, "winner").p < 1e-4


@pytest.mark.parametrize("scope", ["method", "winner"])
def test_runs_of_several_searches_are_compared_by_the_shares_of_each(scope):
    """A winner that diverges does so in most of its runs: they are no independent ones."""
    a = np.ones((5, 4))
    a[0] = a[1, :2] = a[2, 0] = -INF
    b = np.ones((5, 4))
    b[4, 1] = -INF
    success = stats.success_of(a, b, scope)
    assert success[:3] == (13, 19, 20)
    shares = [-1, -0.5, -0.25, 0, 0.25]
    assert success.p == pytest.approx(scipy.stats.ttest_1samp(shares, 0).pvalue)
    assert success.p > 2 * stats.barnard(13, 19, 20)


def test_shares_that_are_all_alike_have_the_spread_of_their_steps():
    """All of 5 × 3 runs diverged: se² = r²/(6n) with r² = 1/3 and n = 15, and not 0."""
    p = stats.success_of(np.full((5, 3), -INF), np.ones((5, 3)), "method").p
    t = 1 / math.sqrt(1 / 3 / (6 * 15))
    assert p == pytest.approx(2 * scipy.stats.t.sf(t, 4)) and 0 < p < 1e-3


@pytest.mark.parametrize("searches", [3, 4, 5, 6])
@pytest.mark.parametrize("seeds", [1, 3])
def test_winners_that_diverge_by_chance_are_rarely_told_apart(searches, seeds):
    """Each search freezes one that diverges always, in half of the cases, in both arms."""
    level = 0.0
    for lost in itertools.product([(1, 1), (1, -1), (-1, 1), (-1, -1)], repeat=searches):
        ends = np.array(lost)[:, :, None] * np.full(seeds, INF)
        values = np.where(ends > 0, 1.0, ends)
        p = stats.success_of(values[:, 0], values[:, 1], "method").p
        level += (p <= 0.05) / 4**searches
    assert level <= 0.05
    assert level > 0 or (searches, seeds) == (3, 1)
