"""What a network is to the engine: named weights, and a pure function of all members at once.

:class:`Model` is the spec that users write; its ``network`` builds a :class:`Network`, which the
engine calls with weights, inputs and a :class:`Context`. A network that also has a backward pass of
its own (:class:`Backpropagating`) trains faster; one without is differentiated by autograd.

Shapes: K members, B samples of a batch, I inputs and O outputs of a layer, F features, D outputs
of the network; ``…`` stands for positions or tokens.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

from harness.core.noise import Noise, RecordedNoise
from harness.core.parameter_layout import Role
from harness.core.sample_fields import SampleFields
from harness.spec.component import Component

if TYPE_CHECKING:
    from torch import Tensor

Params = Mapping[str, "Tensor"]
"""Parameters of all members by name, (K, *shape) each."""
Buffers = dict[str, "Tensor"]
"""Running statistics of all members by name, (K, *shape) each; they are updated and not trained."""


class Weight(NamedTuple):
    """The shape of one parameter, what it is, and how it starts."""

    shape: tuple[int, ...]
    """Shape of one member's parameter; the engine stacks the members in front of it."""
    fan_in: int = 1
    """Numbers that one output is a sum over; a bias has its layer's."""
    fan_out: int = 1
    """Outputs that one input goes into; a bias has its layer's."""
    role: Role = "hidden"
    """What it is in its network: optimizers and regularizers treat roles differently, and
    :meth:`harness.models.init.Init.draw` draws biases and embeddings in ways of their own."""
    value: tuple[float, ...] | None = None
    """Fixed initial numbers, which no distribution replaces; None where they are drawn."""
    fused: int = 1
    """Matrices that lie below each other along the first axis, each a projection of its own."""
    std: float | None = None
    """Deviation σ of the N(0, σ²) that the model itself starts it from, under the ``Default``
    initialisation; None where that has its own."""


class Product(NamedTuple):
    """A dense layer's inputs and gradients, from which those of single samples follow.

    The layer's gradient is ∂L/∂W = Σ_b d_b h_bᵀ, and sample b adds the term d_b h_bᵀ. That term has
    the norm ‖d_b‖‖h_b‖, and two samples' terms the product (d_a·d_b)(h_a·h_b), so that neither
    needs the terms themselves. L is the mean over the batch: a term is 1/B of the gradient of that
    sample's own loss.
    """

    h_KBI: Tensor
    """Inputs; members may share them."""
    d_KBO: Tensor
    """Gradients of the mean loss by the layer's outputs before the nonlinearity."""
    bias: bool
    """Whether the layers have biases: all of a network's, or none."""


@dataclass
class Seen:
    """What a training pass leaves for probes.

    The engine makes one only for updates that a probe looks at; networks and dropout fill it.
    """

    outputs: dict[str, Tensor] = field(default_factory=dict)
    """Outputs (K, B, …, F) of the hidden layers."""
    products: list[Product] = field(default_factory=list)
    """One for each layer that has weights, from the output down, if a hand-written backward pass
    made the gradient and every layer is dense; else empty."""
    draws: list[Tensor] = field(default_factory=list)
    """What dropout drew from U[0, 1), (K, B, …) each, in the order of the layers."""


@dataclass
class Context:
    """What a forward pass needs beside weights and inputs; the engine makes one for each pass.

    By default it is an evaluation: nothing is dropped, and normalization uses running statistics.
    """

    training: bool = False
    """Whether dropout drops and normalization uses the batch's statistics."""
    noise: Noise | RecordedNoise | None = None
    """The members' random streams; needed where they drop."""
    dropout: Tensor | None = None
    """Dropout rate of each member (K,), or None where no member drops."""
    buffers: Buffers = field(default_factory=dict)
    """Running statistics (K, *shape) by name. In training a layer replaces its entries by new
    tensors and never writes into the old ones, which the caller may still need: probes ask for the
    loss at weights and statistics before an update."""
    seen: Seen | None = None
    """Where hidden layers put their outputs, if a probe asks for them."""
    momentum: float | None = None
    """How far a batch moves running statistics, 1 for the batch's own; by default as far as each
    layer says."""

    def show(self, name: str, h: Tensor) -> None:
        """Leave a hidden layer's output (K, B, …, F) for probes, if any asks.

        No copy is made: the layer must not write into this memory again in the same update.

        Args:
            name: the layer's name, which its metrics are recorded under.
            h: its output after the nonlinearity, features last.
        """
        if self.seen is not None:
            self.seen.outputs[name] = h.detach()


