"""Torch modules by dotted name: mapped over members or called alone, with random streams of their own."""

import pytest
import torch
from torch import nn

import harness as h
from harness.core.errors import HarnessError
from harness.engine.batching import check_batching
from harness.models.base import Context, DataSizes, Model
from harness.models.external import ModuleNetwork, global_stream
from harness.spec.resolved import resolve

TINY = h.Recipe(
    data="iris",
    model={"name": "tests.plugins.TinyNet", "width": 6},
    optimizer=h.SGD(lr=0.1),
    epochs=1,
)


def network(make, **arguments):
    return ModuleNetwork("a.module", make, arguments, DataSizes((3,), 1))


def test_a_module_is_mapped_and_one_that_vmap_refuses_trains_alone():
    recurrent = TINY.with_values({"model": {"name": "tests.plugins.Recurrent"}})
    assert check_batching(resolve(TINY))[0]
    together, why = check_batching(resolve(recurrent))
    assert not together and "vmap refuses" in why


def test_members_are_the_module_with_their_own_parameters_and_buffers():
    made = Model.parse(TINY.dump()["model"]).network((4,), 3)
    assert isinstance(made, ModuleNetwork)
    modules = [made.build(seed).double() for seed in (0, 1)]
    params = {
        n: torch.stack([dict(m.named_parameters())[n].detach() for m in modules])
        for n in made.weights()
    }
    buffers = {n: torch.stack([b, b]) for n, b in made.buffers().items()}
    buffers = {n: b.double() if b.is_floating_point() else b for n, b in buffers.items()}
    x = torch.randn(8, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    ctx = Context(training=True, buffers=dict(buffers))
    out = made(params, x[None], ctx)
    for k, module in enumerate(modules):
        torch.testing.assert_close(out[k], module(x), rtol=1e-12, atol=1e-13)
        for name, buffer in module.named_buffers():
            torch.testing.assert_close(ctx.buffers[name][k], buffer, rtol=1e-12, atol=0)


@pytest.mark.parametrize(
    "make, draws, refuses",
    [
        (lambda: nn.Linear(2, 2), False, False),
        (lambda: nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.1)), True, False),
        (lambda: nn.GRU(2, 2, num_layers=2, dropout=0.1), True, False),
        (lambda: nn.GRU(2, 2), False, False),
        (lambda: nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1)), False, True),
        (lambda: nn.LayerNorm(2), False, False),
    ],
)
def test_what_a_module_can_not_do_is_known(make, draws, refuses):
    made = network(make)
    assert (made.draws, made.refuses_single_samples) == (draws, refuses)


def test_fans_are_torch_s():
    made = network(lambda: nn.Conv2d(3, 5, 4))
    expected = nn.init._calculate_fan_in_and_fan_out(torch.empty(5, 3, 4, 4))
    assert made.weights()["weight"][1:3] == expected == (48, 80)


def test_a_module_starts_from_its_seed_and_leaves_torch_s_generator_alone():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    one, same, other = (
        network(nn.Linear, in_features=3, out_features=2).build(s) for s in (0, 0, 1)
    )
    assert torch.equal(one.weight, same.weight) and not torch.equal(one.weight, other.weight)
    with global_stream(5):
        torch.rand(3)
    assert torch.equal(torch.get_rng_state(), before)


def test_what_is_no_module_is_said():
    with pytest.raises(HarnessError, match=r"a.module: expected a torch.nn.Module, got dict"):
        network(dict)
