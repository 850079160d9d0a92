"""Modules and losses as users might write them, well and badly."""

from __future__ import annotations

import sys
import time

import numpy as np
import torch
from torch import nn


class Plain(nn.Module):
    def __init__(self, input_shape, outputs):
        super().__init__()
        self.out = nn.Linear(input_shape[0], outputs)

    def forward(self, x):
        return self.out(x)


class Lazy(nn.Module):
    """Its sizes follow from its first inputs."""

    def __init__(self, outputs):
        super().__init__()
        self.net = nn.Sequential(
            nn.LazyLinear(16), nn.LazyBatchNorm1d(), nn.ReLU(), nn.LazyLinear(outputs)
        )

    def forward(self, x):
        return self.net(x)


class Eager(nn.Module):
    """The same with its sizes written out."""

    def __init__(self, input_shape, outputs):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(input_shape[0], 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, outputs)
        )

    def forward(self, x):
        return self.net(x)


class Wide(nn.Module):
    """Five outputs, whatever the data."""

    def __init__(self, input_shape):
        super().__init__()
        self.out = nn.Linear(input_shape[0], 5)

    def forward(self, x):
        return self.out(x)


class Narrow(Plain):
    def forward(self, x):
        return super().forward(x)[:, 0]


class Total(Plain):
    def forward(self, x):
        return super().forward(x).sum()


class Pair(Plain):
    def forward(self, x):
        return super().forward(x), None


class Named(Plain):
    def forward(self, x):
        return {"logits": super().forward(x)}


class Double(nn.Module):
    def __init__(self, input_shape, outputs):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(input_shape[0], outputs))

    def forward(self, x):
        return self.body(x.double())


class Misfit(nn.Module):
    """Its second layer takes other inputs than its first puts out."""

    def __init__(self, input_shape, outputs):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(input_shape[0], 8), nn.Linear(9, outputs))

    def forward(self, x):
        return self.body(x)


class Leaving(Plain):
    def forward(self, x):
        sys.exit(7)


class LeavingLater(Plain):
    """Leaves in training on more samples than a trial has."""

    def forward(self, x):
        if self.training and len(x) > 2:
            sys.exit(7)
        return super().forward(x)


class Waiting(Plain):
    def forward(self, x):
        time.sleep(30)


def three(out, y):
    return (out - y).square().mean(1)[:3]


def one(out, y):
    return (out - y).square().mean()


def detached(out, y):
    return (out.detach() - y).square().mean(1)


def broken(out, y):
    raise RuntimeError("no such thing")


def fine(out, y):
    return torch.linalg.vector_norm(out - y, dim=1)


def pictures(side):
    return np.random.default_rng(0).normal(size=(60, 1, side, side)), np.arange(60) % 2


def signals(length):
    return np.random.default_rng(0).normal(size=(60, length)), np.arange(60) % 2
