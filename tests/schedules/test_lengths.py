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


def restarts(first, growth, floor=0.0):
    return lambda optimizer, steps: lr_scheduler.CosineAnnealingWarmRestarts(
        optimizer, max(1, round(first * steps)), growth, eta_min=floor
    )


def trapezoid(warm_up, decay, floor=0.0):
    """Up, level and down in torch's pieces; where up and down overlap torch has no scheduler."""

    def make(optimizer, steps):
        rise, fall = (max(1, round(share * steps)) for share in (warm_up, decay))
        pieces = [
            lr_scheduler.LinearLR(optimizer, 1 / rise, 1.0, total_iters=max(1, rise - 1)),
            lr_scheduler.ConstantLR(optimizer, factor=1.0),
            lr_scheduler.LinearLR(optimizer, 1.0, floor, total_iters=fall),
        ]
        return lr_scheduler.SequentialLR(optimizer, pieces, milestones=[rise, steps - fall])

    return make


def inverse_sqrt(warm_up, width=512):
    """Formula 3 of the paper, over its peak."""

    def make(optimizer, steps):
        rise = max(1, round(warm_up * steps))

        def rate(t):
            return width**-0.5 * min((t + 1) ** -0.5, (t + 1) * rise**-1.5)

        return lr_scheduler.LambdaLR(optimizer, lambda t: rate(t) / rate(rise - 1))

    return make


def in_turn(optimizer, steps):
    first = round(0.4 * steps)
    pieces = [
        lr_scheduler.PolynomialLR(optimizer, max(1, first), 2.0),
        lr_scheduler.CosineAnnealingLR(optimizer, max(1, steps - first)),
    ]
    return lr_scheduler.SequentialLR(optimizer, pieces, milestones=[first]) if first else pieces[1]


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
    "WarmUp, by length": (h.WarmUp(length=0.3), warm_up(0.3, cosine=False)),
    "StepDecay in the middle of an epoch": (
        h.StepDecay(length="1.5 epochs", gamma=0.8),
        lambda o, steps: lr_scheduler.StepLR(o, 6, 0.8),
    ),
    "LinearDecay": (
        h.LinearDecay(),
        lambda o, steps: lr_scheduler.LinearLR(o, 1.0, 0.0, total_iters=steps),
    ),
    "LinearDecay to a floor": (
        h.LinearDecay(floor=0.2),
        lambda o, steps: lr_scheduler.LinearLR(o, 1.0, 0.2, total_iters=steps),
    ),
    "Polynomial": (h.Polynomial(), lambda o, steps: lr_scheduler.PolynomialLR(o, steps, 2.0)),
    "InverseSqrt": (h.InverseSqrt(), inverse_sqrt(0.1)),
    "InverseSqrt, late": (h.InverseSqrt(warm_up=0.9), inverse_sqrt(0.9)),
    "CosineRestarts": (h.CosineRestarts(), restarts(0.25, 1)),
    "CosineRestarts that grow": (
        h.CosineRestarts(first=0.1, growth=2, floor=0.3),
        restarts(0.1, 2, 0.3),
    ),
    "CosineRestarts, cycle longer than the run": (
        h.CosineRestarts(first="50 steps"),
        lambda o, steps: lr_scheduler.CosineAnnealingWarmRestarts(o, 50),
    ),
    "WSD": (h.WSD(), trapezoid(0.05, 0.2)),
    "WSD to a floor": (h.WSD(warm_up=0.3, decay=0.5, floor=0.4), trapezoid(0.3, 0.5, 0.4)),
    "WSD of Vaswani's length": (
        h.WSD(warm_up="4000 steps", decay=0),
        lambda o, steps: lr_scheduler.LinearLR(o, 1 / 4000, 1.0, total_iters=3999),
    ),
    "Sequence": (
        h.Sequence(
            pieces=[{"schedule": "Polynomial", "length": 0.4}, {"schedule": "Cosine"}],
        ),
        in_turn,
    ),
}
TRAINED_LESS = {("OneCycle, late", 2): 1 / 25} | {
    ("WSD of Vaswani's length", steps): 1 / 4000 for steps in LENGTHS
}
"""The highest factor where the peak, at 0.8, falls between the only two steps, or after the run."""
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
    "WarmUp, by length": lambda steps: 1.0,
    "StepDecay in the middle of an epoch": lambda steps: 0.8 ** ((steps - 1) // 6),
    "LinearDecay": lambda steps: 1 / steps,
    "LinearDecay to a floor": lambda steps: 0.2 + 0.8 / steps,
    "Polynomial": lambda steps: 1 / steps**2,
    "InverseSqrt": lambda steps: (max(1, round(0.1 * steps)) / steps) ** 0.5,
    "InverseSqrt, late": lambda steps: (max(1, round(0.9 * steps)) / steps) ** 0.5,
    "WSD": lambda steps: 1 / max(1, round(0.2 * steps)),
    "WSD to a floor": lambda steps: 0.4 + 0.6 / max(1, round(0.5 * steps)),
    "WSD of Vaswani's length": lambda steps: steps / 4000,
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
    if name in LAST:
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
            lengths = ("rise", "share", "warm_up", "decay", "first")
            fields = dict.fromkeys(lengths, share).items() & {
                (name, share) for name in type(schedule).model_fields
            }
            bent = schedule.model_copy(update=dict(fields) if share < 1 else {})
            assert all(0 <= factor <= 1 for factor in curve(bent, steps))


def test_a_warm_up_longer_than_the_run_rises_to_its_end():
    long = [h.WarmUp(length="100 steps"), h.InverseSqrt(warm_up="100 steps")]
    for schedule in (*long, h.WSD(warm_up="100 steps", decay=0)):
        assert curve(schedule, 7) == pytest.approx([(s + 1) / 100 for s in range(7)])


def test_pieces_start_where_the_run_is_and_those_of_no_update_are_passed_over():
    tenth = {"schedule": "Constant", "length": 0.1}
    pieces = [tenth | {"scale": 0.5}, tenth | {"scale": 0.25}, {"schedule": "Constant"}]
    assert curve(h.Sequence(pieces=pieces), 3) == [1.0] * 3
    assert curve(h.Sequence(pieces=pieces), 10)[:3] == [0.5, 0.25, 1.0]
    cut = [{"schedule": "LinearDecay", "length": "4 steps"}, {"schedule": "Constant"}]
    assert curve(h.Sequence(pieces=cut), 2) == [1.0, 0.75]
