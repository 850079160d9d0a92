"""The claims as lines that share a zero: right is in favour, units share a scale, margins stand."""

import math

import pytest

import harness as h
from harness.analysis import claims
from harness.analysis.answer import Answer
from harness.report.forest import FAR, ROOM, forest_of
from harness.spec.looks import Look
from harness.stats import Interval, Verdict

LOOK = Look((0,), ((0, 1, 2, 3),))


def rows(*claims_and_effects):
    tested = tuple(
        claims.Tested(
            claim, Verdict("supported", Interval(*effect), 0.01), f"{claim}. Told.", LOOK, "so"
        )
        for claim, effect in claims_and_effects
    )
    return forest_of(Answer("test/loss", False, (), tested, "", "", True), {})


def test_claims_of_one_unit_share_a_scale_and_others_have_their_own():
    small, large, steps = rows(
        (h.Claim.better("A", than="B"), (0.1, 0.05, 0.15)),
        (h.Claim.better("B", than="C"), (0.2, 0.1, 0.3)),
        (h.Claim.faster("A", than="B", to=("valid/loss", 1.0)), (-40.0, -50.0, -30.0)),
    )
    assert large.line.high == pytest.approx(ROOM) and small.line.high == pytest.approx(ROOM / 2)
    assert steps.line.low == pytest.approx(-ROOM) and "steps" in steps.effect


def test_right_is_in_favour_of_bounds_too():
    above, below = rows(
        (h.Claim.above("A", 0.5, on="test/accuracy"), (0.7, 0.6, 0.8)),
        (h.Claim.below("A", 0.5, on="test/accuracy"), (0.7, 0.6, 0.8)),
    )
    assert above.line.low > 0 > below.line.high and above.zero == below.zero == "50 %"
    assert above.line.low == pytest.approx(-below.line.high)


def test_margins_are_drawn_where_they_are():
    equal, no_worse, better = rows(
        (h.Claim.equal("A", than="B", margin=0.2), (0.0, -0.1, 0.1)),
        (h.Claim.no_worse("A", than="B", margin=0.2), (0.0, -0.1, 0.1)),
        (h.Claim.better("A", than="B", margin=0.2), (0.3, 0.25, 0.4)),
    )
    half = ROOM / 2
    assert equal.line.bounds == pytest.approx((-half, half))
    assert no_worse.line.bounds == pytest.approx((-half,))
    assert better.line.bounds == pytest.approx((half,))


def test_one_wide_interval_does_not_squeeze_the_others():
    narrow, *_, wide = rows(
        *[(h.Claim.better("A", than="B"), (0.1, 0.05, 0.15))] * 3,
        (h.Claim.better("A", than="C"), (0.1, -FAR, FAR)),
    )
    assert wide.line.cut_low and wide.line.cut_high and wide.line.low == -1.0
    assert narrow.line.high > ROOM / FAR / 1.01


@pytest.mark.parametrize("effect", [(math.inf, -math.inf, math.inf), (math.nan,) * 3])
def test_what_is_no_number_has_words_and_no_line(effect):
    (row,) = rows((h.Claim.better("A", than="B"), effect))
    assert row.line is None and row.effect in ("diverged", "not recorded")


def test_an_effect_without_an_interval_is_drawn_to_the_ends():
    (row,) = rows((h.Claim.better("A", than="B"), (0.1, -math.inf, math.inf)))
    assert row.line.cut_low and row.line.cut_high and row.line.mean == pytest.approx(ROOM)
    assert row.claim == "A ends with a better test loss than B" and row.detail == "Told."
