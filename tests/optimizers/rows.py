"""What the tests of optimizers share: shapes, first weights and gradients in float64, and hyperparameters as columns."""

import torch

from harness.core.parameter_layout import layout_of
from harness.core.parameter_numbers import GroupNumbers
from harness.engine.optimizer_groups import decay_of_parameters

SHAPES = {"weight": (7, 5), "bias": (7,)}
LAYOUT = layout_of(SHAPES, {"bias": "bias"})
STEPS = 50


def numbers(optimizer):
    """The numeric fields by name, and a schedule that leaves the learning rate as it is."""
    return optimizer.numbers() | {"schedule": 1.0}


def hyper_of(*optimizers, layout=LAYOUT):
    """The numeric fields of some members as an update is given them: (K, 1), or (K, P) by parameter."""
    fields = [numbers(optimizer) for optimizer in optimizers]
    columns = {n: torch.tensor([[f[n]] for f in fields], dtype=torch.float64) for n in fields[0]}
    return columns | decay_of_parameters(optimizers[0], columns, layout, GroupNumbers())


def starts():
    """First weights by name."""
    stream = torch.Generator().manual_seed(1)
    return {n: torch.randn(s, generator=stream, dtype=torch.float64) for n, s in SHAPES.items()}


def gradients(steps=STEPS, seed=0):
    """Yield gradients by name: noisy, and of very different sizes."""
    stream = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        yield {
            n: torch.randn(s, generator=stream, dtype=torch.float64)
            * torch.logspace(-3, 1, s[0]).double()[(...,) + (None,) * (len(s) - 1)]
            for n, s in SHAPES.items()
        }


def rows(tensors, members=1):
    """Pack tensors by name into equal rows (K, P)."""
    like = torch.zeros(members, LAYOUT.width, dtype=torch.float64)
    return LAYOUT.pack({n: v.expand(members, *v.shape) for n, v in tensors.items()}, like)


def relative(a, b):
    """The largest difference, over the largest of b."""
    return float((a - b).abs().max() / b.abs().max())
