"""Looks at the data: what each may spend, and how often all together err."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import stats
from harness.stats import Size


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


def test_a_study_that_is_never_extended_keeps_four_fifths_of_its_risk():
    assert stats.look_levels([Size(5, 4)], {}) == pytest.approx([0.04])
    looks = [Size(k, 4) for k in (1, 2, 4)]
    assert stats.look_levels(looks, {}, 0.8) == pytest.approx([0.01, 0.07, 0.56])


@pytest.mark.parametrize("shown", [1, 2, 3])
def test_a_plan_is_taken_up_where_it_was_left(shown):
    looks = [Size(1, 5), Size(1, 10), Size(1, 40)]
    levels = stats.look_levels(looks, {})
    earlier = dict(zip(looks[:shown], levels, strict=False))
    assert stats.look_levels(looks, earlier) == pytest.approx(levels)


def test_extensions_share_what_is_kept_for_them():
    earlier = {Size(5, 5): 0.04}
    for extension, look in enumerate([Size(5, 10), Size(10, 5), Size(10, 10)], 1):
        (level,) = stats.look_levels([look], earlier)
        assert level == pytest.approx(0.01 * 2.0**-extension)
        earlier[look] = level
    # fewer than were shown are another look, too; several are paid for together
    two = stats.look_levels([Size(2, 5), Size(2, 10)], earlier)
    assert two == pytest.approx([0.01 / 16 / 8, 0.01 / 16 * 7 / 8])
    assert stats.look_levels([Size(5, 10)], earlier) == [earlier[Size(5, 10)]]


def test_a_plan_that_was_left_gives_the_next_what_it_has_not_spent():
    (first, _) = stats.look_levels([Size(1, 10), Size(1, 20)], {})
    longer = stats.look_levels([Size(1, 10), Size(1, 40)], {Size(1, 10): first})
    assert longer == pytest.approx([0.005, 0.035])


def test_looks_at_other_levels_leave_nothing():
    assert stats.look_levels([Size(1, 9)], {Size(1, 5): 0.05}) == [0.0]
    assert stats.decide([[1e-9], [1e-9]], [0.0, 0.05])[0] == (1, 1e-9)
    assert stats.decide([[1e-9]], [0.0]) == [(0, 1.0)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(1, 60), min_size=1, max_size=4, unique=True), max_size=30))
def test_the_risk_of_all_looks_is_less_than_alpha_however_often_a_plan_is_changed(plans):
    earlier = {}
    for counts in plans:
        looks = [Size(1, n) for n in sorted(counts)]
        levels = stats.look_levels(looks, earlier)
        assert all(level >= 0 for level in levels)
        # all but the last of them are shown: the rest is given up
        earlier |= dict(zip(looks[: max(1, len(looks) - 1)], levels, strict=False))
        assert sum(earlier.values()) < 0.05


@pytest.mark.parametrize("steps", [(5, 5), (1, 10)])
def test_starting_again_with_more_seeds_calls_no_more_differences(steps):
    """1 + 5 fixed numbers of seeds, one after the other until a claim is decided; those who add one
    seed where it was close and ten where not included."""
    rng, studies, called, naive = np.random.default_rng(16), 1500, 0, 0
    close, far = steps
    for _ in range(studies):
        d, earlier, n = rng.normal(size=60), {}, 5
        decided = peeked = False
        for _ in range(6):
            (level,) = stats.look_levels([Size(1, n)], earlier)
            earlier[Size(1, n)] = level
            p = stats.compare_paired(d[:n], np.zeros(n)).p
            decided, peeked = decided or p <= level, peeked or p <= 0.05
            n += close if p < 0.2 else far
        called, naive = called + decided, naive + peeked
    assert called / studies <= 0.05 < 0.1 < naive / studies
