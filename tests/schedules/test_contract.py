"""The contract of every schedule: its equation at points worked out by hand, and that every field acts.

Trajectories against torch's schedulers are compared in tests/engine/test_equivalences.py.
"""

import math
from itertools import pairwise

import pytest

import harness as h
from harness.core.registry import REGISTRY, lookup
from harness.schedules.base import Schedule, half_cosine

STEPS, PER_EPOCH = 100, 4


def curve(schedule):
    return [schedule.factor(step, STEPS, PER_EPOCH) for step in range(STEPS)]


WORKED_OUT = {
    "Constant": (h.Constant(), {0: 1.0, 99: 1.0}),
    "Cosine": (h.Cosine(), {0: 1.0, 50: 0.5, 25: (1 + math.sqrt(0.5)) / 2}),
    "Cosine to a floor": (h.Cosine(floor=0.2), {0: 1.0, 50: 0.6}),
    "StepDecay": (h.StepDecay(every=10, gamma=0.1), {0: 1.0, 39: 1.0, 40: 0.1, 79: 0.1, 80: 0.01}),
    "OneCycle": (h.OneCycle(), {0: 1 / 25, 29: 1.0, 64: (1 + 1 / 250_000) / 2, 99: 1 / 250_000}),
    "OneCycle of its own": (
        h.OneCycle(rise=0.51, start=4.0, end=10.0),
        {0: 0.25, 25: 0.625, 50: 1.0, 99: 0.025},
    ),
    "WarmUp": (h.WarmUp(), {0: 0.1, 4: 0.5, 9: 1.0, 10: 1.0, 99: 1.0}),
    "WarmUp, then cosine": (
        h.WarmUp(share=0.2, then="cosine"),
        {0: 0.05, 19: 1.0, 20: 1.0, 60: 0.5},
    ),
}
OTHER = {
    "Cosine": {"floor": 0.5},
    "StepDecay": {"every": 5, "gamma": 0.5},
    "OneCycle": {"rise": 0.5, "start": 10.0, "end": 100.0},
    "WarmUp": {"share": 0.3, "then": "cosine"},
}
"""Another value of every field."""


@pytest.mark.parametrize("name", WORKED_OUT)
def test_factor_at_points_worked_out_by_hand(name):
    schedule, points = WORKED_OUT[name]
    assert {step: curve(schedule)[step] for step in points} == pytest.approx(points)


@pytest.mark.parametrize("name", REGISTRY["schedule"].parts)
def test_factor_is_never_negative_nor_above_one(name):
    assert all(0 <= factor <= 1 + 1e-12 for factor in curve(lookup("schedule", name)()))


@pytest.mark.parametrize("name", REGISTRY["schedule"].parts)
def test_every_field_acts(name):
    cls = lookup("schedule", name)
    assert set(cls.model_fields) == OTHER.get(name, {}).keys(), "say another value of each field"
    for field, value in OTHER.get(name, {}).items():
        assert curve(cls(**{field: value})) != pytest.approx(curve(cls())), f"{field} does nothing"


def test_half_a_cosine_goes_one_way():
    path = [half_cosine(2.0, -1.0, i / 20) for i in range(21)]
    assert path[0] == 2.0 and path[10] == pytest.approx(0.5) and path[-1] == -1.0
    assert all(a > b for a, b in pairwise(path))


def test_every_schedule_is_final_and_has_a_case():
    assert set(REGISTRY["schedule"].parts) == {type(s).__name__ for s, _ in WORKED_OUT.values()}
    assert all(lookup("schedule", name).__final__ for name in REGISTRY["schedule"].parts)
    with pytest.raises(TypeError, match="abstract"):
        Schedule()
