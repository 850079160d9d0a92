"""Losses of torch, by class and made already, against torch's own mean."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

import harness as h
from harness.core.errors import HarnessError
from harness.losses.base import Loss

OUT = torch.randn(2, 7, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
TARGETS = {
    "classes": torch.eye(3, dtype=torch.float64)[torch.arange(7) % 3].expand(2, 7, 3),
    "numbers": torch.linspace(-1, 1, 42, dtype=torch.float64).reshape(2, 7, 3),
}
CASES = {
    "class": ("classes", partial(nn.CrossEntropyLoss, label_smoothing=0.2)),
    "made": ("classes", nn.CrossEntropyLoss(label_smoothing=0.2)),
    "by output": ("numbers", nn.SmoothL1Loss),
    "summed": ("numbers", nn.MSELoss(reduction="sum")),
    "positive": ("classes", nn.BCEWithLogitsLoss(pos_weight=torch.tensor([1.0, 2.0, 3.0]))),
}


@pytest.mark.parametrize("name", CASES)
def test_loss_modules_are_torch_s_own_mean(name):
    targets, given = CASES[name]
    loss, y = Loss.parse(given), TARGETS[targets]
    losses = loss.per_sample(OUT, y, {})
    module = given() if not isinstance(given, nn.Module) else given
    for member in range(2):
        expected = module(OUT[member], y[member])
        if name == "summed":
            expected = expected / y[member].numel()
        assert losses[member].shape == (7,)
        assert losses[member].mean().item() == pytest.approx(expected.item(), rel=1e-12)
    if isinstance(given, nn.Module):
        assert given.reduction == ("sum" if name == "summed" else "mean"), "the user's stays"


def test_functions_get_their_arguments():
    loss = h.ExternalLoss(lambda out, y, power: (out - y).abs().pow(power).mean(-1), power=3)
    y = TARGETS["numbers"]
    expected = (OUT - y).abs().pow(3).mean(-1)
    assert torch.equal(loss.per_sample(OUT, y, {}), expected)


@pytest.mark.parametrize("loss", [nn.CrossEntropyLoss(ignore_index=0), nn.NLLLoss])
def test_torch_s_losses_of_classes_are_refused_for_tokens_with_the_one_to_take(loss):
    """It ended in torch's 'Expected target size [16, 12], got [16, 10]'."""
    tokens = np.random.default_rng(0).integers(0, 5, (60, 8))
    model = h.GPT(layers=1, width=8, heads=2)
    fields = {"model": model, "optimizer": h.Adam(lr=0.01), "epochs": 1}
    ignored = 0 if isinstance(loss, nn.Module) else -100
    with pytest.raises(HarnessError, match=rf"take CrossEntropy\(ignore_index={ignored}\)"):
        h.train(h.Recipe(data=(tokens, tokens), loss=loss, **fields))
