"""The contract of every average: its rates worked out by hand, and that every field acts."""

import pytest

import harness as h
from harness.averages.base import Average
from harness.core.registry import REGISTRY, lookup

STEPS, PER_EPOCH = 20, 4


def rates(average, steps=STEPS):
    return [average.rate(t, steps, PER_EPOCH) for t in range(1, steps + 1)]


WORKED_OUT = {
    "EMA": (h.EMA(), {1: 1.0, 2: 0.01, 20: 0.01}),
    "EMA from the middle on": (h.EMA(decay=0.9, start=0.5), {9: 1.0, 10: 1.0, 11: 0.1}),
    "EMA that warms up": (
        h.EMA(decay=0.5, warm_up=True),
        {1: 1.0, 2: 9 / 11, 3: 9 / 12, 9: 0.5, 20: 0.5},
    ),
    "SWA": (h.SWA(), {14: 1.0, 15: 1.0, 16: 0.0, 18: 0.0, 19: 0.5, 20: 0.0}),
    "SWA of every update": (h.SWA(start=0, every="1 steps"), {1: 1.0, 2: 1 / 2, 20: 1 / 20}),
}
OTHER = {
    "EMA": {"decay": 0.5, "warm_up": True, "start": "3 steps"},
    "SWA": {"start": "2 epochs", "every": "2 steps"},
}
"""Another value of every field."""


@pytest.mark.parametrize("name", WORKED_OUT)
def test_rates_at_points_worked_out_by_hand(name):
    average, points = WORKED_OUT[name]
    assert {t: rates(average)[t - 1] for t in points} == pytest.approx(points)


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 50])
@pytest.mark.parametrize("average", [case[0] for case in WORKED_OUT.values()], ids=WORKED_OUT)
def test_a_run_of_any_length_starts_its_average_and_never_leaves_its_weights_behind(average, steps):
    found = rates(average, steps)
    assert all(0 <= rate <= 1 for rate in found)
    first = average.first(steps, PER_EPOCH)
    assert 1 <= first <= steps and set(found[:first]) == {1.0}


@pytest.mark.parametrize("name", REGISTRY["average"].parts)
def test_every_field_acts(name):
    cls = lookup("average", name)
    assert set(cls.model_fields) == OTHER[name].keys(), "say another value of each field"
    for field, value in OTHER[name].items():
        assert rates(cls(**{field: value})) != pytest.approx(rates(cls())), f"{field} does nothing"


def test_every_average_is_final_and_has_a_case():
    assert set(REGISTRY["average"].parts) == {type(a).__name__ for a, _ in WORKED_OUT.values()}
    assert all(lookup("average", name).__final__ for name in REGISTRY["average"].parts)
    with pytest.raises(TypeError, match="abstract"):
        Average()
