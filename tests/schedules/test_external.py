"""torch's schedulers as schedules: the rates of a plain torch loop, as factors."""

import warnings
from functools import partial

import pytest
import torch
from torch.optim import lr_scheduler as schedulers

import harness as h
from harness.core.errors import HarnessError
from harness.protocol.check import check_study
from harness.spec.component import parse_part

STEPS, PER_EPOCH = 23, 5
RATE = 0.3


def plain_rates(make, by):
    """The rates that a plain loop trains with."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE)
    scheduler = make(optimizer)
    rates = []
    for step in range(STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if by == "step" or (step + 1) % PER_EPOCH == 0:
            scheduler.step()
    return rates


def warmed_up(optimizer, epochs, factor=0.1):
    return schedulers.SequentialLR(
        optimizer,
        [
            schedulers.LinearLR(optimizer, start_factor=factor, total_iters=2),
            schedulers.CosineAnnealingLR(optimizer, T_max=epochs - 2),
        ],
        milestones=[2],
    )


CASES = {
    "cosine": partial(schedulers.CosineAnnealingLR, T_max=5),
    "steps": partial(schedulers.StepLR, step_size=2, gamma=0.3),
    "milestones": partial(schedulers.MultiStepLR, milestones=[1, 3]),
    "exponential": partial(schedulers.ExponentialLR, gamma=0.7),
    "restarts": partial(schedulers.CosineAnnealingWarmRestarts, T_0=2),
    "lambda": partial(schedulers.LambdaLR, lr_lambda=lambda epoch: 0.9**epoch),
    "polynomial": partial(schedulers.PolynomialLR, total_iters=4, power=2.0),
    "sequence": partial(warmed_up, epochs=5),
}


@pytest.mark.parametrize("by", ["epoch", "step"])
@pytest.mark.parametrize("name", CASES)
def test_factors_are_those_of_a_torch_loop(name, by):
    make = CASES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SequentialLR steps by itself
        expected = plain_rates(make, by)
    schedule = h.ExternalSchedule(make, by=by)
    got = [RATE * schedule.factor(step, STEPS, PER_EPOCH) for step in range(STEPS)]
    assert got == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_rates_among_the_arguments_are_in_units_of_the_recipe_s():
    schedule = h.ExternalSchedule(schedulers.CosineAnnealingLR, T_max=5, eta_min=0.1)
    make = partial(schedulers.CosineAnnealingLR, T_max=5, eta_min=0.1 * RATE)
    got = [RATE * schedule.factor(step, STEPS, PER_EPOCH) for step in range(STEPS)]
    assert got == pytest.approx(plain_rates(make, "epoch"), rel=1e-12)


def test_lengths_of_the_run_are_given_to_what_takes_them():
    whole = h.ExternalSchedule(warmed_up, factor=0.1)
    fixed = h.ExternalSchedule(partial(warmed_up, epochs=5, factor=0.1))
    own = parse_part("schedule", lambda step, steps: 1 - step / steps)
    for step in range(STEPS):
        assert whole.factor(step, STEPS, PER_EPOCH) == fixed.factor(step, STEPS, PER_EPOCH)
        assert own.factor(step, STEPS, PER_EPOCH) == 1 - step / STEPS


def plateau(optimizer):
    return schedulers.ReduceLROnPlateau(optimizer)


WRONG = {
    "sets momentum too; leave that out, as by cycle_momentum=False": partial(
        schedulers.OneCycleLR, max_lr=1.0, total_steps=50
    ),
    "fails within 5 steps by epoch: ValueError: Tried to step 4 times": partial(
        schedulers.OneCycleLR, max_lr=1.0, total_steps=3, cycle_momentum=False
    ),
    "got .stepsize.: .* did you mean 'step_size'": partial(schedulers.StepLR, stepsize=3),
    "needs no metric, got a ReduceLROnPlateau": plateau,
    "needs no metric, got a float": lambda optimizer: 0.5,
}


@pytest.mark.parametrize("said", WRONG)
def test_what_is_no_schedule_is_refused_in_a_sentence(said):
    schedule = parse_part("schedule", WRONG[said])
    with pytest.raises(HarnessError, match=said):
        schedule.factor(0, STEPS, PER_EPOCH)


def test_factors_below_zero_are_refused_before_training():
    recipe = h.Recipe(
        data="iris",
        model=h.MLP(widths=(4,)),
        optimizer=h.SGD(lr=0.1),
        epochs=2,
        schedule=lambda step, steps: 0.5 - step / steps,
    )
    with pytest.raises(HarnessError, match="expected local.lambda-.* factor from 0 on, got -0.3"):
        check_study(h.Study(name="s", recipe=recipe, seeds=2))
