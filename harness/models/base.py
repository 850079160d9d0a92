"""What a network is to the engine: named weights, and a pure function over all members of a cohort."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from harness.core.noise import Noise, RecordedNoise
from harness.spec.component import Component

if TYPE_CHECKING:
    from torch import Tensor

Params = Mapping[str, "Tensor"]
Buffers = dict[str, "Tensor"]
Role = Literal["weight", "bias", "one", "zero", "position"]


class Weight(NamedTuple):
    """The shape of one parameter and how it starts."""

    shape: tuple[int, ...]
    fan_in: int = 1
    fan_out: int = 1
    role: Role = "weight"
    value: tuple[float, ...] | None = None
    """Fixed start, for parameters that are no layer's."""


class Product(NamedTuple):
    """A layer whose weights' gradient is the sum over samples of a slope times an input."""

    h_KBI: Tensor
    """Inputs; members may share them."""
    d_KBO: Tensor
    """Gradients of the mean loss by the layer's outputs before the nonlinearity."""
    bias: bool
    """Whether the layers have biases: all of a network's, or none."""


@dataclass
class Seen:
    """What a training pass leaves for those who look."""

    outputs: dict[str, Tensor] = field(default_factory=dict)
    """Outputs (K, B, …, F) of the hidden layers."""
    products: list[Product] = field(default_factory=list)
    """Every layer that has weights, where the backward pass is written out and each works sample by
    sample.
    """
    draws: list[Tensor] = field(default_factory=list)
    """What dropout drew from U[0, 1), (K, B, …) each, in the order of the layers."""


@dataclass
class Context:
    """What a forward pass needs beside weights and inputs."""

    training: bool = False
    noise: Noise | RecordedNoise | None = None
    dropout: Tensor | None = None
    """Dropout rate of each member (K,), or None where nobody drops."""
    buffers: Buffers = field(default_factory=dict)
    """Running statistics; layers put their new values here."""
    seen: Seen | None = None
    """Where hidden layers put their outputs, if anybody looks."""

    def show(self, name: str, h: Tensor) -> None:
        """Let a hidden layer's output (K, B, …, F) be looked at; its memory must not be used again
        in this update.
        """
        if self.seen is not None:
            self.seen.outputs[name] = h.detach()


class Network(Protocol):
    """A function of weights and inputs, applied to all members at once."""

    def weights(self) -> dict[str, Weight]:
        """Return the parameters by name."""

    def buffers(self) -> dict[str, Tensor]:
        """Return the start of each running statistic, for one member."""

    def __call__(self, params: Params, x_KB: Tensor, ctx: Context) -> Tensor:
        """Return outputs (K, B, D) for inputs (K, B, *shape) or, shared by all members, (1, B,
        *shape).
        """


class Backpropagating(Network, Protocol):
    """A network with its backward pass written out: autograd's bookkeeping costs more than small
    layers' arithmetic.
    """

    written_out: bool
    """Whether all of its parts have their backward pass written out."""

    def forward(self, params: Params, x_KB: Tensor, ctx: Context) -> tuple[Tensor, Any]:
        """Return the outputs, and what the backward pass needs."""

    def backward(
        self, params: Params, tape: Any, slope_KBD: Tensor, into: Params, seen: Seen | None = None
    ) -> None:
        """Write the gradient of each parameter into ``into``, from the loss's gradient by the
        outputs.
        """


class Model(Component):
    """A network, as a spec."""

    kind = "model"

    def network(self, input_shape: tuple[int, ...], outputs: int) -> Network:
        """Return the network for inputs (*input_shape) and a number of outputs.

        Raises:
            ValueError: it can't be built for such inputs; the message says what was expected.
        """
        raise NotImplementedError

    def dropout_rate(self) -> float | None:
        """Return the share of units that it drops in training; None where it has no place for dropout."""
        return None

    def hidden_bounds(self) -> tuple[float, float] | None:
        """Return the bounds of the hidden units' nonlinearity where it saturates, else None."""
        return None
