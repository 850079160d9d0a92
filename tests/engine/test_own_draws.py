"""Parts of a user's own that draw from global generators give a run the same bits, alone and in company."""

from __future__ import annotations

import random

import numpy as np
import torch

import harness as h
from harness.engine.batching import check_batching
from harness.engine.own_draws import SharedDrawsError
from harness.execution.jobs import Job, perform
from harness.protocol.train import train_outcomes
from harness.spec.arms import Run
from harness.spec.resolved import resolve


def noisy_error(probabilities, y):
    """A metric that draws."""
    return np.random.uniform() + random.random() + torch.rand(()).item()


def recipe(loss="tests.execution.bad_parts.squared", **fields):
    return h.Recipe(
        data="iris",
        model=h.MLP(widths=(4,)),
        loss=loss,
        optimizer=h.SGD(lr=0.1),
        steps=4,
        eval_every=2,
        **fields,
    )


DRAWS = recipe("tests.execution.bad_parts.draws")


def test_a_loss_that_draws_is_seeded_for_each_run_whoever_is_there():
    alone = [train_outcomes(DRAWS, [seed])[0] for seed in (3, 4)]
    torch.rand(5), np.random.uniform(size=5), random.random()
    before = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()
    # a cohort of two finds out, and each is trained by itself
    together = train_outcomes(DRAWS, [3, 4], cohort=2)
    assert [run.points for run in together] == [run.points for run in alone]
    assert torch.equal(before[0], torch.get_rng_state()) and before[2] == random.getstate()
    assert before[1] == np.random.get_state()[1].tolist(), "a notebook's own draws are its own"
    assert alone[0].series("train/loss") != alone[1].series("train/loss")
    quiet = train_outcomes(recipe(), [3])[0]
    assert quiet.series("train/loss")[-1] != alone[0].series("train/loss")[-1]


def test_the_plan_tells_what_draws_and_trains_the_rest_together():
    together, why = check_batching(resolve(DRAWS))
    assert not together and "draws from a global generator, seeded for each run" in why
    assert check_batching(resolve(recipe()))[0]


def test_a_metric_that_draws_is_seeded_too():
    own = {"name": "tests.engine.test_own_draws.noisy_error", "larger_is_better": False}
    drawn = recipe(metrics=[own])
    assert not check_batching(resolve(drawn))[0]
    runs = [train_outcomes(drawn, [seed])[0] for seed in (1, 1, 2)]
    values = [run.series("valid/noisy_error") for run in runs]
    assert values[0] == values[1] != values[2] and len(set(values[0])) == len(values[0])


def test_members_that_would_draw_by_turns_are_refused():
    runs = tuple(Run.of(DRAWS, seed) for seed in (0, 1))
    assert SharedDrawsError.__name__ in perform(Job((0, 1), runs, test=False)).error
