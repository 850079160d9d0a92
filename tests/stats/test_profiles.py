"""Performance profiles and AlgoPerf's score."""

import numpy as np
import pytest

from harness import stats

TIMES = [[10.0, 40.0, np.inf], [20.0, np.inf, np.inf]]


def test_ratios_where_some_or_all_missed_the_target():
    assert stats.performance_ratios(TIMES).tolist() == [[1, 1, np.inf], [2, np.inf, np.inf]]


def test_a_profile_counts_the_ratio_itself_as_within():
    profile = stats.performance_profile(TIMES, [1.0, 1.99, 2.0])
    assert profile == pytest.approx(np.array([[2 / 3, 2 / 3, 2 / 3], [0, 0, 1 / 3]]))


def test_score_depends_on_the_largest_ratio():
    assert stats.algoperf_score([[1.0], [2.0]], tau=3.0) == pytest.approx([1.0, 0.5])
    assert stats.algoperf_score([[1.0], [2.0]]) == pytest.approx([1.0, 2 / 3])


def test_algoperf_s_score_and_profile():
    times = [[10, 40, 30], [20, 20, 90], [35, 25, np.inf]]
    assert stats.algoperf_score(times) == pytest.approx([0.8889, 0.6667, 0.3611], abs=5e-5)
    taus = np.linspace(1, 4, 300_001)
    by_sum = np.trapezoid(stats.performance_profile(times, taus), taus, axis=1) / 3
    assert stats.algoperf_score(times) == pytest.approx(by_sum, abs=1e-4)
