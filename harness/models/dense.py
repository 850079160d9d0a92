"""Fully connected layers of all members of a cohort at once, forward and backward.

Each layer is one batched product of matrices (``torch.bmm``) over the members. Layers take their
parameters from a mapping at each call and hold none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.lazy import Lazy
from harness.core.parameter_layout import Role
from harness.models.base import Params, Weight

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")

NARROW = 16
"""Outputs below which a layer writes them column by column, as (K, out, B) in memory.

On the CPU a few rows as long as the batch take less time than many short ones: torch's kernels go
number by number over rows shorter than a vector register. The product gains, and the softmax behind
a classifier's last layer more.
"""


class Dense:
    """a = Wh + b, with W (out, in) for each member.

    Args:
        name: what its parameters are called: ``<name>.weight``, ``<name>.bias``.
        inputs: numbers in.
        outputs: numbers out.
        bias: whether there is a b.
        role: where W stands in the network.
        fused: projections of their own that W's rows are divided into, in equal parts.
        std: deviation that the model itself starts W with, and b from 0; by default it is the
            initialisation's choice.
    """

    def __init__(
        self,
        name: str,
        inputs: int,
        outputs: int,
        bias: bool = True,
        role: Role = "hidden",
        fused: int = 1,
        std: float | None = None,
    ) -> None:
        self.name, self.inputs, self.outputs, self.bias = name, inputs, outputs, bias
        self.role, self.fused, self.std = role, fused, std
        self.w, self.b = f"{name}.weight", f"{name}.bias"

    def weights(self) -> dict[str, Weight]:
        """Return W, and b where there is one."""
        fans = self.inputs, self.outputs
        shape = (self.outputs, self.inputs)
        weights = {self.w: Weight(shape, *fans, role=self.role, fused=self.fused, std=self.std)}
        if self.bias:
            std = None if self.std is None else 0.0
            weights[self.b] = Weight((self.outputs,), *fans, "bias", std=std)
        return weights

    def __call__(self, params: Params, h_KBI: Tensor) -> Tensor:
        """Return outputs (K, B, out), in memory of their own.

        Args:
            params: W (K, out, in) and b (K, out) by name.
            h_KBI: inputs (K, B, in), or (1, B, in) where all members share them.
        """
        w_KOI = params[self.w]
        h_KBI = for_each_member(h_KBI, w_KOI)
        # hWᵀ, written as (W hᵀ)ᵀ for few outputs: the same numbers in a transposed layout
        narrow = self.outputs < NARROW
        out_KBO = torch.bmm(w_KOI, h_KBI.mT).mT if narrow else torch.bmm(h_KBI, w_KOI.mT)
        # in place: the product is this layer's own, and a copy would cost as much as the addition
        return out_KBO.add_(params[self.b].unsqueeze(1)) if self.bias else out_KBO

    def backward(
        self, params: Params, h_KBI: Tensor, d_KBO: Tensor, into: Params, input_needed: bool = True
    ) -> Tensor:
        """Write ∂L/∂W = dᵀh and ∂L/∂b = Σ_B d, and return ∂L/∂h = dW.

        Args:
            params: the layer's parameters by name.
            h_KBI: its inputs, as the forward pass was given them.
            d_KBO: gradient ∂L/∂a of the loss by its outputs; left as it is.
            into: memory for the gradients, by the parameters' names; what it held is overwritten.
            input_needed: whether ∂L/∂h is used. The first layer's is not, since its input is the
                data, and that product is saved.

        Returns:
            ∂L/∂h (K, B, in); ``d_KBO`` itself, which means nothing, if it is not needed.
        """
        _write_product(d_KBO.mT, for_each_member(h_KBI, d_KBO), into[self.w])
        if self.bias:
            torch.sum(d_KBO, 1, out=into[self.b])
        return torch.bmm(d_KBO, params[self.w]) if input_needed else d_KBO


def for_each_member(x_K: Tensor, like_K: Tensor) -> Tensor:
    """Return inputs that all members may share as a view with one entry for each member.

    Args:
        x_K: (K, M, N), or (1, M, N) where they are shared; ``torch.bmm`` does not broadcast.
        like_K: any tensor with the members first.

    Returns:
        (K, M, N); nothing is copied.
    """
    return x_K if x_K.shape[0] == like_K.shape[0] else x_K.expand(like_K.shape[0], -1, -1)


def _write_product(a_KMN: Tensor, b_KNO: Tensor, into_KMO: Tensor) -> None:
    """Write the members' products of matrices into given memory, by the faster of two ways."""
    # where the members' memory lies apart, as a tensor within longer rows, bmm and a copy are
    # faster than bmm into it
    if into_KMO.is_contiguous():
        torch.bmm(a_KMN, b_KNO, out=into_KMO)
    else:
        into_KMO.copy_(torch.bmm(a_KMN, b_KNO))
