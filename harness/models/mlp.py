"""Fully connected networks.

The backward pass is written out: for layers this small autograd's bookkeeping takes longer than the
arithmetic. It must stay equal to what autograd makes of ``forward``, which the tests compare.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, final

from pydantic import Field

from harness.models.activation import ACTIVATIONS, OutputActivation
from harness.models.base import Context, Model, Params, Product, Seen, Weight
from harness.models.dense import Dense
from harness.models.dropout import dropout_mask
from harness.models.norm import NormChoice, norm_layers
from harness.spec.space import Count, Flag, Fraction, Space, Tunable, Width, value_of

if TYPE_CHECKING:
    from torch import Tensor

ActivationName = Literal["relu", "tanh", "sigmoid", "gelu", "silu", "identity"]


@final
class MLP(Model):
    """h ← φ(norm(Wh + b)) for each hidden layer, then a linear layer.

    If ``residual``, h ← h + φ(norm(Wh + b)) wherever the two widths agree. Dropout acts on the new
    h. Without widths it is a linear model.
    """

    widths: Width = (100, 100)
    """Units of each hidden layer."""
    activation: Annotated[ActivationName | Space, Tunable()] = "relu"
    """Nonlinearity φ."""
    norm: NormChoice = "none"
    """Normalization before the nonlinearity; autograd then makes the gradient."""
    residual: Flag = False
    """Add a layer's input to its output where the shapes agree."""
    dropout: Fraction = 0.0
    """Share of hidden units dropped in training, in every hidden layer."""
    bias: Flag = True
    """Add a trained constant to each unit."""

    def at_width(self, width: int) -> MLP | None:
        depth = len(value_of(self.widths, "model.widths"))
        return self.model_copy(update={"widths": (width,) * depth}) if depth else None

    def dropout_rate(self) -> float:
        return self.numbers()["dropout"]

    def network(self, input_shape: tuple[int, ...], outputs: int) -> MLPNetwork:
        widths = value_of(self.widths, "model.widths")
        return MLPNetwork(self, (math.prod(input_shape), *widths), outputs)

    def hidden_bounds(self) -> tuple[float, float] | None:
        return ACTIVATIONS[value_of(self.activation, "model.activation")].bounds


@final
class DeepLinear(Model):
    """W_n ⋯ W₁x: linear in x, yet not convex in its weights (Saxe et al. 2014)."""

    width: Count = 64
    """Units of each layer."""
    depth: int = Field(default=4, ge=1)
    """Hidden layers."""

    def at_width(self, width: int) -> DeepLinear:
        return self.model_copy(update={"width": width})

    def network(self, input_shape: tuple[int, ...], outputs: int) -> MLPNetwork:
        widths = (value_of(self.width, "model.width"),) * self.depth
        # an MLP of identities, which has the hand-written passes too
        plain = MLP(widths=widths, activation="identity", bias=False)
        return MLPNetwork(plain, (math.prod(input_shape), *widths), outputs)


class SavedHidden(NamedTuple):
    """What a hidden layer's forward pass saves for its backward pass."""

    h_KBI: Tensor
    """Its input."""
    z_KBO: Tensor
    """Its output z, before skip and dropout."""
    mask_KBO: Tensor | None
    """What dropout multiplied by, 0 or 1/(1 − p); None where no member drops."""


