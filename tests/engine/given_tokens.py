"""Data of other shapes, and modules and losses for them, as users might write them."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional

WORDS, LENGTH = 11, 6


def sentences():
    """One of three classes for each sequence of token ids."""
    x = np.random.default_rng(0).integers(0, WORDS, (90, LENGTH))
    return x, x.sum(1) % 3


def tagged(left_out=True):
    """A tag for each token; some are left out."""
    rng = np.random.default_rng(1)
    x = rng.integers(0, WORDS, (90, LENGTH))
    y = x % 3
    if left_out:
        y[rng.random(y.shape) < 0.4] = -100
    return x, y


def pictures():
    """A class for each pixel."""
    x = np.random.default_rng(2).normal(size=(60, 1, 4, 5))
    return x, (x[:, 0] > 0).astype(int)


def depths():
    """A number for each pixel."""
    x = np.random.default_rng(2).normal(size=(60, 1, 4, 5))
    return x, np.tanh(x)


def many_classes():
    """More classes than are made one-hot."""
    return np.random.default_rng(3).normal(size=(2400, 4)), np.arange(2400) % 1200


def masked():
    """Token ids with a mask, and a class of the whole."""
    x, y = sentences()
    return {"ids": x, "mask": (x > 2).astype(np.float32)}, y


def pairs():
    """Two arrays by place; a class and a number to be told."""
    x, y = sentences()
    numbers = np.random.default_rng(4).normal(size=(90, 2))
    return (x, numbers), {"kind": y, "size": numbers.sum(1)}


def uneven():
    x, y = sentences()
    return {"ids": x, "mask": x[:10]}, y


class Classifier(nn.Module):
    """A class of a sequence of tokens."""

    def __init__(self, vocabulary, outputs):
        super().__init__()
        self.table, self.out = nn.Embedding(vocabulary, 8), nn.Linear(8, outputs)

    def forward(self, x):
        assert x.dtype == torch.int64
        return self.out(self.table(x).mean(1))


class Tagger(Classifier):
    def forward(self, x):
        return self.out(self.table(x))


class Pixels(nn.Module):
    def __init__(self, outputs=1):
        super().__init__()
        self.conv = nn.Conv2d(1, outputs, 3, padding=1)

    def forward(self, x):
        return self.conv(x)


class Masked(Classifier):
    def __init__(self, vocabulary, outputs):
        super().__init__(vocabulary["ids"], outputs)

    def forward(self, ids, mask):
        assert (ids.dtype, mask.dtype) == (torch.int64, self.out.weight.dtype)
        return self.out((self.table(ids) * mask[..., None]).mean(1))


class TwoHeads(nn.Module):
    """Takes two arrays, and tells two things."""

    def __init__(self, input_shape):
        super().__init__()
        assert input_shape == {"0": (LENGTH,), "1": (2,)}
        self.table = nn.Embedding(WORDS, 8)
        self.kind, self.size = nn.Linear(8, 3), nn.Linear(2, 1)

    def forward(self, ids, numbers):
        return {"kind": self.kind(self.table(ids).mean(1)), "size": self.size(numbers)[:, 0]}


def both(out, y, weight=0.5):
    kind = functional.cross_entropy(out["kind"], y["kind"], reduction="none")
    return kind + weight * (out["size"] - y["size"]).square()


def mean_by_sentence(out, y):
    loss = functional.cross_entropy(out.movedim(-1, 1), y, reduction="none")
    return loss.sum(1) / (y >= 0).sum(1).clamp(min=1)
