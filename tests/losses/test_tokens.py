"""Cross-entropy over tokens and pixels against torch's own, in float64: values, gradients, what is left out."""

import numpy as np
import pytest
import torch
from torch.nn import functional

import harness as h
from harness.core.errors import HarnessError

MEMBERS, CLASSES = 2, 5
SHAPES = {"samples": (6,), "tokens": (6, 7), "pixels": (6, 4, 3)}
"""Targets (B, *S)."""


def case(shape, ignored=-100):
    """Return outputs in the harness's order of axes, and targets of which some are left out."""
    stream = torch.Generator().manual_seed(len(shape))
    y = torch.randint(0, CLASSES, (MEMBERS, *shape), generator=stream)
    out = torch.randn(MEMBERS, *shape, CLASSES, generator=stream, dtype=torch.float64)
    y[torch.rand(y.shape, generator=stream) < 0.3] = ignored
    return (out if len(shape) < 3 else out.movedim(-1, 2)).requires_grad_(), y


def torchs(out, y, **options):
    """Return torch's mean of one member, whose classes are on the second axis."""
    if y.ndim == 2:
        out = out.movedim(-1, 1)
    return functional.cross_entropy(out, y, **options)


@pytest.mark.parametrize("ignored", [-100, 1])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_mean_over_all_tokens_and_its_gradient_are_torch_s(shape, ignored):
    out, y = case(shape, ignored)
    loss = h.CrossEntropy(ignore_index=ignored)
    expected = torch.stack([torchs(out[k], y[k], ignore_index=ignored) for k in range(MEMBERS)])
    (gradient,) = torch.autograd.grad(expected.sum(), out)
    mean, ours = loss.value_and_gradient(out.detach(), y, {})
    torch.testing.assert_close(mean, expected.detach(), rtol=1e-12, atol=0)
    torch.testing.assert_close(ours, gradient, rtol=1e-11, atol=1e-15)
    of_samples = loss.per_sample(out, y, {}).mean(1)
    assert (of_samples - mean).abs().max() > 1e-3 or y.ndim == 2, "not a mean of samples' means"


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_smoothing_of_each_member_is_torch_s(shape):
    out, y = case(shape)
    shares = torch.tensor([0.0, 0.3], dtype=torch.float64)
    mean = h.CrossEntropy().mean(out, y, {"smoothing": shares})
    expected = [torchs(out[k], y[k], label_smoothing=float(shares[k])) for k in range(MEMBERS)]
    torch.testing.assert_close(mean, torch.stack(expected), rtol=1e-12, atol=0)


def test_a_batch_in_which_nothing_counts_has_no_loss_and_no_gradient():
    out, y = case((6, 7))
    y[0] = -100
    mean, gradient = h.CrossEntropy().value_and_gradient(out.detach(), y, {})
    assert mean[0] == 0 and (gradient[0] == 0).all() and mean[1] > 0


def test_targets_below_zero_are_refused_unless_they_are_left_out():
    y = np.array([[0, 2, -1]])
    with pytest.raises(HarnessError, match=r"ignore_index \(-100\), got -1"):
        h.CrossEntropy().check_targets(y)
    h.CrossEntropy(ignore_index=-1).check_targets(y)


def test_a_loss_at_its_default_keeps_its_plain_form():
    assert h.CrossEntropy().dump() == {"name": "CrossEntropy"}
    assert h.CrossEntropy(ignore_index=0).dump()["ignore_index"] == 0


@pytest.mark.parametrize("loss", [h.MSE(), h.MAE(), h.Huber(delta=0.4), h.BCE()], ids=str)
def test_losses_of_numbers_are_means_over_all_axes(loss):
    stream = torch.Generator().manual_seed(0)
    out, y = torch.rand(2, MEMBERS, 6, 4, 3, generator=stream, dtype=torch.float64)
    hyper = {n: torch.full((MEMBERS,), v).double() for n, v in loss.numbers().items()}
    flat = loss.per_sample(out.flatten(2), y.flatten(2), hyper)
    torch.testing.assert_close(loss.per_sample(out, y, hyper), flat, rtol=1e-12, atol=0)
