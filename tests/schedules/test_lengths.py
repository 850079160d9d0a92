"""Every schedule at short and odd lengths, beside torch's scheduler of the same equation.

Torch's own short runs are two of the faults that these tests keep out: ``OneCycleLR`` trains one
step at 1/(ab) of the rate, and divides by zero where the peak is at step 0.
"""

import math

import pytest
import torch
from torch.optim import lr_scheduler

import harness as h
from harness.core.registry import REGISTRY

PER_EPOCH = 4
LENGTHS = (1, 2, 3, 4, 7, 10, 41)
"""Updates; 7 and 41 end in the middle of an epoch of four."""


def one_cycle(rise, start=25.0, end=1e4):
    return lambda optimizer, steps: lr_scheduler.OneCycleLR(
        optimizer, 1.0, total_steps=steps, pct_start=rise, cycle_momentum=False,
        div_factor=start, final_div_factor=end,
    )  # fmt: skip


def warm_up(share, cosine):
    def make(optimizer, steps):
        rise = max(1, round(share * steps))
        # (s+1)/w: from 1/w to 1 in w − 1 steps
        rising = lr_scheduler.LinearLR(optimizer, 1 / rise, 1.0, total_iters=max(1, rise - 1))
        if not cosine or rise >= steps:
            return rising
        falling = lr_scheduler.CosineAnnealingLR(optimizer, steps - rise)
        return lr_scheduler.SequentialLR(optimizer, [rising, falling], milestones=[rise])

    return make


def step_decay(every, gamma):
    return lambda optimizer, steps: lr_scheduler.StepLR(optimizer, every * PER_EPOCH, gamma)


TWINS = {
    "Constant": (h.Constant(), lambda o, steps: lr_scheduler.ConstantLR(o, factor=1.0)),
    "Cosine": (h.Cosine(), lr_scheduler.CosineAnnealingLR),
    "Cosine to a floor": (
        h.Cosine(floor=0.2),
        lambda o, steps: lr_scheduler.CosineAnnealingLR(o, steps, eta_min=0.2),
    ),
    "StepDecay": (h.StepDecay(every=1, gamma=0.5), step_decay(1, 0.5)),
    "StepDecay beyond the run": (h.StepDecay(every=100), step_decay(100, 0.1)),
    "OneCycle": (h.OneCycle(), one_cycle(0.3)),
    "OneCycle, late": (h.OneCycle(rise=0.9), one_cycle(0.9)),
    "OneCycle, peak at step 0 of 10": (h.OneCycle(rise=0.1), one_cycle(0.1)),
    "OneCycle, peak at step 0 of 4": (h.OneCycle(rise=0.25, end=10.0), one_cycle(0.25, end=10.0)),
    "WarmUp": (h.WarmUp(), warm_up(0.1, cosine=False)),
    "WarmUp, cosine": (h.WarmUp(share=0.3, then="cosine"), warm_up(0.3, cosine=True)),
    "WarmUp over the whole run": (h.WarmUp(share=0.99, then="cosine"), warm_up(0.99, cosine=True)),
}
TRAINED_LESS = {("OneCycle, late", 2): 1 / 25}
"""The highest factor where the peak, at 0.8, falls between the only two steps."""
LAST = {
    # the equations' own values at s = S − 1
    "Constant": lambda steps: 1.0,
    "Cosine": lambda steps: (1 + math.cos(math.pi * (steps - 1) / steps)) / 2,
    "Cosine to a floor": lambda steps: 0.2 + 0.4 * (1 + math.cos(math.pi * (steps - 1) / steps)),
    "StepDecay": lambda steps: 0.5 ** ((steps - 1) // 4),
    "StepDecay beyond the run": lambda steps: 1.0,
    "OneCycle": lambda steps: 1 / 250_000 if steps > 1 else 1.0,
    "OneCycle, late": lambda steps: 1 / 250_000 if steps > 1 else 1.0,
    "OneCycle, peak at step 0 of 10": lambda steps: 1 / 250_000 if steps > 1 else 1.0,
    "OneCycle, peak at step 0 of 4": lambda steps: 1 / 250 if steps > 1 else 1.0,
    "WarmUp": lambda steps: 1.0,
    "WarmUp, cosine": lambda steps: (
        1.0 if steps < 3 else (1 + math.cos(math.pi * (1 - 1 / (steps - round(0.3 * steps))))) / 2
    ),
    "WarmUp over the whole run": lambda steps: 1.0,
}


def curve(schedule, steps):
    return [schedule.factor(step, steps, PER_EPOCH) for step in range(steps)]


def torch_curve(make, steps):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    scheduler = make(optimizer, steps)
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(rates) < steps:
            scheduler.step()
    return rates


def torch_has_none(name, steps):
    """Return whether torch's scheduler has no usable value: one step, or a peak at step 0."""
    rise = TWINS[name][0].rise if name.startswith("OneCycle") else None
    return rise is not None and (steps == 1 or rise * steps == 1)


@pytest.mark.parametrize("steps", LENGTHS)
@pytest.mark.parametrize("name", TWINS)
def test_a_run_of_any_length_trains_and_ends_where_its_schedule_does(name, steps):
    factors = curve(TWINS[name][0], steps)
    assert all(math.isfinite(factor) and 0 <= factor <= 1 for factor in factors)
    assert max(factors) >= TRAINED_LESS.get((name, steps), 0.5)
    assert factors[-1] == pytest.approx(LAST[name](steps), abs=1e-15)


@pytest.mark.parametrize("steps", LENGTHS)
@pytest.mark.parametrize("name", TWINS)
@pytest.mark.filterwarnings("ignore:The epoch parameter in `scheduler.step")
def test_a_run_of_any_length_has_the_rates_of_torch_s_scheduler(name, steps):
    schedule, twin = TWINS[name]
    if torch_has_none(name, steps):
        assert curve(schedule, steps)[0] == 1.0, "the peak"
    else:
        assert curve(schedule, steps) == pytest.approx(torch_curve(twin, steps), abs=1e-12)


def test_every_schedule_has_a_twin():
    assert set(REGISTRY["schedule"].parts) == {type(s).__name__ for s, _ in TWINS.values()}


@pytest.mark.parametrize("schedule", [twin[0] for twin in TWINS.values()], ids=TWINS)
def test_no_length_nor_share_divides_by_zero(schedule):
    for steps in range(1, 60):
        for share in (0.01, 1 / 3, 0.5, 1 / steps, 0.999):
            fields = {"rise": share, "share": share}.items() & {
                (name, share) for name in type(schedule).model_fields
            }
            bent = schedule.model_copy(update=dict(fields) if share < 1 else {})
            assert all(0 <= factor <= 1 for factor in curve(bent, steps))
