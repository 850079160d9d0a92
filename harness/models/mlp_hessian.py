"""Products with the Hessian of an MLP's loss, written out: half the time of differentiating its gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from harness.core.lazy import Lazy
from harness.models.base import Params
from harness.models.layers import BENDS, Dense
from harness.models.mlp import Kept, MLPNetwork

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


class Slopes(NamedTuple):
    """Gradients of the loss by a hidden layer's output after and before its nonlinearity, (K, B, O) each."""

    z_KBO: Tensor
    a_KBO: Tensor


class HessianProduct:
    """v ↦ Hv by the R-operator: R{f}(θ) = ∂f(θ + εv)/∂ε at 0 of the forward and the backward pass (Pearlmutter 1994).

    Args:
        network: an MLP whose backward pass is written out.
        params: its weights by name.
        tape: what its forward pass kept, without dropout.
        slope_KBD: gradient of the loss by its outputs.
        curve: R{slope} of R{outputs}: products with the Hessians of the loss by the outputs.
    """

    def __init__(
        self,
        network: MLPNetwork,
        params: Params,
        tape: list[Kept],
        slope_KBD: Tensor,
        curve: Callable[[Tensor], Tensor],
    ) -> None:
        self.network, self.params, self.tape, self.slope, self.curve = (
            network,
            params,
            tape,
            slope_KBD,
            curve,
        )
        self.slopes = self._slopes()

    def _slopes(self) -> list[Slopes]:
        net, found = self.network, []
        assert net.slope is not None
        d = torch.bmm(self.slope, self.params[net.out.w])
        for i in reversed(range(len(net.hidden))):
            d_a = net.slope(d.clone(), self.tape[i].z_KBO)
            found.append(Slopes(d, d_a))
            below = torch.bmm(d_a, self.params[net.hidden[i].w]) if i else d_a
            d = below + d if net.skips(i) else below
        return found[::-1]

    def __call__(self, v: Params, into: Params) -> None:
        """Write Hv into ``into``, both by the parameters' names."""
        net = self.network
        assert net.slope is not None
        r_h: Tensor | None = None
        inputs: list[Tensor | None] = []
        outputs: list[Tensor] = []
        for i, layer in enumerate(net.hidden):
            inputs.append(r_h)
            r_z = net.slope(self._forward(layer, v, self.tape[i].h_KBI, r_h), self.tape[i].z_KBO)
            outputs.append(r_z)
            r_h = r_z if r_h is None or not net.skips(i) else r_h + r_z
        h = self.tape[-1].h_KBI
        r_d = self._backward(
            net.out, v, h, r_h, self.slope, self.curve(self._forward(net.out, v, h, r_h)), into
        )
        for i in reversed(range(len(net.hidden))):
            z, bend, d = self.tape[i].z_KBO, BENDS[net.name], self.slopes[i]
            r_a = net.slope(r_d.clone(), z)
            r_a = r_a if bend is None else r_a + bend(d.z_KBO, z, outputs[i])
            below = self._backward(
                net.hidden[i], v, self.tape[i].h_KBI, inputs[i], d.a_KBO, r_a, into
            )
            r_d = below + r_d if net.skips(i) else below

    def _forward(self, layer: Dense, v: Params, h: Tensor, r_h: Tensor | None) -> Tensor:
        """Return R{Wh + b} = Vh + c + W R{h}."""
        r_a = layer(v, h)
        return r_a if r_h is None else torch.baddbmm(r_a, r_h, self.params[layer.w].mT)

    def _backward(
        self,
        layer: Dense,
        v: Params,
        h: Tensor,
        r_h: Tensor | None,
        d: Tensor,
        r_d: Tensor,
        into: Params,
    ) -> Tensor:
        """Write R{dᵀh} = R{d}ᵀh + dᵀR{h} into ``into``; return R{dW} = R{d}W + dV where something lies below."""
        r_below = layer.backward(self.params, h, r_d, into, input_needed=r_h is not None)
        if r_h is None:
            return r_below
        into[layer.w].add_(torch.bmm(d.mT, r_h))
        return torch.baddbmm(r_below, d, v[layer.w])
