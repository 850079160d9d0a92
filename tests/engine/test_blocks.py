"""Weights that are moved tensor by tensor end where those moved row by row do, to the bit."""

import pytest
import torch

import harness as h
from harness.core.parameter_layout import layout_of
from harness.engine import optimizer_groups
from harness.engine.cohort import start
from harness.engine.loop import advance
from harness.engine.workspace import workspace_for
from harness.spec.arms import Run
from tests.cases import OPTIMIZERS, REGULARIZERS, regularized

BASE = h.Recipe(
    data="digits", model=h.MLP(widths=(64, 64)), optimizer=h.Adam(lr=0.003), batch_size=32, epochs=1
)


@pytest.fixture(autouse=True)
def apart(monkeypatch):
    """Large tensors of a few members are moved apart too."""
    monkeypatch.setattr(optimizer_groups, "APART", 2**13)


def trained(recipes):
    cohort = advance(
        start([Run.of(recipe, seed) for seed, recipe in enumerate(recipes)], test=False)
    )
    return len(cohort.blocks), [
        (p.step, p.metrics) for _, o in sorted(cohort.outcomes.items()) for p in o.points
    ]


def both_ways(recipes, monkeypatch):
    apart = trained(recipes)
    monkeypatch.setattr(optimizer_groups, "APART", 10**9)
    return apart, trained(recipes)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_move_tensor_by_tensor_as_row_by_row(name, monkeypatch):
    optimizer = OPTIMIZERS[name].optimizer
    (blocks, apart), (one, whole) = both_ways(
        [BASE.with_values({"optimizer": optimizer})] * 2, monkeypatch
    )
    assert optimizer.coordinatewise == (name not in ("Muon", "Adafactor", "SOAP"))
    assert (blocks, one) == (4 if optimizer.coordinatewise else 1, 1)
    assert apart == whole


@pytest.mark.parametrize("name", REGULARIZERS)
def test_regularizers_act_tensor_by_tensor_as_row_by_row(name, monkeypatch):
    regularizer = REGULARIZERS[name]
    (blocks, apart), (_, whole) = both_ways([regularized(BASE, regularizer)] * 2, monkeypatch)
    assert blocks == (4 if regularizer.coordinatewise else 1)
    assert regularizer.coordinatewise or name not in ("L2", "weight decay"), (
        "the usual ones are fast"
    )
    assert apart == whole


def test_several_optimizers_move_their_members_tensor_by_tensor(monkeypatch):
    chosen = [h.SGD(lr=0.1), h.Adam(lr=0.003), h.SGD(lr=0.1, momentum=0.9), h.NAdam(lr=0.003)]
    (blocks, apart), (_, whole) = both_ways(
        [BASE.with_values({"optimizer": optimizer}) for optimizer in chosen], monkeypatch
    )
    assert blocks == 4 and apart == whole
    with_muon = [
        BASE.with_values({"optimizer": optimizer}) for optimizer in (*chosen[:2], h.Muon(lr=0.02))
    ]
    assert trained(with_muon)[0] == 1


def test_few_members_of_an_optimizer_are_moved_row_by_row(monkeypatch):
    monkeypatch.undo()
    assert [trained([BASE] * members)[0] for members in (8, 16)] == [1, 4]


def test_what_is_said_of_an_update_does_not_hold_for_another():
    class Normalized(h.SGD):
        def update(self, g_KP, state, w_KP, hyper, layout):
            return w_KP - hyper["lr"] * g_KP / g_KP.norm(dim=1, keepdim=True), state

    class Renamed(h.SGD):
        pass

    class Halved(h.Regularizer):
        coordinatewise = True

        def clip(self, g_KC, ctx):
            return g_KC / 2

    class ClipByMean(Halved):
        def clip(self, g_KC, ctx):
            return g_KC - g_KC.mean(1, keepdim=True)

    class Renoised(h.Regularizer):
        def batch(self, x_KB, y_KBD, ctx):
            return x_KB, y_KBD

    assert not Normalized.coordinatewise and Renamed.coordinatewise
    assert not ClipByMean.coordinatewise and Halved.coordinatewise and Renoised.coordinatewise


def test_blocks_cover_every_row_and_the_gradient_is_gathered_from_them():
    shapes = {"a": (64, 64), "b": (64,), "c": (50, 50), "d": (64, 33), "e": (3,)}
    made = layout_of(shapes)
    assert [(p.start, p.stop) for p in made.blocks(2048)] == [
        (0, 4096),
        (4096, 6720),
        (6720, 8832),
        (8832, made.width),
    ]
    workspace = workspace_for(made, torch.randn(3, made.width), made.blocks(2048))
    assert set(workspace.apart) == {"a", "d"}
    given = {name: torch.randn(3, *shape) for name, shape in shapes.items()}
    for name, slope in given.items():
        workspace.gradients[name].copy_(slope)
    assert torch.equal(
        torch.cat([block.g_KC for block in workspace.blocks], 1), made.pack(given, workspace.w_KP)
    )
    assert torch.equal(workspace.gathered(made), made.pack(given, workspace.w_KP))
