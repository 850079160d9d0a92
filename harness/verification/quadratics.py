"""What mathematics says of optimizers on quadratics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

import harness as h
from harness.core.parameter_layout import layout_of
from harness.verification.row import Row, RowGroup, at_least, at_most, within


def descend(
    optimizer: h.SGD,
    curvatures: Sequence[float],
    steps: int,
    noise: float = 0.0,
    members: int = 1,
) -> Tensor:
    """Return the path of an optimizer on ½Σ hᵢθᵢ² from θ = 1, in float64.

    Args:
        optimizer: the rule, without a schedule.
        curvatures: h.
        steps: updates.
        noise: standard deviation of what is added to each number of the gradient.
        members: paths, each with noise of its own.

    Returns:
        (steps + 1, members, dimensions).
    """
    h_D = torch.tensor(curvatures, dtype=torch.float64)
    layout = layout_of({"w": tuple(h_D.shape)})
    like_KP = torch.zeros(members, layout.width, dtype=torch.float64)
    w_KP = layout.pack({"w": torch.ones(members, len(h_D), dtype=torch.float64)}, like_KP)
    state, stream = optimizer.init(w_KP), torch.Generator().manual_seed(0)
    hyper = {name: like_KP.new_full((members, 1), v) for name, v in optimizer.numbers().items()}
    path = [layout.view(w_KP, "w").clone()]
    for _ in range(steps):
        random_KD = torch.randn(members, len(h_D), generator=stream, dtype=torch.float64)
        g_KP = layout.pack({"w": h_D * path[-1] + noise * random_KD}, w_KP)
        w_KP, state = optimizer.update(g_KP, state, w_KP, hyper, layout)
        path.append(layout.view(w_KP, "w").clone())
    return torch.stack(path)


def _growth(factor: float) -> float:
    """Return the growth in 2,000 steps at a factor of the largest stable rate 2/λmax."""
    path = descend(h.SGD(lr=factor * 2 / 50.0), [1.0, 50.0], 2000)
    return float(path[-1].norm() / path[0].norm())


def _contraction(kappa: float) -> float:
    """Return Polyak's contraction a step; measured late, since it begins as t·√βᵗ."""
    root = math.sqrt(kappa)
    beta = ((root - 1) / (root + 1)) ** 2
    path = descend(h.SGD(lr=(2 / (root + 1)) ** 2, momentum=beta), [1.0, kappa], 2000)
    return float((path[2000].abs().max() / path[1000].abs().max()) ** (1 / 1000))


def _variance(lr: float, momentum: float) -> float:
    """Return the stationary variance with h = 2 and gradient noise of variance 1."""
    path = descend(h.SGD(lr=lr, momentum=momentum), [2.0], 6000, noise=1.0, members=256)
    return float(path[600:].var())


VARIANCES = {(0.1, 0.0): 0.027778, (0.5, 0.0): 0.25, (0.1, 0.9): 0.263889}
"""η s²(1 + β)/(B h(1 − β)(2(1 + β) − ηh)), by η and β."""

QUADRATICS = RowGroup(
    "quadratics",
    "Quadratics",
    "exact; Polyak 1964, Mandt et al. 2017",
    (
        Row("growth of gradient descent at 0.999 · 2/λmax", at_most(1.0), partial(_growth, 0.999)),
        Row("growth of gradient descent at 1.001 · 2/λmax", at_least(1.0), partial(_growth, 1.001)),
        # critically damped ends contract like t·√βᵗ: from 1,000 to 2,000 steps 0.07 % more a step
        *(
            Row(
                f"contraction of the heavy ball at condition number {kappa}",
                within(rate, share=1e-3),
                partial(_contraction, float(kappa)),
            )
            for kappa, rate in ((100, 0.8182), (1000, 0.9387))
        ),
        *(
            Row(
                f"stationary variance at η = {lr:g}, β = {momentum:g}",
                within(variance, share=0.01),
                partial(_variance, lr, momentum),
            )
            for (lr, momentum), variance in VARIANCES.items()
        ),
    ),
)
