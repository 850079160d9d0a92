"""Convolutional networks, with a hand-written backward pass.

:mod:`harness.models.convolution` has the layers, and says why samples are the last axis in memory.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, final

from pydantic import Field

from harness.models.activation import ReLU
from harness.models.base import Context, Model, Params, Seen, Weight
from harness.models.convolution import Conv
from harness.models.dense import Dense
from harness.models.dropout import dropout, dropout_mask
from harness.models.norm import NormChoice, norm_layers
from harness.spec.space import Count, Fraction, Width, value_of

if TYPE_CHECKING:
    from torch import Tensor


@final
class CNN1D(Model):
    """Three convolutions of stride 2, each with ReLU, and a linear layer (Greydanus 2020).

    Kernels of 5, 3 and 3 positions, padding 1.
    """

    channels: Count = 25
    """Channels of each convolution."""
    norm: NormChoice = "none"
    """Normalization before the nonlinearity; autograd then makes the gradient."""
    dropout: Fraction = 0.0
    """Share of the linear layer's inputs dropped in training."""

    def dropout_rate(self) -> float:
        return self.numbers()["dropout"]

    def network(self, input_shape: tuple[int, ...], outputs: int) -> ConvNetwork:
        """Return the network for signals (L,) or (C, L).

        Raises:
            ValueError: the inputs have another shape.
        """
        _check_shape(input_shape, {1: "(L,)", 2: "(C, L)"})
        width = value_of(self.channels, "model.channels")
        length = input_shape[-1]
        planes = input_shape[0] if len(input_shape) == 2 else 1
        kernels = ((planes, 5), (width, 3), (width, 3))
        convs = [
            Conv(f"conv.{i}", (c, width), k, 2, 1, axes=1, role="hidden" if i else "input")
            for i, (c, k) in enumerate(kernels)
        ]
        return ConvNetwork(
            convs, (planes, length), outputs, value_of(self.norm, "model.norm"), pool=False
        )


