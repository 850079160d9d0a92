"""Convolutions of all members of a cohort at once, as products of matrices.

A convolution is a linear layer that looks at one *patch* of its input at a time: at every output
position the kernel covers kernelᵃˣᵉˢ input positions, its *taps*, each with all input channels.
Unfolding lays the patches of all positions and samples out as the columns of one matrix, (taps·in,
positions·B) for each member; then

    out = W · patches + b,    ∂L/∂W = d · patchesᵀ,    ∂L/∂input = fold(Wᵀ · d),

where d = ∂L/∂out and fold, the transpose of unfolding, adds every patch back where it was taken
from. Patches hold each input number up to ``taps`` times, which is the price for one large product
in the place of many small ones (Chellapilla, Puri & Simard 2006).

Samples are the last axis, (K, channels, *sizes, B): every slice along a spatial axis is then made
of whole rows of B numbers next to each other, patches are copied by such rows, and every product's
rows are positions·B long.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.core.lazy import Lazy
from harness.core.parameter_layout import Role
from harness.models.base import Params, Weight
from harness.models.dense import for_each_member

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.nn import functional
else:
    torch, functional = Lazy("torch"), Lazy("torch.nn.functional")


class Conv:
    """out[o, p] = b[o] + Σ_{c,t} W[o, c, t] · input[c, stride·p + t − padding].

    The input is 0 outside its positions.

    Args:
        name: what its parameters are called: ``<name>.weight``, ``<name>.bias``.
        channels: (in, out).
        kernel: positions that a kernel covers, the same on every axis.
        stride: positions from one patch to the next.
        padding: positions of zeros on each side.
        axes: 1 for signals (K, C, L, B), 2 for images (K, C, H, W, B).
        role: where W stands in the network.
    """

    def __init__(
        self,
        name: str,
        channels: tuple[int, int],
        kernel: int,
        stride: int,
        padding: int,
        axes: int,
        role: Role = "hidden",
    ) -> None:
        self.name, self.axes, self.role = name, axes, role
        self.kernel, self.stride, self.padding = kernel, stride, padding
        self.inputs, self.outputs = channels
        self.w, self.b = f"{name}.weight", f"{name}.bias"

    def weights(self) -> dict[str, Weight]:
        """Return W (out, in, *kernel), as torch orders its axes, and b; fan-in is in·taps."""
        taps = self.kernel**self.axes
        fans = self.inputs * taps, self.outputs * taps
        shape = (self.outputs, self.inputs, *(self.kernel,) * self.axes)
        bias = Weight((self.outputs,), *fans, "bias")
        return {self.w: Weight(shape, *fans, role=self.role), self.b: bias}

    def size(self, length: int) -> int:
        """Return ⌊(length + 2·padding − kernel)/stride⌋ + 1, the output positions on an axis.

        Args:
            length: input positions on the axis.
        """
        return (length + 2 * self.padding - self.kernel) // self.stride + 1

    def __call__(self, params: Params, x_KCLB: Tensor) -> tuple[Tensor, Tensor]:
        """Return the outputs, in memory of their own, and the patches that they were made from.

        Args:
            params: W (K, out, in, *kernel) and b (K, out) by name.
            x_KCLB: inputs (K, in, *sizes, B), or (1, in, *sizes, B) where all members share them.

        Returns:
            outputs (K, out, *sizes, B), and patches (K, taps·in, positions·B) for backward.
        """
        patches, matrix_KOI = self._unfold(x_KCLB), self._matrix(params[self.w])
        patches_KIN = for_each_member(patches.flatten(2), matrix_KOI)
        # in place: the product is this layer's own, and a copy would cost as much as the addition
        out_KON: Tensor = torch.bmm(matrix_KOI, patches_KIN).add_(params[self.b].unsqueeze(2))
        return out_KON.unflatten(2, patches.shape[2:]), patches_KIN

    def write_gradients(self, patches_KIN: Tensor, d_KOLB: Tensor, into: Params) -> None:
        """Write ∂L/∂W = d·patchesᵀ and ∂L/∂b = Σ_{positions, B} d into ``into``.

        Args:
            patches_KIN: the forward pass's patches (K, taps·in, positions·B).
            d_KOLB: gradient ∂L/∂out of the loss by the outputs.
            into: memory for the gradients, by the parameters' names; overwritten.
        """
        d_KON = d_KOLB.flatten(2)
        g_KOI = torch.bmm(d_KON, patches_KIN.mT)
        # not bmm into ``into``: (out, taps·in) has to be put into torch's order (out, in, taps),
        # the inverse of what _matrix does
        into[self.w].flatten(3).copy_(g_KOI.unflatten(2, (-1, self.inputs)).mT)
        torch.sum(d_KON, 2, out=into[self.b])

    def input_gradient(self, params: Params, d_KOLB: Tensor, sizes: Sequence[int]) -> Tensor:
        """Return ∂L/∂input = fold(Wᵀd), (K, in, *sizes, B).

        Args:
            params: the layer's parameters by name.
            d_KOLB: gradient ∂L/∂out of the loss by the outputs.
            sizes: the lengths of the input's spatial axes, which the output's do not tell.
        """
        d_KIN = torch.bmm(self._matrix(params[self.w]).mT, d_KOLB.flatten(2))
        d: Tensor = d_KIN.unflatten(2, d_KOLB.shape[2:])
        # the first spatial axis was unfolded last: its taps are outermost and are folded first
        for axis, size in enumerate(sizes, 2):
            d = self._fold(d, axis, size)
        return d

    def _matrix(self, w: Tensor) -> Tensor:
        """Return W (K, out, in, *kernel) as (K, out, taps·in), in the order of a patch's rows."""
        return w.flatten(3).mT.flatten(2)

    def _unfold(self, x: Tensor) -> Tensor:
        """Return the patches (K, taps·in, *output sizes, B) of an input (K, in, *sizes, B).

        Axis by axis, from the last: for each tap t the input positions t, t + stride, t + 2·stride,
        … are what the tap sees at output positions 0, 1, 2, …; the taps' slices are stacked along
        the channels. For images that is 2·kernel slices in place of kernel².

        Every pass puts the new tap outside of what is in the channels already, so that the rows end
        up in the order (tap of the first axis, …, tap of the last axis, in): ``_matrix`` has its
        columns in the same order.
        """
        # torch counts pads from the last axis: none on the samples, both sides of each spatial axis
        pads = (0, 0) + (self.padding, self.padding) * self.axes
        unfolded = functional.pad(x, pads) if self.padding else x
        for axis in reversed(range(2, 2 + self.axes)):
            count = self.size(x.shape[axis])
            taps = [_every(unfolded, axis, t, count, self.stride) for t in range(self.kernel)]
            unfolded = torch.cat(taps, 1)
        return unfolded

    def _fold(self, d: Tensor, axis: int, size: int) -> Tensor:
        """Return what the taps' slices add up to at the input's positions: unfolding's transpose.

        Args:
            d: gradient by the patches, taps·C channels.
            axis: the spatial axis to fold.
            size: input positions on it.

        Returns:
            the gradient with C channels and ``size`` positions on the axis.
        """
        outputs, shape = d.shape[axis], list(d.shape)
        shape[1], shape[axis] = shape[1] // self.kernel, size
        folded = d.new_zeros(shape)
        for tap, part in enumerate(d.chunk(self.kernel, 1)):
            # output position p saw input position stride·p + tap − padding through this tap;
            # first and last are the smallest and largest p for which that is inside the input
            shift = tap - self.padding
            first = max(0, -(shift // self.stride))
            last = min(outputs - 1, (size - 1 - shift) // self.stride)
            count = last - first + 1
            if count > 0:  # a tap may have seen nothing but padding
                seen = _every(folded, axis, first * self.stride + shift, count, self.stride)
                seen.add_(part.narrow(axis, first, count))
        return folded


def _every(x: Tensor, axis: int, start: int, count: int, stride: int) -> Tensor:
    """Return a view of ``count`` positions of an axis, from ``start`` on, ``stride`` apart.

    A view, so that folding can add into it.
    """
    positions = slice(start, start + (count - 1) * stride + 1, stride)
    return x[(*(slice(None),) * axis, positions)]
