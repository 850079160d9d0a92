"""Convolutional networks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import Field

from harness.models.base import Context, Model, Params, Seen, Weight
from harness.models.layers import ACTIVATIONS, NORMS, SLOPES, Conv, Dense, dropout, kept_share
from harness.spec.space import Count, Fraction, Width

if TYPE_CHECKING:
    from torch import Tensor


class CNN1D(Model):
    """Three convolutions of stride 2 (kernels 5, 3, 3, padding 1) and a linear layer (Greydanus 2020)."""

    channels: Count = 25
    """Channels of each convolution."""
    norm: Literal["none", "batch", "layer"] = "none"
    """Normalization before the nonlinearity."""
    dropout: Fraction = 0.0
    """Share of the last features dropped."""

    def network(self, input_shape: tuple[int, ...], outputs: int) -> ConvNetwork:
        _expect(input_shape, {1: "(L,)", 2: "(C, L)"})
        width: Any = self.channels
        length = input_shape[-1]
        planes = input_shape[0] if len(input_shape) == 2 else 1
        kernels = ((planes, 5), (width, 3), (width, 3))
        convs = [Conv(f"conv.{i}", (c, width), k, 2, 1, axes=1) for i, (c, k) in enumerate(kernels)]
        return ConvNetwork(convs, (planes, length), outputs, self.norm, pool=False)


class CNN2D(Model):
    """3×3 convolutions, each halving the picture by stride 2, then the mean over positions and a linear layer."""

    channels: Width = (16, 32)
    """Channels of each convolution."""
    kernel: int = Field(default=3, ge=1)
    """Side of the kernels."""
    norm: Literal["none", "batch", "layer"] = "none"
    """Normalization before the nonlinearity."""
    dropout: Fraction = 0.0
    """Share of the last features dropped."""

    def network(self, input_shape: tuple[int, ...], outputs: int) -> ConvNetwork:
        _expect(input_shape, {2: "(H, W)", 3: "(C, H, W)"})
        widths: Any = self.channels
        planes = (1, *input_shape) if len(input_shape) == 2 else input_shape
        pairs = zip((planes[0], *widths[:-1]), widths, strict=True)
        convs = [
            Conv(f"conv.{i}", pair, self.kernel, 2, self.kernel // 2, axes=2)
            for i, pair in enumerate(pairs)
        ]
        return ConvNetwork(convs, planes, outputs, self.norm, pool=True)


def _expect(input_shape: tuple[int, ...], forms: dict[int, str]) -> None:
    if len(input_shape) not in forms:
        raise ValueError(
            f"expected inputs {' or '.join(forms.values())}, such as from data with 'image' or 'channels' set"
        )


class Kept(NamedTuple):
    """What a convolution's backward pass needs of its forward pass."""

    patches_KIN: Tensor
    """The patches of its input."""
    sizes: Sequence[int]
    """The lengths of its input's axes."""
    z_KOLB: Tensor
    """Its activation."""


class Tape(NamedTuple):
    """What the backward pass needs of the forward pass."""

    convs: list[Kept]
    features_KBF: Tensor
    """The linear layer's input."""
    share_KBF: Tensor | None
    """What dropout multiplied by."""


class ConvNetwork:
    """Convolutions, then the flattened (or averaged) features through a linear layer; the backward pass written out."""

    def __init__(
        self, convs: list[Conv], planes: tuple[int, ...], outputs: int, norm: str, pool: bool
    ) -> None:
        self.convs, self.planes, self.pool = convs, planes, pool
        self.norms = (
            [NORMS[norm](f"norm.{i}", c.outputs) for i, c in enumerate(convs)]
            if norm != "none"
            else []
        )
        positions = 1
        for size in () if pool else planes[1:]:
            for conv in convs:
                size = conv.size(size)
            positions *= size
        self.out = Dense("out", convs[-1].outputs * positions, outputs)
        self.written_out = not self.norms

    def weights(self) -> dict[str, Weight]:
        """Return the parameters by name."""
        layers = (*self.convs, *self.norms, self.out)
        return {name: weight for layer in layers for name, weight in layer.weights().items()}

    def buffers(self) -> dict[str, Tensor]:
        """Return the running statistics of batch normalization."""
        return {name: start for norm in self.norms for name, start in norm.buffers().items()}

    def __call__(self, params: Params, x_KB: Tensor, ctx: Context) -> Tensor:
        """Return outputs (K, B, D)."""
        return self.out(params, dropout(self._features(params, x_KB, ctx, None), ctx))

    def forward(self, params: Params, x_KB: Tensor, ctx: Context) -> tuple[Tensor, Tape]:
        """Return outputs (K, B, D), and what the backward pass needs."""
        kept: list[Kept] = []
        features_KBF = self._features(params, x_KB, ctx, kept)
        share = kept_share(features_KBF, ctx)
        features_KBF = features_KBF if share is None else features_KBF * share
        return self.out(params, features_KBF), Tape(kept, features_KBF, share)

    def _features(
        self, params: Params, x_KB: Tensor, ctx: Context, kept: list[Kept] | None
    ) -> Tensor:
        """Return what the linear layer is given (K, B, F); patches, which are many, go into the list if there is one."""
        # samples last: long rows for every product, and nothing to turn between layers
        h = x_KB.flatten(2).mT.contiguous().unflatten(1, self.planes)
        for i, conv in enumerate(self.convs):
            sizes = h.shape[2:-1]
            h, patches = conv(params, h)
            h = self.norms[i](params, h.movedim(1, -1), ctx).movedim(-1, 1) if self.norms else h
            h = ACTIVATIONS["relu"](h)
            ctx.show(conv.name, h.movedim(-1, 1).movedim(2, -1))
            if kept is not None:
                kept.append(Kept(patches, sizes, h))
        features_KFB: Tensor = h.flatten(2, -2).mean(2) if self.pool else h.flatten(1, -2)
        return features_KFB.mT

    def backward(
        self, params: Params, tape: Tape, slope_KBD: Tensor, into: Params, seen: Seen | None = None
    ) -> None:
        """Write the gradient of each parameter into ``into``."""
        d_KBF = self.out.backward(params, tape.features_KBF, slope_KBD, into)
        d = self._spread(
            d_KBF if tape.share_KBF is None else d_KBF * tape.share_KBF, tape.convs[-1].z_KOLB
        )
        for i in reversed(range(len(self.convs))):
            patches, sizes, z = tape.convs[i]
            d = SLOPES["relu"](d, z)
            self.convs[i].backward(params, patches, d, into)
            d = self.convs[i].below(params, d, sizes) if i else d

    def _spread(self, d_KBF: Tensor, z_KOLB: Tensor) -> Tensor:
        """Return the gradient by the last convolution's output from that by the features."""
        d_KFB = d_KBF.mT.contiguous()
        if not self.pool:
            return d_KFB.view_as(z_KOLB)
        positions = z_KOLB.shape[2:-1]
        each: Tensor = d_KFB.div_(math.prod(positions)).unflatten(1, (-1, *(1,) * len(positions)))
        return each.expand_as(z_KOLB).contiguous()
