"""Initial weights: each parameter from its own named stream.

A unit's output is a sum over its fan-in, so that its deviation is √fan_in · σ times that of its
inputs, where σ is the deviation of the weights. The distributions differ in what they keep constant
from layer to layer. "Deviation" means the standard deviation throughout.

The engine calls :meth:`Init.draw` once for each parameter of each member. The numbers are drawn by
NumPy on the host, so that every device and precision starts from the same ones.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Literal, final

import numpy as np
from pydantic import Field

from harness.core.streams import numpy_stream
from harness.models.base import Weight
from harness.spec.component import Component

Shape = Literal["normal", "uniform"]


class Init(Component):
    """The distribution of the initial weights.

    A subclass says the deviation of a layer's weights, and the shape of their distribution and the
    bound of the biases where they are not "uniform" and 0. How other parameters start is the same
    for all: normalizations at the scale 1 and the shift 0, embeddings from N(0, 0.02²).
    """

    kind = "init"

    @abstractmethod
    def deviation(self, weight: Weight) -> float:
        """Return the standard deviation σ of the numbers of a layer's weights, from their fans."""

    def shape(self, weight: Weight) -> Shape:
        """Return the shape of the distribution of weights; a uniform one is on (−√3σ, √3σ)."""
        return "uniform"

    def bias_bound(self, weight: Weight) -> float:
        """Return the bound a of the uniform distribution of biases on (−a, a); 0 starts them at 0.

        Args:
            weight: the bias, with its layer's fans.
        """
        return 0.0

    def draw(self, name: str, weight: Weight, seed: int) -> np.ndarray:
        """Return the initial numbers of one parameter in float64, of its shape.

        The stream is named by the seed and the parameter, so that layers of the same name and shape
        start alike in every model and arm that has them: comparisons are paired.

        Args:
            name: the parameter's name.
            weight: its shape, fans, role and, where it is fixed, its value.
            seed: the run's seed.

        Returns:
            Numbers in the shape of one member's parameter.
        """
        stream = numpy_stream(seed, "init", name)
        if weight.value is not None:
            return np.asarray(weight.value)
        if weight.role == "embedding":
            return 0.02 * stream.standard_normal(weight.shape)  # as in BERT and GPT-2
        if weight.role == "bias":
            return self.bias_bound(weight) * stream.uniform(-1, 1, weight.shape)
        if self.shape(weight) == "normal":
            return self.deviation(weight) * stream.standard_normal(weight.shape)
        # U(−a, a) has the deviation a/√3: σ√3 is its bound
        return self.deviation(weight) * math.sqrt(3) * stream.uniform(-1, 1, weight.shape)


@final
class Default(Init):
    """torch's: weights and biases from U(−1/√fan_in, 1/√fan_in).

    A model that has an initialisation of its own, as GPT does, starts from that instead, and so
    does a user's torch module.
    """

    def deviation(self, weight: Weight) -> float:
        if weight.std is not None:
            return weight.std
        return 1 / math.sqrt(3 * weight.fan_in)  # U(−a, a) with a = 1/√fan_in has a/√3

    def shape(self, weight: Weight) -> Shape:
        return "uniform" if weight.std is None else "normal"

    def bias_bound(self, weight: Weight) -> float:
        return 1 / math.sqrt(weight.fan_in) if weight.std is None else 0.0


@final
class Xavier(Init):
    """Variance 2/(fan_in + fan_out), biases 0 (Glorot & Bengio 2010).

    A compromise between keeping the outputs' variance (1/fan_in) and the gradients' (1/fan_out).
    """

    distribution: Shape = "uniform"
    """Shape of the distribution."""

    def deviation(self, weight: Weight) -> float:
        return math.sqrt(2 / (weight.fan_in + weight.fan_out))

    def shape(self, weight: Weight) -> Shape:
        return self.distribution


@final
class He(Init):
    """Variance 2/fan_in, biases 0 (He et al. 2015).

    ReLU halves the mean square of what it is given; the 2 makes up for that.
    """

    distribution: Shape = "normal"
    """Shape of the distribution."""

    def deviation(self, weight: Weight) -> float:
        return math.sqrt(2 / weight.fan_in)

    def shape(self, weight: Weight) -> Shape:
        return self.distribution


@final
class Normal(Init):
    """N(0, σ²), biases 0."""

    std: float = Field(default=0.01, ge=0)
    """Deviation σ."""

    def deviation(self, weight: Weight) -> float:
        return self.std

    def shape(self, weight: Weight) -> Shape:
        return "normal"


@final
class UniformInit(Init):
    """U(−a, a), biases 0."""

    bound: float = Field(default=0.05, ge=0)
    """Bound a."""

    def deviation(self, weight: Weight) -> float:
        return self.bound / math.sqrt(3)  # the deviation of U(−a, a)
