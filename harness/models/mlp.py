"""Fully connected networks."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import Field

from harness.models.base import Context, Model, Params, Product, Seen, Weight
from harness.models.layers import ACTIVATIONS, NORMS, SLOPES, Dense, kept_share
from harness.spec.space import Count, Fraction, Width

if TYPE_CHECKING:
    from torch import Tensor


class MLP(Model):
    """h ← act(norm(Wh + b)), with a skip h + … wherever two widths agree if ``residual``."""

    widths: Width = (100, 100)
    """Units of each hidden layer."""
    activation: Literal["relu", "tanh", "sigmoid", "gelu", "silu", "identity"] = "relu"
    """Nonlinearity."""
    norm: Literal["none", "batch", "layer"] = "none"
    """Normalization before the nonlinearity."""
    residual: bool = False
    """Add a layer's input to its output where the shapes agree."""
    dropout: Fraction = 0.0
    """Share of hidden units dropped."""
    bias: bool = True
    """Add a constant to each unit."""

    def network(self, input_shape: tuple[int, ...], outputs: int) -> MLPNetwork:
        widths: Any = self.widths
        return MLPNetwork(self, (math.prod(input_shape), *widths), outputs)


class DeepLinear(Model):
    """W_n ⋯ W₁x: linear in x, yet not convex in its weights (Saxe et al. 2014)."""

    width: Count = 64
    """Units of each layer."""
    depth: int = Field(default=4, ge=1)
    """Hidden layers."""

    def network(self, input_shape: tuple[int, ...], outputs: int) -> MLPNetwork:
        widths: Any = (self.width,) * self.depth
        plain = MLP(widths=widths, activation="identity", bias=False)
        return MLPNetwork(plain, (math.prod(input_shape), *widths), outputs)


class Kept(NamedTuple):
    """What a hidden layer's backward pass needs of its forward pass."""

    h_KBI: Tensor
    """Its input."""
    z_KBO: Tensor
    """Its activation."""
    share_KBO: Tensor | None
    """What dropout multiplied by."""


class MLPNetwork:
    """The function of an MLP spec, and its backward pass where nothing is normalised."""

    def __init__(self, spec: MLP, widths: tuple[int, ...], outputs: int) -> None:
        self.hidden = [
            Dense(f"hidden.{i}", a, b, spec.bias) for i, (a, b) in enumerate(pairwise(widths))
        ]
        self.norms = (
            [NORMS[spec.norm](f"norm.{i}", w) for i, w in enumerate(widths[1:])]
            if spec.norm != "none"
            else []
        )
        self.out = Dense("out", widths[-1], outputs, spec.bias)
        self.name, self.residual = spec.activation, spec.residual
        self.activation, self.slope = ACTIVATIONS[spec.activation], SLOPES.get(spec.activation)
        self.written_out = self.slope is not None and not self.norms

    def weights(self) -> dict[str, Weight]:
        """Return the parameters by name."""
        layers = (*self.hidden, *self.norms, self.out)
        return {name: weight for layer in layers for name, weight in layer.weights().items()}

    def buffers(self) -> dict[str, Tensor]:
        """Return the running statistics of batch normalization."""
        return {name: start for norm in self.norms for name, start in norm.buffers().items()}

    def __call__(self, params: Params, x_KB: Tensor, ctx: Context) -> Tensor:
        """Return outputs (K, B, D)."""
        return self.forward(params, x_KB, ctx)[0]

    def forward(self, params: Params, x_KB: Tensor, ctx: Context) -> tuple[Tensor, list[Kept]]:
        """Return outputs (K, B, D), and what each layer's backward pass needs."""
        h, tape = x_KB.flatten(2), []
        for i, layer in enumerate(self.hidden):
            z = layer(params, h)
            z = self.norms[i](params, z, ctx) if self.norms else z
            z = self.activation(z)
            ctx.show(layer.name, z)
            share = kept_share(z, ctx)
            tape.append(Kept(h, z, share))
            h = h + z if self.skips(i) else z
            h = h if share is None else h * share
        tape.append(Kept(h, h, None))
        return self.out(params, h), tape

    def backward(
        self,
        params: Params,
        tape: list[Kept],
        slope_KBD: Tensor,
        into: Params,
        seen: Seen | None = None,
    ) -> None:
        """Write the gradient of each parameter into ``into``."""
        assert self.slope is not None and not self.norms
        products = [Product(tape[-1].h_KBI, slope_KBD, self.out.bias)]
        d = self.out.backward(params, tape[-1].h_KBI, slope_KBD, into)
        for i in reversed(range(len(self.hidden))):
            h, z, share = tape[i]
            d = d if share is None else d * share
            d_z = self.slope(d.clone() if self.skips(i) else d, z)
            products.append(Product(h, d_z, self.out.bias))
            below = self.hidden[i].backward(params, h, d_z, into, input_needed=i > 0)
            d = below + d if self.skips(i) else below
        if seen is not None:
            seen.products += products

    def skips(self, i: int) -> bool:
        """Return whether a hidden layer's input is added to its output."""
        return self.residual and i > 0 and self.hidden[i].inputs == self.hidden[i].outputs