@final
class CNN2D(Model):
    """Convolutions of stride 2 with ReLU, the mean over positions, and a linear layer."""

    channels: Width = (16, 32)
    """Channels of each convolution."""
    kernel: int = Field(default=3, ge=1)
    """Side of the kernels; half of it, rounded down, is padded."""
    norm: NormChoice = "none"
    """Normalization before the nonlinearity; autograd then makes the gradient."""
    dropout: Fraction = 0.0
    """Share of the linear layer's inputs dropped in training."""

    def dropout_rate(self) -> float:
        return self.numbers()["dropout"]

    def network(self, input_shape: tuple[int, ...], outputs: int) -> ConvNetwork:
        """Return the network for images (H, W) or (C, H, W).

        Raises:
            ValueError: the inputs have another shape.
        """
        _check_shape(input_shape, {2: "(H, W)", 3: "(C, H, W)"})
        widths = value_of(self.channels, "model.channels")
        planes = (1, *input_shape) if len(input_shape) == 2 else input_shape
        side = self.kernel
        pairs = zip((planes[0], *widths[:-1]), widths, strict=True)
        convs = [
            Conv(f"conv.{i}", pair, side, 2, side // 2, axes=2, role="hidden" if i else "input")
            for i, pair in enumerate(pairs)
        ]
        return ConvNetwork(convs, planes, outputs, value_of(self.norm, "model.norm"), pool=True)


def _check_shape(input_shape: tuple[int, ...], forms: dict[int, str]) -> None:
    """Refuse inputs of another rank.

    Args:
        input_shape: shape of one input.
        forms: the shapes that are accepted, as they are written, by their rank.

    Raises:
        ValueError: the rank is none of them.
    """
    if len(input_shape) not in forms:
        raise ValueError(
            f"expected inputs {' or '.join(forms.values())}, "
            "such as from data with 'image' or 'channels' set"
        )


class SavedConv(NamedTuple):
    """What a convolution's forward pass saves for its backward pass."""

    patches_KIN: Tensor
    """The patches of its input, (K, taps·in, positions·B); the members may share one memory."""
    sizes: Sequence[int]
    """The lengths of its input's spatial axes."""
    z_KOLB: Tensor
    """Its output after ReLU, (K, out, *sizes, B)."""


class SavedPass(NamedTuple):
    """What the network's forward pass saves for its backward pass."""

    convs: list[SavedConv]
    """What each convolution saves, from the first on."""
    features_KBF: Tensor
    """The linear layer's input, after dropout."""
    mask_KBF: Tensor | None
    """What dropout multiplied by, 0 or 1/(1 − p); None where no member drops."""


class ConvNetwork:
    """Convolutions with ReLU, then their flattened or averaged outputs through a linear layer.

    With normalization there is no hand-written backward pass.

    Between the convolutions activations are (K, channels, *sizes, B), samples last in memory: see
    :mod:`harness.models.convolution`.

    Args:
        convs: the convolutions, first to last.
        planes: the shape (C, *sizes) of one input.
        outputs: numbers out.
        norm: "none", "batch" (each channel) or "layer" (the channels of each position).
        pool: average each channel over the positions; otherwise each position is a feature.

    Raises:
        ValueError: the inputs have too few positions for the convolutions.
    """

    def __init__(
        self, convs: list[Conv], planes: tuple[int, ...], outputs: int, norm: str, pool: bool
    ) -> None:
        self.convs, self.planes, self.pool = convs, planes, pool
        self.norms = norm_layers(norm, [conv.outputs for conv in convs])
        # a channel gives one feature, its mean, or one for each position
        sizes = _output_sizes(convs, planes[1:])
        positions = 1 if pool else math.prod(sizes)
        self.out = Dense("out", convs[-1].outputs * positions, outputs, role="output")
        self.activation = ReLU()
        self.written_out = not self.norms

    def weights(self) -> dict[str, Weight]:
        """Return the parameters by name: ``conv.0.weight``, ``norm.0.weight``, ``out.bias``, …."""
        layers = (*self.convs, *self.norms, self.out)
        return {name: weight for layer in layers for name, weight in layer.weights().items()}

    def buffers(self) -> dict[str, Tensor]:
        """Return the running statistics of batch normalization as they start."""
        return {name: start for norm in self.norms for name, start in norm.buffers().items()}

    def __call__(self, params: Params, x_KB: Tensor, ctx: Context) -> Tensor:
        """Return outputs (K, B, D)."""
        return self.out(params, dropout(self._features(params, x_KB, ctx, None), ctx))

    def forward(self, params: Params, x_KB: Tensor, ctx: Context) -> tuple[Tensor, SavedPass]:
        """Return outputs (K, B, D), and what the backward pass needs saved of this pass.

        Args:
            params: the parameters by name.
            x_KB: inputs (K, B, *shape), or (1, B, *shape) where the members share them.
            ctx: training or evaluation, streams, running statistics.
        """
        saved: list[SavedConv] = []
        features_KBF = self._features(params, x_KB, ctx, saved)
        mask = dropout_mask(features_KBF, ctx)
        features_KBF = features_KBF if mask is None else features_KBF * mask
        return self.out(params, features_KBF), SavedPass(saved, features_KBF, mask)

    def _features(
        self, params: Params, x_KB: Tensor, ctx: Context, saved: list[SavedConv] | None
    ) -> Tensor:
        """Return the linear layer's input (K, B, F), before dropout.

        Args:
            params: the parameters by name.
            x_KB: inputs (K, B, *shape), or (1, B, *shape) where the members share them.
            ctx: training or evaluation, running statistics.
            saved: what the backward pass needs is appended here. None frees each layer's patches,
                the largest tensors of all, as soon as its output is there.
        """
        # from (K, B, C, *sizes): samples are put last here, and never moved between layers
        h = x_KB.flatten(2).mT.contiguous().unflatten(1, self.planes)
        for i, conv in enumerate(self.convs):
            sizes = h.shape[2:-1]
            h, patches = conv(params, h)
            # normalization layers expect the features last
            h = self.norms[i](params, h.movedim(1, -1), ctx).movedim(-1, 1) if self.norms else h
            h = self.activation.forward(h)
            ctx.show(conv.name, h.movedim(-1, 1).movedim(2, -1))  # as (K, B, *sizes, C)
            if saved is not None:
                saved.append(SavedConv(patches, sizes, h))
        # (K, C, *sizes, B) to features, channels outermost
        features_KFB: Tensor = h.flatten(2, -2).mean(2) if self.pool else h.flatten(1, -2)
        return features_KFB.mT

    def backward(
        self,
        params: Params,
        saved: SavedPass,
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
            seen: left as it is. A sample's gradient by a kernel is a sum over positions, so that no
                :class:`Product` of one input and one gradient can stand for it.
        """
        d_KBF = self.out.backward(params, saved.features_KBF, slope_KBD, into)
        d_KBF = d_KBF if saved.mask_KBF is None else d_KBF * saved.mask_KBF
        d = self._unpool(d_KBF, saved.convs[-1].z_KOLB)
        for i in reversed(range(len(self.convs))):
            patches, sizes, z = saved.convs[i]
            # in place: d is this pass's own memory, made by _unpool or input_gradient
            d = self.activation.derivative(d, z)
            self.convs[i].write_gradients(patches, d, into)
            # the first convolution's input is the data, whose gradient nobody needs
            d = self.convs[i].input_gradient(params, d, sizes) if i else d

    def _unpool(self, d_KBF: Tensor, z_KOLB: Tensor) -> Tensor:
        """Return the gradient by the last convolution's output from that by the features.

        The features are z itself, or its mean over N positions, whose gradient is d/N at each one.

        Args:
            d_KBF: gradient by the features; its memory may be used up.
            z_KOLB: the last convolution's output after ReLU, of which only the shape is used.

        Returns:
            (K, out, *sizes, B) in memory of its own, which ReLU's derivative may write into.
        """
        # samples go last again, as between the convolutions
        d_KFB = d_KBF.mT.contiguous()
        if not self.pool:
            return d_KFB.view_as(z_KOLB)
        positions = z_KOLB.shape[2:-1]
        each: Tensor = d_KFB.div_(math.prod(positions)).unflatten(1, (-1, *(1,) * len(positions)))
        # a copy for every position: in a view they would share memory, and ReLU's derivative is
        # taken in place
        return each.expand_as(z_KOLB).contiguous()


def _output_sizes(convs: Sequence[Conv], sizes: Sequence[int]) -> list[int]:
    """Return the lengths of the spatial axes behind all convolutions.

    Raises:
        ValueError: nothing is left of an axis.
    """
    for conv in convs:
        before, sizes = sizes, [conv.size(size) for size in sizes]
        if min(sizes) < 1:
            raise ValueError(
                f"{conv.name} (kernel {conv.kernel}, stride {conv.stride}, padding {conv.padding}) "
                f"expected inputs of at least {conv.kernel - 2 * conv.padding} positions on each "
                f"axis, got {tuple(before)}; use a smaller kernel, fewer convolutions or larger "
                "inputs"
            )
    return list(sizes)
