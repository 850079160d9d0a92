"""The contract of every loss: values and gradients of an independent implementation, members, fields."""

import inspect
import math

import pytest
import torch

import harness as h
from harness.core.registry import REGISTRY, lookup
from harness.losses.base import Loss
from tests.cases import LOSSES

SHAPE = (2, 7, 4)


def samples(seed=0):
    """Outputs, and targets that sum to 1, of two members in float64."""
    stream = torch.Generator().manual_seed(seed)
    out_KBD = 3 * torch.randn(SHAPE, generator=stream, dtype=torch.float64)
    return out_KBD, torch.rand(SHAPE, generator=stream, dtype=torch.float64).softmax(-1)


def hyper_of(*losses):
    """The numeric fields of some members, (K,) each."""
    fields = [loss.numbers() for loss in losses]
    return {n: torch.tensor([f[n] for f in fields], dtype=torch.float64) for n in fields[0]}


@pytest.mark.parametrize("name", LOSSES)
def test_loss_equals_its_twin(name):
    loss, twin = LOSSES[name]
    out_KBD, y_KBD = samples()
    expected_KB = torch.stack([twin(out, y) for out, y in zip(out_KBD, y_KBD, strict=True)])
    loss_KB = loss.per_sample(out_KBD, y_KBD, hyper_of(loss, loss))
    assert torch.allclose(loss_KB, expected_KB, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", LOSSES)
def test_gradient_is_the_twin_s_by_autograd(name):
    loss, twin = LOSSES[name]
    out_KBD, y_KBD = samples()
    given, hyper = (out_KBD.clone(), y_KBD.clone()), hyper_of(loss, loss)
    with torch.inference_mode():  # as in training
        mean_K, gradient_KBD = loss.value_and_gradient(*given, hyper)
    leaf_KBD = out_KBD.clone().requires_grad_()
    expected_K = torch.stack([twin(leaf_KBD[k], y_KBD[k]).mean() for k in range(SHAPE[0])])
    expected_K.sum().backward()
    assert torch.allclose(mean_K, expected_K.detach(), rtol=1e-12)
    assert torch.allclose(gradient_KBD, leaf_KBD.grad, rtol=1e-12, atol=1e-15)
    assert torch.equal(given[0], out_KBD) and torch.equal(given[1], y_KBD), (
        "inputs stay as they are"
    )


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e2, 1e4])
def test_cross_entropy_and_its_gradient_hold_for_outputs_of_any_size(scale):
    out = scale * torch.randn(2, 50, 10, generator=torch.Generator().manual_seed(0))
    y = torch.eye(10)[torch.arange(50) % 10].expand(2, -1, -1)
    leaf = out.double().requires_grad_()
    expected = torch.nn.functional.cross_entropy(
        leaf.movedim(-1, 1), y.double().movedim(-1, 1), reduction="none"
    )
    (expected_gradient,) = torch.autograd.grad(expected.sum(), leaf)
    mean, gradient = h.CrossEntropy().value_and_gradient(out, y, {})
    each = h.CrossEntropy().per_sample(out, y, {})
    assert torch.allclose(mean.double(), expected.mean(1), rtol=1e-5, atol=1e-5)
    assert torch.allclose(50 * gradient.double(), expected_gradient, rtol=1e-4, atol=1e-6)
    assert torch.allclose(each.double(), expected, rtol=1e-5, atol=1e-5)


def test_members_have_their_own_numbers():
    out_KBD, y_KBD = samples()
    both = h.Huber().per_sample(out_KBD, y_KBD, hyper_of(h.Huber(delta=0.1), h.Huber(delta=2.0)))
    for k, delta in enumerate((0.1, 2.0)):
        alone = torch.nn.functional.huber_loss(out_KBD[k], y_KBD[k], reduction="none", delta=delta)
        assert torch.allclose(both[k], alone.mean(-1), rtol=1e-12)


@pytest.mark.parametrize(
    "one, other", [(h.Huber(delta=0.3), h.Huber(delta=0.6)), (h.MSE(), h.MSE(form="half_sum"))]
)
def test_every_field_acts(one, other):
    out_KBD, y_KBD = samples()
    values = [loss.per_sample(out_KBD, y_KBD, hyper_of(loss, loss)) for loss in (one, other)]
    assert not torch.allclose(*values, rtol=1e-3)


def test_every_loss_with_fields_is_among_those_above():
    fields = {name: set(lookup("loss", name).model_fields) for name in REGISTRY["loss"].parts}
    assert {name: own for name, own in fields.items() if own} == {
        "BCE": {"pos_weight"},  # tests/losses/test_class_weights.py
        "CrossEntropy": {"ignore_index", "weight"},  # tests/losses/test_tokens.py, too
        "Huber": {"delta"},
        "MSE": {"form"},
        "Objective": {"function"},
    }


@pytest.mark.parametrize(
    "function, point, least",
    [
        ("rosenbrock", (1.0, 1.0), 0.0),
        ("beale", (3.0, 0.5), 0.0),
        ("branin", (math.pi, 2.275), 0.39788735772973816),  # Surjanovic & Bingham 2013
        ("branin", (-math.pi, 12.275), 0.39788735772973816),
        ("branin", (9.42477796, 2.475), 0.39788735772973816),
    ],
)
def test_functions_are_least_where_published(function, point, least):
    loss, at = h.Objective(function=function), torch.tensor([[point]], dtype=torch.float64)
    value, gradient = loss.value_and_gradient(at, torch.zeros(1, 1, 1).double(), {})
    assert float(value) == pytest.approx(least, abs=1e-12)
    assert gradient.abs().max() < 1e-6
    around = at + 0.01 * torch.tensor([[[1.0, 0], [-1.0, 0], [0, 1.0], [0, -1.0]]]).double()
    assert (loss.per_sample(around, around, {}) > least).all()


def test_every_registered_loss_has_a_case_and_is_final():
    tested = {type(case.loss).__name__ for case in LOSSES.values()} | {"Objective"}
    assert set(REGISTRY["loss"].parts) | {"ExternalLoss"} == tested
    for name in REGISTRY["loss"].parts:
        assert lookup("loss", name).__final__ and inspect.getdoc(lookup("loss", name))
    with pytest.raises(TypeError, match="abstract"):
        Loss()


@pytest.mark.parametrize("name", LOSSES)
def test_no_loss_is_below_its_least_and_a_right_answer_s_is_near_it(name):
    loss, _ = LOSSES[name]
    _, y_KBD = samples()
    right_KBD = torch.eye(SHAPE[-1], dtype=torch.float64)[y_KBD.argmax(-1)]
    hyper = hyper_of(loss, loss)
    for out_KBD in (right_KBD, 40 * (right_KBD - 0.5), -40 * (right_KBD - 0.5), *samples()):
        assert loss.per_sample(out_KBD, right_KBD, hyper).min() >= loss.least
    # numbers are right where they are the targets, classes where their logits are large
    best = min(
        float(loss.per_sample(out_KBD, right_KBD, hyper).min())
        for out_KBD in (right_KBD, 1e3 * (right_KBD - 0.5))
    )
    assert best == pytest.approx(loss.least, abs=1e-9) or loss.least == -math.inf  # not known
