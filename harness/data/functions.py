"""Functions to be minimised, as data sets: the parameters are the model, the function the loss.

So that optimizers can be compared on them through the same engine, a recipe with such data has the
model ``Parameters`` and the loss ``Objective`` by default. The formulas that are computed are in
:mod:`harness.losses.functions`.
"""

from __future__ import annotations

from typing import final

import numpy as np

from harness.data.base import Data
from harness.data.dataset import Raw
from harness.spec.component import Component, parse_part


class Function(Data):
    """A function of a few parameters.

    There is nothing to learn from: training and test part are one sample of zeros, which the loss
    does not look at, and by default there is no validation part.
    """

    task = "function"
    valid_fraction: float = 0.0
    start: tuple[float, ...]
    """Where the parameters start."""

    def raw(self) -> Raw:
        # inputs and targets alike: the targets' width is that of the model's output, θ
        x = np.zeros((1, len(self.start)))
        return Raw(x, x, (x, x))

    def default_loss(self) -> Component:
        return parse_part("loss", {"name": "Objective", "function": self.name.lower()})

    def default_model(self) -> Component:
        return parse_part("model", {"name": "Parameters", "start": self.start})


@final
class Rosenbrock(Function):
    """f(x, y) = (1 − x)² + 100 (y − x²)², minimum 0 at (1, 1) (Rosenbrock 1960)."""

    start: tuple[float, ...] = (-1.2, 1.0)


@final
class Beale(Function):
    """f(x, y) = (1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)² (Beale 1958).

    Its minimum is 0 at (3, 0.5).
    """

    start: tuple[float, ...] = (1.0, 1.0)


@final
class Branin(Function):
    """f(x, y) = (y − 5.1x²/4π² + 5x/π − 6)² + 10 (1 − 1/8π) cos x + 10 (Branin 1972).

    Its minimum is 0.397887, wherever cos x = −1 and the first term is 0, such as at (π, 2.275).
    """

    start: tuple[float, ...] = (0.0, 5.0)


@final
class QuadraticDeep(Function):
    """DeepOBS's noisy quadratic ½(θ−x)ᵀH(θ−x) of 100 dimensions (Schneider et al. 2019).

    H has 90 eigenvalues below 1 and 10 from 30 to 60. The samples x from N(0, 0.36) are the noise:
    the mean over a batch is its minimum. Seeds, sizes and NumPy's legacy generator are DeepOBS's,
    so that its published curves can be compared.
    """

    start: tuple[float, ...] = (1.0,) * 100

    def raw(self) -> Raw:
        train, test = (
            np.random.RandomState(seed).normal(0.0, 0.6, (1000, 100)) for seed in (42, 43)
        )
        test = test[:896]  # DeepOBS drops the last batch of 128 where it is smaller: 7 · 128
        return Raw(train, train, (test, test))

    def default_loss(self) -> Component:
        return parse_part("loss", {"name": "Objective", "function": "quadraticdeep"})
