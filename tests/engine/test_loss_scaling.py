"""Float16: scales and left-out updates are those of torch.amp.GradScaler, member by member."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import harness as h
from harness.core.errors import HarnessError
from harness.core.streams import numpy_stream
from harness.data.base import load_data
from harness.engine import loss_scaling
from harness.engine.cohort import groups_in, start
from harness.engine.initialize import initial_weights
from harness.engine.loop import advance
from harness.engine.loss_scaling import adapt_scaling, copied_states, first_scaling, undo_states
from harness.engine.optimizer_groups import update_fields
from harness.engine.program import program_of
from harness.protocol.train import train_outcomes
from harness.spec.arms import Run
from harness.spec.resolved import resolve
from tests.cases import OPTIMIZERS

STEPS = 24


def recipe(**fields):
    base = {
        "data": {"name": "digits", "train_size": 200},
        "model": h.MLP(widths=(16, 8)),
        "optimizer": h.SGD(lr=0.05, momentum=0.9),
        "batch_size": 1,
        "steps": STEPS,
        "eval_every": 8,
        "amp": "fp16",
    }
    return h.Recipe(**base | fields)


@pytest.mark.parametrize("first", [2.0**16, 2.0**126])
def test_scales_go_as_torch_s(first, monkeypatch):
    monkeypatch.setattr(loss_scaling, "GROWTH_INTERVAL", 3)
    monkeypatch.setattr(loss_scaling, "FIRST_SCALE", first)
    draws = np.random.default_rng(1).random((40, 2)) > 0.15
    draws[20:] = True  # long enough to grow beyond what float32 holds
    scaling = first_scaling(torch.zeros(2, 5))
    scalers, seen = [], []
    for _ in range(2):
        parameter = nn.Parameter(torch.zeros(1))
        scaler = torch.amp.GradScaler("cpu", init_scale=first, growth_interval=3)
        scalers.append((scaler, parameter, torch.optim.SGD([parameter], lr=0.1)))
    for good in draws:
        adapt_scaling(scaling, torch.tensor(good))
        for (scaler, parameter, optimizer), fine in zip(scalers, good, strict=True):
            scaler.scale(torch.ones(()))
            parameter.grad = torch.tensor([0.0 if fine else float("inf")])
            scaler.step(optimizer)
            scaler.update()
        seen.append([scaler.get_scale() for scaler, *_ in scalers])
        assert scaling.scale_K.tolist() == seen[-1]
    assert len({scale for row in seen for scale in row}) > 2


def by_torch(seed, weight):
    """Return the scales and the last weights of the same run by torch alone."""
    program, data = program_of(resolve(recipe())), load_data(recipe().data)
    model = nn.Sequential(
        nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 10)
    )
    begin = program.layout.views(initial_weights(program, [seed]))
    for layer, name in ((model[0], "hidden.0"), (model[2], "hidden.1"), (model[4], "out")):
        layer.weight.data.copy_(begin[f"{name}.weight"][0])
        layer.bias.data.copy_(begin[f"{name}.bias"][0])
    x, y = torch.tensor(data.train.x).float(), torch.tensor(data.train.y).argmax(1)
    rows = numpy_stream(seed, "order", 0).permutation(len(x))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    scaler, scales = torch.amp.GradScaler("cpu", init_scale=weight), []
    for step in range(STEPS):
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.float16):
            out = model(x[rows[step : step + 1]])
        scaler.scale(nn.functional.cross_entropy(out.float(), y[rows[step : step + 1]])).backward()
        scaler.step(optimizer)
        scaler.update()
        scales.append(scaler.get_scale())
    return scales, torch.cat([p.detach().flatten() for p in model.parameters()])


def test_a_run_is_torch_s_run_and_a_member_is_itself_alone(monkeypatch):
    """The first scale is so large that the first gradients overflow, in some members more than in others."""
    monkeypatch.setattr(loss_scaling, "FIRST_SCALE", 2.0**24)
    seeds = [0, 1, 2]
    together, scales = scales_and_weights(seeds)
    for row, seed in enumerate(seeds):
        alone, own = scales_and_weights([seed])
        expected, w_P = by_torch(seed, 2.0**24)
        assert [row_K[row] for row_K in scales] == [s[0] for s in own] == expected[:-1]
        torch.testing.assert_close(together[row], w_P, rtol=1e-2, atol=2e-3)
        torch.testing.assert_close(alone[0], together[row], rtol=1e-2, atol=2e-3)
    assert len({tuple(column) for column in zip(*scales, strict=True)}) > 1, "scales of their own"


def scales_and_weights(seeds):
    """Return the weights after the last update, and the scales after each but the last."""
    cohort, scales, weights = start([Run.of(recipe(), s) for s in seeds], test=False), [], []

    def look(cohort):
        scales.append(cohort.scaling.scale_K.tolist())

    program = program_of(resolve(recipe()))
    for until in (8, 16, STEPS):
        if until == STEPS:
            cohort = keep_last(cohort, look, weights, program)
        else:
            advance(cohort, until, between=look)
            look(cohort)
    return weights, scales


def keep_last(cohort, look, weights, program):
    cohort.keep = "last"
    advance(cohort, between=look)
    for index in sorted(cohort.outcomes):
        own = cohort.outcomes[index].weights
        weights.append(torch.cat([torch.from_numpy(w).flatten() for w in own.values()]))
    return cohort


@pytest.mark.parametrize("optimizer", [h.Adam(lr=0.01), h.Muon(lr=0.02), h.Lion(lr=0.001)])
def test_members_that_leave_updates_out_change_nothing_for_the_others(optimizer, monkeypatch):
    monkeypatch.setattr(loss_scaling, "FIRST_SCALE", 2.0**24)
    made = recipe(optimizer=optimizer)
    together = train_outcomes(made, [0, 1, 2])
    for seed, outcome in enumerate(together):
        (alone,) = train_outcomes(made, [seed], cohort=1)
        assert outcome.status == "finished"
        assert outcome.series("train/loss") == pytest.approx(alone.series("train/loss"), rel=1e-2)


def test_it_is_near_float32_and_not_it():
    fields = {"batch_size": 20, "steps": 60}
    half, full = (
        train_outcomes(recipe(**fields, amp=amp), [0])[0].series("valid/loss")
        for amp in ("fp16", False)
    )
    assert half == pytest.approx(full, rel=0.05) and half != full


def test_names_of_precisions():
    assert recipe(amp="bf16") == recipe(amp=True) and recipe(amp="bf16").dump()["amp"] is True
    assert recipe().dump()["amp"] == "fp16" and recipe(amp=False).dump()["amp"] is False
    with pytest.raises(ValueError, match="amp"):
        recipe(amp="fp8")


def test_what_can_t_be_scaled_is_refused():
    with pytest.raises(HarnessError, match="since it computes in float16, got float64"):
        program_of(resolve(recipe(dtype="float64")))
    with pytest.raises(HarnessError, match="optimizer of the harness's own beside fp16"):
        program_of(resolve(recipe(optimizer={"name": "torch.optim.SGD", "lr": 0.1})))
    with pytest.raises(HarnessError, match="SOAP makes a part of its state"):
        program_of(resolve(recipe(optimizer=h.SOAP(lr=0.1))))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_update_that_is_left_out_leaves_every_state_as_it_was(name):
    """Of every optimizer that is not refused: weights and tensors of the state, and of the other member nothing but its own move."""
    optimizer = OPTIMIZERS[name].optimizer
    try:
        program = program_of(resolve(recipe(optimizer=optimizer)))
    except HarnessError as refused:
        assert "state" in str(refused)
        return
    cohort = start([Run.of(recipe(optimizer=optimizer), s) for s in (0, 1)], test=False)
    advance(cohort, 8)
    groups = groups_in(program, cohort)
    old = copied_states(cohort.states)
    moved = [
        [
            group.optimizer.update(
                torch.ones_like(cohort.w_KP),
                own,
                cohort.w_KP.clone(),
                update_fields(group, torch.ones(2), torch.ones(2)),
                program.layout,
            )[1]
            for group, own in zip(groups, block, strict=True)
        ]
        for block in copied_states(cohort.states)
    ]
    good = torch.tensor([True, False])
    mixed = undo_states([slice(0, 2)], moved, old, good)
    for before, after, kept in zip(tensors(old), tensors(moved), tensors(mixed), strict=True):
        assert torch.equal(kept[0], after[0]) and torch.equal(kept[1], before[1])


def tensors(part):
    if isinstance(part, torch.Tensor):
        return [part]
    return [t for own in part for t in tensors(own)] if isinstance(part, (list, tuple)) else []
