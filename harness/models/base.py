"""What a network is to the engine: named weights, and a pure function over all members of a cohort."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import numpy as np

from harness.core.lazy import Lazy
from harness.core.streams import derive, numpy_stream
from harness.spec.component import Component

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")

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


class Noise:
    """Each member's own streams of random numbers, renewed at every evaluation.

    Dropout has streams of its own, so that a member which drops nothing draws the same other noise
    as its neighbours.
    """

    def __init__(
        self, seeds: Sequence[int], step: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.seeds, self.step, self.device, self.dtype = tuple(seeds), step, device, dtype

    @cached_property
    def host(self) -> list[np.random.Generator]:
        """The streams of everything but dropout."""
        return [numpy_stream(seed, "noise", self.step) for seed in self.seeds]

    @cached_property
    def drops(self) -> list[np.random.Generator]:
        """The streams of dropout on a CPU."""
        return [numpy_stream(seed, "dropout", self.step) for seed in self.seeds]

    @cached_property
    def streams(self) -> list[torch.Generator]:
        """The streams of dropout on a GPU; none on a CPU."""
        return (
            [_generator(seed, self.step, self.device) for seed in self.seeds]
            if self.device.type != "cpu"
            else []
        )

    def uniform(self, *shape: int) -> Tensor:
        """Return numbers (K, *shape) from U[0, 1), for dropout."""
        if self.streams:
            return torch.stack(
                [torch.rand(shape, generator=g, device=self.device) for g in self.streams]
            ).to(self.dtype)
        drawn = np.empty((len(self.drops), *shape), np.float32)
        for row, stream in zip(drawn, self.drops, strict=True):
            stream.random(out=row, dtype=np.float32)
        return torch.from_numpy(drawn).to(self.dtype)

    def normal(self, *shape: int) -> Tensor:
        """Return numbers (K, *shape) from N(0, 1)."""
        drawn = np.empty((len(self.host), *shape), np.float32)
        for row, stream in zip(drawn, self.host, strict=True):
            stream.standard_normal(out=row, dtype=np.float32)
        return torch.from_numpy(drawn).to(self.device, self.dtype)


def _generator(seed: int, step: int, device: torch.device) -> torch.Generator:
    return torch.Generator(device=device).manual_seed(derive(seed, "dropout", step))


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


@dataclass
class Context:
    """What a forward pass needs beside weights and inputs."""

    training: bool = False
    noise: Noise | None = None
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

    def hidden_bounds(self) -> tuple[float, float] | None:
        """Return the bounds of the hidden units' nonlinearity where it saturates, else None."""
        return None
