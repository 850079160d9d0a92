"""Looks at the data: what each may spend, and how often all together err."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import stats


def test_looks_spend_by_the_cube_of_the_share_seen():
    assert stats.spending([1, 2, 4], 0.64) == pytest.approx([0.01, 0.07, 0.56])
    assert stats.spending([7]) == [0.05]


def test_a_claim_stays_decided_and_an_open_one_has_its_last_look():
    p = [[0.001, 0.5], [0.9, 0.2]]
    first, second = stats.decide(p, [0.01, 0.04])
    assert first == (0, pytest.approx(0.002 * 5)) and second == (1, pytest.approx(0.4 * 1.25))
    assert stats.decide([[0.01], [0.9]], [0.01, 0.04]) == [(0, 0.05)]
    assert stats.decide([[0.011], [0.9]], [0.01, 0.04]) == [(1, 1.0)]


def test_another_risk():
    assert stats.decide([[0.02], [0.001]], [0.02, 0.08], alpha=0.1) == [(0, 0.1)]


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
