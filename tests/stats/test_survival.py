"""Kaplan–Meier curves and restricted means against published remission times."""

import math

import numpy as np
import pytest
import scipy.stats

from harness import stats
from harness.stats import Reached


def test_curves_agree_with_scipy_s():
    times = [2.0, 3.0, 3.0, 5.0, 8.0, 8.0, 9.0]
    censored = [False, True, False, False, True, False, True]
    curve = stats.kaplan_meier([Reached(t, c) for t, c in zip(times, censored, strict=True)], 0.9)
    sample = scipy.stats.CensoredData(
        [t for t, c in zip(times, censored, strict=True) if not c],
        right=[t for t, c in zip(times, censored, strict=True) if c],
    )
    sf = scipy.stats.ecdf(sample).sf
    assert curve.times.tolist() == [0.0, 2.0, 3.0, 5.0, 8.0]
    assert curve.share == pytest.approx(sf.evaluate(curve.times))
    band = sf.confidence_interval(0.9, method="log-log")
    assert curve.low[1:] == pytest.approx(band.low.evaluate(curve.times[1:]))
    assert curve.high[1:] == pytest.approx(band.high.evaluate(curve.times[1:]))
    assert (curve.low[0], curve.high[0]) == (1.0, 1.0)


def test_where_all_have_arrived_the_curve_is_zero_without_width():
    curve = stats.kaplan_meier([Reached(1.0, False), Reached(2.0, False)])
    assert (curve.share[-1], curve.low[-1], curve.high[-1]) == (0.0, 0.0, 0.0)
    assert curve.low[1] < 0.5 < curve.high[1]


def test_restricted_mean_with_censoring_by_hand():
    """S is 1 to 2, 3/4 to 4, 3/8 to 9, where two of four were censored at 3 and 9."""
    reached = [Reached(2.0, False), Reached(3.0, True), Reached(4.0, False), Reached(9.0, True)]
    mean = 2 + 0.75 * 2 + 0.375 * 5
    variance = (mean - 2) ** 2 * 1 / (4 * 3) + 1.875**2 * 1 / (2 * 1)
    half = scipy.stats.t.ppf(0.95, 3) * math.sqrt(variance * 4 / 3)
    interval = stats.restricted_mean(reached, 9.0, level=0.9)
    assert interval == pytest.approx((mean, mean - half, mean + half))


def test_arrivals_at_the_horizon_add_nothing():
    reached = [Reached(2.0, False), Reached(4.0, False)]
    assert stats.restricted_mean(reached, 4.0) == pytest.approx(stats.mean_interval([2.0, 4.0]))


def test_one_run_says_nothing_of_the_spread():
    one = stats.restricted_mean([Reached(2.0, False)], 4.0)
    assert one == (2.0, -math.inf, math.inf)


LEUKAEMIA = [6, 6, 6, 7, 10, 13, 16, 22, 23], [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]


def test_kaplan_meier_on_freireich_s_remission_times():
    """6-MP arm of Freireich et al. 1963: S(6) = 0.857, S(10) = 0.753, S(23) = 0.448, Greenwood's errors 0.076 and 0.135."""
    reached = [Reached(t, False) for t in LEUKAEMIA[0]] + [Reached(t, True) for t in LEUKAEMIA[1]]
    result = stats.kaplan_meier(reached)
    at = dict(
        zip(result.times, zip(result.share, result.low, result.high, strict=True), strict=True)
    )
    assert [round(at[t][0], 3) for t in (6, 10, 23)] == [0.857, 0.753, 0.448]
    assert at[6][1:] == pytest.approx((0.620, 0.952), abs=1e-3)
    assert at[23][1:] == pytest.approx((0.188, 0.680), abs=2e-3)


def test_restricted_mean_without_censoring_is_the_mean_with_its_t_interval():
    times = np.array([3.0, 5.0, 8.0, 9.0, 20.0])
    result = stats.restricted_mean([Reached(t, False) for t in times], 10.0)
    assert result == pytest.approx(stats.mean_interval(np.minimum(times, 10.0)))
