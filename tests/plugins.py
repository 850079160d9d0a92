"""What a user might bring: a module, a data set, a loss, an optimizer, a regularizer."""

from __future__ import annotations

import os
import random

import numpy as np
import pytorch_optimizer
import torch
from torch import nn

from harness.data.base import Data
from harness.data.dataset import Raw
from harness.models.mlp import MLP
from harness.optimizers.base import Optimizer
from harness.probes.base import Probe
from harness.regularizers.base import Regularizer
from harness.spec.space import NonNegative


class TinyNet(nn.Module):
    def __init__(self, input_shape, outputs, width=8):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(input_shape[0], width),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.Linear(width, outputs),
        )

    def forward(self, x):
        return self.net(x)


class Recurrent(nn.Module):
    """A GRU, for which vmap has no rule."""

    def __init__(self, outputs):
        super().__init__()
        self.cell, self.out = nn.GRU(1, 4, batch_first=True), nn.Linear(4, outputs)

    def forward(self, x):
        return self.out(self.cell(x[..., None])[0][:, -1])


class Stripes(Data):
    """Two classes of striped signals."""

    count: int = 200

    def raw(self) -> Raw:
        rng = np.random.default_rng(0)
        y = rng.integers(0, 2, self.count)
        return Raw(
            np.sin(np.arange(12) * (1 + y[:, None])) + 0.3 * rng.normal(size=(self.count, 12)), y
        )


class Uneven(Data):
    """A data set that is larger on every further split."""

    def raw(self) -> Raw:
        rng = np.random.default_rng(0)
        return Raw(
            rng.normal(size=(100 + 10 * self.split, 4)), np.arange(100 + 10 * self.split) % 2
        )


class Drawn(Stripes):
    """A data set whose samples are others on every split."""

    def raw(self) -> Raw:
        return Raw(np.random.default_rng(self.split).normal(size=(100, 4)), np.arange(100) % 2)


def cubic(out, y, power=3):
    return (out - y).abs().pow(power).mean(-1)


class Shrink(Regularizer):
    """Divides all weights by a number after each update."""

    by: NonNegative = 1.01

    def constrain(self, w_KP, ctx):
        return w_KP / ctx.column("by")


class Failing(nn.Module):
    """Fails in its first forward pass of training."""

    def __init__(self, input_shape, outputs):
        super().__init__()
        self.net = nn.Linear(input_shape[0], outputs)

    def forward(self, x):
        if self.training and len(x) > 2:
            raise RuntimeError("boom")
        return self.net(x)


class Deadly(Failing):
    """Kills its process."""

    def forward(self, x):
        if self.training and len(x) > 2:
            os._exit(9)
        return self.net(x)


class Tight(MLP):
    """An MLP that can't be trained by more than two members at once."""

    def network(self, input_shape, outputs):
        made = super().network(input_shape, outputs)
        call = type(made).__call__

        class Narrow(type(made)):
            def __call__(self, params, x_KB, ctx):
                if len(params["out.weight"]) > 2:
                    raise torch.OutOfMemoryError("too many members")
                return call(self, params, x_KB, ctx)

        made.__class__ = Narrow
        return made


class Descent(Optimizer):
    """θ ← θ − 2ηg."""

    def init(self, w_KP):
        return ()

    def update(self, g_KP, state, w_KP, hyper, layout):
        return w_KP - 2 * hyper["lr"] * g_KP, state


def sharpness_aware(parameters, lr, rho=0.05):
    """SAM over SGD, which asks for a second gradient (Foret et al. 2021)."""
    return pytorch_optimizer.SAM(parameters, base_optimizer=torch.optim.SGD, lr=lr, rho=rho)


class Uninterested(torch.optim.SGD):
    """Never calls the closure: it moves by the gradients that it finds."""

    def step(self, closure=None):
        return super().step()


class WithoutClosure(torch.optim.SGD):
    """Has a step that takes nothing."""

    def step(self):
        return super().step()


class Extragradient(torch.optim.SGD):
    """Takes the gradient where a step would lead, and steps from where it was (Korpelevich 1976)."""

    def step(self, closure=None):
        parameters = self.param_groups[0]["params"]
        before = [p.detach().clone() for p in parameters]
        super().step()
        loss = closure()
        with torch.no_grad():
            for parameter, start in zip(parameters, before, strict=True):
                parameter.copy_(start)
        super().step()
        return loss


class Idle(torch.optim.SGD):
    """Moves nothing."""

    def step(self, closure=None):
        return closure()


class WeightSum(Probe):
    """Σθ."""

    prefix = "sum"

    def measure(self, scene, memory):
        return {"all": scene.w_KP.sum(1)}


class Frozen(nn.Module):
    """Random features that are not trained, and a layer on them; a frozen scale between."""

    def __init__(self, input_shape, outputs, width=7):
        super().__init__()
        self.features = nn.Linear(input_shape[0], width).requires_grad_(False)
        self.middle, self.out = nn.Linear(width, width), nn.Linear(width, outputs)
        self.scale = nn.Parameter(torch.ones(width), requires_grad=False)

    def forward(self, x):
        return self.out(torch.tanh(self.middle(torch.tanh(self.features(x)) * self.scale)))


class Tied(nn.Module):
    """Tokens that are looked up and told apart by one table, as language models have it."""

    def __init__(self, input_shape, outputs, width=6):
        super().__init__()
        self.table = nn.Embedding(outputs, width)
        self.middle, self.head = nn.Linear(width, width), nn.Linear(width, outputs)
        self.head.weight = self.table.weight

    def forward(self, x):
        tokens = x.abs().long() % self.table.num_embeddings
        return self.head(torch.tanh(self.middle(self.table(tokens).mean(1))))


class NumPyStart(nn.Module):
    """Drawn by NumPy's global generator, and a buffer by Python's."""

    def __init__(self, input_shape, outputs):
        super().__init__()
        self.w = nn.Parameter(torch.tensor(0.1 * np.random.randn(input_shape[0], outputs)).float())
        self.register_buffer("shift", torch.tensor(random.random()))

    def forward(self, x):
        return x @ self.w + self.shift


class Noisy(nn.Module):
    """Running statistics, dropout of torch's, and a draw of its own in training."""

    def __init__(self, input_shape, outputs):
        super().__init__()
        self.inside = nn.Linear(input_shape[0], 9)
        self.norm, self.out = nn.BatchNorm1d(9), nn.Linear(9, outputs)

    def forward(self, x):
        hidden = nn.functional.dropout(self.norm(self.inside(x)).relu(), 0.2, self.training)
        return self.out(hidden + 0.1 * torch.randn_like(hidden) * self.training)


class OwnNoise(nn.Module):
    """Draws in every pass, by the generator that it is told."""

    def __init__(self, input_shape, outputs, by="torch"):
        super().__init__()
        self.out, self.by = nn.Linear(input_shape[0], outputs), by

    def forward(self, x):
        if self.by == "torch":
            noise = torch.randn(x.shape[-1]).to(x)
        elif self.by == "numpy":
            noise = torch.from_numpy(np.random.randn(x.shape[-1])).to(x)
        else:
            noise = random.gauss(0.0, 1.0)
        return self.out(x + 0.5 * noise)