class Network(Protocol):
    """A pure function of weights and inputs, applied to all members of a cohort at once.

    A network holds no weights: they are given at every call, so that members, trials and probes can
    all use one. A member's outputs depend on its own weights, inputs and streams alone.
    """

    def weights(self) -> dict[str, Weight]:
        """Return the parameters by name, in the order of the layers.

        A layer's weights are called ``<layer>.weight``; probes take what is before the dot as the
        layer's name, and the last such layer as the output. The order is that of the tensors in a
        member's row of weights (see :mod:`harness.core.parameter_layout`).
        """

    def buffers(self) -> dict[str, Tensor]:
        """Return the initial value of each running statistic by name, for one member; {} for none.

        A network that has any counts as one whose samples depend on their batch.
        """

    def __call__(self, params: Params, x_KB: Tensor, ctx: Context) -> Tensor:
        """Return outputs (K, B, D).

        Args:
            params: weights (K, *shape) by name; left as they are.
            x_KB: inputs (K, B, *shape), or (1, B, *shape) where all members share them; left as
                they are.
            ctx: training or evaluation, streams, running statistics.
        """


class Backpropagating(Network, Protocol):
    """A network with a hand-written backward pass.

    Autograd's bookkeeping takes longer than the arithmetic of small layers; such a pass saves it.
    It is optional: without one autograd differentiates ``__call__``.
    """

    written_out: bool
    """Whether all of this network's parts have a backward pass for its options (normalization has
    none); if not, ``forward`` and ``backward`` are not called and autograd is used."""

    # what is saved differs from network to network, and none but the network looks into it: Any
    def forward(self, params: Params, x_KB: Tensor, ctx: Context) -> tuple[Tensor, Any]:
        """Return the outputs (K, B, D), and what the backward pass needs saved of this pass.

        The arguments are those of ``__call__``, and so are the outputs.
        """

    def backward(
        self, params: Params, saved: Any, slope_KBD: Tensor, into: Params, seen: Seen | None = None
    ) -> None:
        """Write the gradient of each parameter into ``into``.

        Args:
            params: the weights of the forward pass.
            saved: what it returned; its memory may be used up.
            slope_KBD: gradient ∂L/∂out of each member's mean loss by the outputs; its memory may be
                used up.
            into: memory (K, *shape) by the parameters' names; what it held is overwritten, never
                added to. A parameter's memory may be a part of longer rows: not contiguous.
            seen: where the layers' products are left, if a probe asks and every layer is dense.
        """


class DataSizes(NamedTuple):
    """What a network is fitted to."""

    input_shape: tuple[int, ...]
    """Shape of one input, without members and samples; () where an input is several arrays."""
    outputs: int
    """Numbers that the network must give for one input; of tokens for each token."""
    vocabulary: int | dict[str, int] | None = None
    """Values that inputs which are whole numbers take, from 0 on, by name where an input is several
    arrays; None for other inputs."""
    fields: SampleFields | None = None
    """Where the arrays of an input lie, if it is several."""
    base_width: int | None = None
    """Width at which the maximal update parametrization is the standard one, for models that have
    multipliers by it; None in the standard parametrization."""


class Model(Component):
    """A network, as a spec: a subclass has the fields, and builds the network for the data."""

    kind = "model"
    parametrized: ClassVar[int] = 1
    """Version of what the model makes of muP, which is in the keys of runs that have it where it is
    another than 1: raised when the same recipe would give other numbers."""

    def network_for(self, sizes: DataSizes) -> Network:
        """Return the network fitted to data of any kind; for most models its shapes are enough.

        Raises:
            ValueError: it can't be built for them; the message says what was expected.
        """
        if sizes.fields is not None:
            raise ValueError("expected one array of inputs; several are for a module of your own")
        return self.network(sizes.input_shape, sizes.outputs)

    @abstractmethod
    def network(self, input_shape: tuple[int, ...], outputs: int) -> Network:
        """Return the network that the fields describe, fitted to the data.

        Args:
            input_shape: shape of one input, without members and samples.
            outputs: numbers D that the network must give for one input.

        Raises:
            ValueError: it can't be built for such inputs; the message says what was expected.
        """

    def at_width(self, width: int) -> Model | None:
        """Return the same model with so many units in every hidden layer; None if it has none.

        ``parametrization="mup"`` measures the model by it. What depends on the width beside starts
        and rates, such as what attention divides by, the network takes from ``sizes.base_width``.

        Args:
            width: units of a hidden layer, or features of a token.
        """
        return None

    def dropout_rate(self) -> float | None:
        """Return the share of units dropped in training; None if it has no place for dropout.

        A recipe's ``Dropout`` regularizer overrides it, and is refused where it is None.
        """
        return None

    def hidden_bounds(self) -> tuple[float, float] | None:
        """Return the bounds of the hidden units' nonlinearity where it saturates, else None.

        The probe ``Activations`` counts the outputs near them as saturated.
        """
        return None
