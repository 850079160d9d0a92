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


def made(name, **fields):
    return lookup("schedule", name)(**GIVEN.get(name, {}) | fields)


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
    "WarmUp by length": (h.WarmUp(length="5 epochs"), {0: 0.05, 9: 0.5, 19: 1.0, 99: 1.0}),
    "StepDecay by length": (h.StepDecay(length="30 steps"), {29: 1.0, 30: 0.1, 60: 0.01}),
    "LinearDecay": (h.LinearDecay(), {0: 1.0, 50: 0.5, 99: 0.01}),
    "LinearDecay to a floor": (h.LinearDecay(floor=0.2), {0: 1.0, 50: 0.6}),
    "Polynomial": (h.Polynomial(), {0: 1.0, 50: 0.25, 99: 1e-4}),
    "Polynomial to a floor": (h.Polynomial(power=3.0, floor=0.2), {0: 1.0, 50: 0.3}),
    "InverseSqrt": (h.InverseSqrt(), {0: 0.1, 9: 1.0, 39: 0.5, 89: 1 / 3}),
    "CosineRestarts": (h.CosineRestarts(), {0: 1.0, 24: (1 - math.cos(math.pi / 25)) / 2, 25: 1.0}),
    "CosineRestarts that grow": (
        h.CosineRestarts(first="4 steps", growth=2, floor=0.2),
        {2: 0.6, 4: 1.0, 8: 0.6, 12: 1.0, 20: 0.6, 28: 1.0, 60: 1.0},
    ),
    "WSD": (h.WSD(), {0: 0.2, 4: 1.0, 80: 1.0, 90: 0.5, 99: 0.05}),
    "WSD as 1 − √x": (
        h.WSD(warm_up=0, decay="16 steps", shape="1-sqrt"),
        {0: 1.0, 84: 1.0, 85: 0.75, 88: 0.5, 93: 0.25},
    ),
    "WSD along a cosine to a floor": (h.WSD(shape="cosine", floor=0.5), {90: 0.75}),
    "WSD all warm-up": (h.WSD(warm_up="200 steps"), {0: 0.005, 80: 0.405, 90: 0.455, 99: 0.05}),
    "Sequence": (
        h.Sequence(
            pieces=[
                {"schedule": h.WarmUp(share=0.5), "length": 0.2},
                {"schedule": "LinearDecay", "length": "10 epochs"},
                {"schedule": "StepDecay", "scale": 0.1},
            ]
        ),
        {0: 0.1, 9: 1.0, 19: 1.0, 20: 1.0, 40: 0.5, 60: 0.1, 99: 0.1},
    ),
}
GIVEN = {"Sequence": {"pieces": ({"schedule": "Constant"},)}}
"""Fields that have no default."""
OTHER = {
    "Cosine": {"floor": 0.5},
    "StepDecay": {"every": 5, "gamma": 0.5, "length": "7 steps"},
    "OneCycle": {"rise": 0.5, "start": 10.0, "end": 100.0},
    "WarmUp": {"share": 0.3, "then": "cosine", "length": "3.5 epochs"},
    "LinearDecay": {"floor": 0.5},
    "Polynomial": {"power": 1.5, "floor": 0.5},
    "InverseSqrt": {"warm_up": "30 steps"},
    "CosineRestarts": {"first": "10 steps", "growth": 2, "floor": 0.5},
    "WSD": {"warm_up": 0.5, "decay": 0.5, "shape": "cosine", "floor": 0.5},
    "Sequence": {"pieces": ({"schedule": "Constant", "scale": 0.5},)},
}
"""Another value of every field."""


@pytest.mark.parametrize("name", WORKED_OUT)
def test_factor_at_points_worked_out_by_hand(name):
    schedule, points = WORKED_OUT[name]
    assert {step: curve(schedule)[step] for step in points} == pytest.approx(points)


@pytest.mark.parametrize("name", REGISTRY["schedule"].parts)
def test_factor_is_never_negative_nor_above_one(name):
    assert all(0 <= factor <= 1 + 1e-12 for factor in curve(made(name)))


@pytest.mark.parametrize("name", REGISTRY["schedule"].parts)
def test_every_field_acts(name):
    cls = lookup("schedule", name)
    assert set(cls.model_fields) == OTHER.get(name, {}).keys(), "say another value of each field"
    for field, value in OTHER.get(name, {}).items():
        changed = made(name, **{field: value})
        assert curve(changed) != pytest.approx(curve(made(name))), f"{field} does nothing"


def test_half_a_cosine_goes_one_way():
    path = [half_cosine(2.0, -1.0, i / 20) for i in range(21)]
    assert path[0] == 2.0 and path[10] == pytest.approx(0.5) and path[-1] == -1.0
    assert all(a > b for a, b in pairwise(path))


def test_every_schedule_is_final_and_has_a_case():
    assert set(REGISTRY["schedule"].parts) == {type(s).__name__ for s, _ in WORKED_OUT.values()}
    assert all(lookup("schedule", name).__final__ for name in REGISTRY["schedule"].parts)
    with pytest.raises(TypeError, match="abstract"):
        Schedule()
