"""A user's modules as they are meant: frozen parameters, shared ones, and random numbers of their own."""

import copy
import random

import numpy as np
import pytest
import torch

import harness as h
from harness.core.parameter_layout import layout_of
from harness.core.streams import derive
from harness.data.base import load_data
from harness.engine.batching import check_batching
from harness.engine.cohort import start
from harness.engine.loop import advance
from harness.engine.program import program_of
from harness.models.external import global_stream
from harness.protocol.train import train_outcomes
from harness.spec.arms import Run
from harness.spec.resolved import resolve
from tests import plugins
from tests.engine.test_cohort import assert_same, outcomes

STEPS = 30
TORCH_S = {"name": "torch.optim.AdamW", "lr": 0.02, "weight_decay": 0.3}
OURS = h.AdamW(lr=0.02, weight_decay=0.3, exempt=())


def recipe(model, optimizer=OURS, **fields):
    base = {"data": "iris", "batch_size": "full", "steps": STEPS, "dtype": "float64"}
    own = {"model": {"name": f"tests.plugins.{model}"}, "optimizer": optimizer}
    return h.Recipe(**base | own | {"eval_every": 1} | fields)


def plain_loop(model, seed):
    """Train by torch alone; return the losses of the batches, the module and the module at its start."""
    data = load_data(recipe(model).data)
    x, y = torch.tensor(data.train.x), torch.tensor(data.train.y).argmax(1)
    with global_stream(derive(seed, "init")):
        module = getattr(plugins, model)(input_shape=(4,), outputs=3)
    module = module.double()
    first = copy.deepcopy(module)
    optimizer = torch.optim.AdamW(module.parameters(), lr=0.02, weight_decay=0.3)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(module(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, module, first


def trained(made, seeds):
    cohort = start([Run.of(made, seed) for seed in seeds], test=False)
    return advance(cohort, until=STEPS - 1), program_of(resolve(made))


@pytest.mark.parametrize("model", ["Frozen", "Tied"])
@pytest.mark.parametrize("optimizer", [OURS, TORCH_S], ids=["batched", "another library's"])
def test_frozen_and_shared_parameters_train_as_in_a_plain_loop(model, optimizer):
    seeds = [0, 3] if optimizer is OURS else [3]
    for seed, outcome in zip(seeds, train_outcomes(recipe(model, optimizer), seeds), strict=True):
        losses, _, _ = plain_loop(model, seed)
        ours = [p.metrics["batch/loss"] for p in outcome.points[1:]]
        assert ours == pytest.approx(losses, rel=1e-10)


def test_frozen_parameters_stay_where_the_seed_s_constructor_put_them():
    noisy = {"regularizers": [h.L2(strength=1.0, exempt=()), h.MaxNorm(limit=0.01)]}
    cohort, program = trained(recipe("Frozen", **noisy), [0, 3])
    assert set(program.layout.slots) == {"middle.weight", "middle.bias", "out.weight", "out.bias"}
    for row, seed in enumerate((0, 3)):
        _, _, first = plain_loop("Frozen", seed)
        assert torch.equal(cohort.buffers["features.weight"][row], first.features.weight)
        assert torch.equal(cohort.buffers["scale"][row], first.scale)


def test_a_shared_parameter_is_one_with_one_state():
    cohort, program = trained(recipe("Tied"), [0])
    assert list(program.layout.slots) == [
        "table.weight",
        "middle.weight",
        "middle.bias",
        "head.bias",
    ]
    ((state,),) = cohort.states
    assert state.m_KP.shape == (1, program.layout.width)
    table = torch.nn.Parameter(torch.zeros(3, 6))
    shapes = {"table": tuple(table.shape), "w": (6, 6), "b": (6,), "c": (3,)}
    assert program.layout.width == layout_of(shapes).width


@pytest.mark.parametrize("model", ["Frozen", "Tied", "NumPyStart"])
def test_members_train_as_alone(model):
    assert check_batching(resolve(recipe(model)))[0]
    runs = [Run.of(recipe(model), seed) for seed in (0, 1, 2)]
    for run, together in zip(runs, outcomes(runs), strict=True):
        assert_same(together, outcomes([run])[0])


def test_all_frozen_is_refused():
    with pytest.raises(ValueError, match="expected parameters to train"):
        program_of(
            resolve(
                recipe("Frozen").with_values({"model": {"name": "tests.engine.test_modules.fixed"}})
            )
        )


def fixed(outputs):
    return torch.nn.Linear(4, outputs).requires_grad_(False)


def disturb(number):
    """Leave the global generators in some state."""
    np.random.seed(number)
    random.seed(number)
    torch.manual_seed(number)


def curves(made, seeds):
    return [o.series("train/loss") for o in train_outcomes(made, seeds)]


def test_modules_that_numpy_draws_are_the_seed_s():
    disturb(1)
    first = curves(recipe("NumPyStart"), [0, 1])
    disturb(2)
    again = curves(recipe("NumPyStart"), [1, 0])
    assert first == again[::-1] and first[0] != first[1]


@pytest.mark.parametrize("by", ["torch", "numpy", "python"])
def test_what_a_module_draws_is_the_run_s_own(by):
    made = recipe("OwnNoise").with_values({"model": {"name": "tests.plugins.OwnNoise", "by": by}})
    together, why = check_batching(resolve(made))
    assert not together and why == "it draws random numbers by itself"
    disturb(1)
    (first,) = curves(made, [5])
    disturb(2)
    state = np.random.get_state()[1].tolist(), random.getstate(), torch.get_rng_state().tolist()
    curves(made, [6])
    after = np.random.get_state()[1].tolist(), random.getstate(), torch.get_rng_state().tolist()
    assert state == after
    (again,), (other,) = curves(made, [5]), curves(made, [6])
    assert first == again != other