class MLPNetwork:
    """The function of an MLP spec, and its backward pass by hand.

    ``written_out`` says whether the backward pass can be used: the nonlinearity's derivatives must
    follow from its output, and nothing may be normalised.

    Args:
        spec: nonlinearity, normalization, skips and biases.
        widths: inputs, then the units of each hidden layer.
        outputs: numbers out.
    """

    def __init__(self, spec: MLP, widths: tuple[int, ...], outputs: int) -> None:
        bias = value_of(spec.bias, "model.bias")
        self.hidden = [
            Dense(f"hidden.{i}", a, b, bias, role="hidden" if i else "input")
            for i, (a, b) in enumerate(pairwise(widths))
        ]
        self.norms = norm_layers(value_of(spec.norm, "model.norm"), widths[1:])
        self.out = Dense("out", widths[-1], outputs, bias, role="output")
        self.activation = ACTIVATIONS[value_of(spec.activation, "model.activation")]
        self.residual = value_of(spec.residual, "model.residual")
        self.written_out = isinstance(self.activation, OutputActivation) and not self.norms

    def weights(self) -> dict[str, Weight]:
        """Return parameters by name: ``hidden.0.weight``, ``norm.0.bias``, ``out.weight``, …."""
        layers = (*self.hidden, *self.norms, self.out)
        return {name: weight for layer in layers for name, weight in layer.weights().items()}

    def buffers(self) -> dict[str, Tensor]:
        """Return the running statistics of batch normalization as they start."""
        return {name: start for norm in self.norms for name, start in norm.buffers().items()}

    def __call__(self, params: Params, x_KB: Tensor, ctx: Context) -> Tensor:
        """Return outputs (K, B, D)."""
        return self.forward(params, x_KB, ctx)[0]

    def forward(
        self, params: Params, x_KB: Tensor, ctx: Context
    ) -> tuple[Tensor, list[SavedHidden]]:
        """Return outputs (K, B, D), and what the backward pass needs saved of this pass.

        Args:
            params: the parameters by name.
            x_KB: inputs (K, B, *shape), or (1, B, *shape) where the members share them.
            ctx: training or evaluation, streams, running statistics.

        Returns:
            The outputs; and a record for each hidden layer, from the first on, with one more for
            the output layer, of which only the input means anything.
        """
        h, saved = x_KB.flatten(2), []
        for i, layer in enumerate(self.hidden):
            a = layer(params, h)
            a = self.norms[i](params, a, ctx) if self.norms else a
            # z and not a is kept: the derivatives follow from it, and the next layer needs it too
            z = self.activation.forward(a)
            # before dropout, so that probes see all units
            ctx.show(layer.name, z)
            mask = dropout_mask(z, ctx)
            saved.append(SavedHidden(h, z, mask))
            h = h + z if self.skips(i) else z
            h = h if mask is None else h * mask
        # the output layer has no nonlinearity and no dropout: only its input is needed
        saved.append(SavedHidden(h, h, None))
        return self.out(params, h), saved

    def backward(
        self,
        params: Params,
        saved: list[SavedHidden],
        slope_KBD: Tensor,
        into: Params,
        seen: Seen | None = None,
    ) -> None:
        """Write the gradient of each parameter into ``into``, from the output layer down.

        Args:
            params: the parameters by name.
            saved: what the forward pass of the same inputs returned.
            slope_KBD: gradient of the mean loss by the outputs.
            into: memory for the gradients, by the parameters' names; what it held is overwritten.
            seen: where each layer's input and gradient are left, if a probe asks.
        """
        assert isinstance(self.activation, OutputActivation) and not self.norms
        layers = [Product(saved[-1].h_KBI, slope_KBD, self.out.bias)]
        d = self.out.backward(params, saved[-1].h_KBI, slope_KBD, into)
        for i in reversed(range(len(self.hidden))):
            h, z, mask = saved[i]
            # d is ∂L/∂h of the layer's output h = mask · (z + skip): through dropout first
            d = d if mask is None else d * mask
            # the derivative may take d's memory, and a skip needs d once more
            d_a = self.activation.derivative(d.clone() if self.skips(i) else d, z)
            layers.append(Product(h, d_a, self.out.bias))
            below = self.hidden[i].backward(params, h, d_a, into, input_needed=i > 0)
            # h_out = h + φ(Wh + b): the input gets the branch's gradient and the skip's
            d = below + d if self.skips(i) else below
        if seen is not None:
            seen.products += layers

    def skips(self, i: int) -> bool:
        """Return whether the input of hidden layer ``i`` is added to its output.

        The first layer's input is the data, which is never added, even where the widths agree.
        """
        return self.residual and i > 0 and self.hidden[i].inputs == self.hidden[i].outputs
