"""Hand-written products with the Hessian of an MLP's loss.

They take half the time of differentiating the gradient by autograd. The engine makes a
:class:`HessianProduct` for the curvature probes and calls it once for each vector.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from harness.core.lazy import Lazy
from harness.models.activation import OutputActivation
from harness.models.base import Params
from harness.models.dense import Dense
from harness.models.mlp import MLPNetwork, SavedHidden

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


class HiddenSlopes(NamedTuple):
    """Gradients of the loss by a hidden layer's z and by its a, where z = φ(a) and a = Wh + b."""

    z_KBO: Tensor
    a_KBO: Tensor


class HessianProduct:
    """v ↦ Hv by the R-operator, R{f}(θ) = ∂f(θ + εv)/∂ε at ε = 0 (Pearlmutter 1994).

    The gradient is made by a forward and a backward pass, both functions of θ, so R of the whole
    computation gives Hv. By the product rule, layer by layer, with V and c the parts of v that
    belong to W and b:

        forward   R{a} = Vh + c + W R{h}          R{z} = φ′(a) R{a}
        backward  R{d_a} = φ′(a) R{d_z} + φ″(a) R{a} d_z
                  R{∂L/∂W} = R{d_a}ᵀh + d_aᵀR{h}    R{d_h} = R{d_a}W + d_aV

    Where a layer has a skip, R{h} and R{d_h} have it too. W and h are those of the two passes, and
    d_x is the gradient of the loss by x.

    The forward pass and the gradients d do not depend on v: they are computed once, when the object
    is made, and every product uses them again. So nothing may write into ``saved``.

    Args:
        network: an MLP with a hand-written backward pass.
        params: its weights by name.
        saved: what its forward pass saved, without dropout.
        slope_KBD: gradient of the loss by its outputs.
        curve: R{outputs} ↦ R{slope}, both (K, B, D): products with the Hessian of the loss by the
            outputs.
    """

    def __init__(
        self,
        network: MLPNetwork,
        params: Params,
        saved: list[SavedHidden],
        slope_KBD: Tensor,
        curve: Callable[[Tensor], Tensor],
    ) -> None:
        assert isinstance(network.activation, OutputActivation)
        self.network, self.params, self.saved = network, params, saved
        self.activation, self.slope, self.curve = network.activation, slope_KBD, curve
        self.slopes = self._slopes()

    def _slopes(self) -> list[HiddenSlopes]:
        """Return each hidden layer's gradients, by one backward pass: they do not depend on v."""
        net = self.network
        slopes: list[HiddenSlopes] = []
        d = torch.bmm(self.slope, self.params[net.out.w])
        for i in reversed(range(len(net.hidden))):
            # a copy, since the derivative may take its memory and d is kept
            d_a = self.activation.derivative(d.clone(), self.saved[i].z_KBO)
            slopes.append(HiddenSlopes(d, d_a))
            below = torch.bmm(d_a, self.params[net.hidden[i].w]) if i else d_a
            d = below + d if net.skips(i) else below
        return slopes[::-1]

    def __call__(self, v: Params, into: Params) -> None:
        """Write Hv into ``into``.

        Args:
            v: tensors (K, *shape) by the parameters' names.
            into: memory of the same names and shapes; what it held is overwritten.
        """
        net = self.network
        # forward: R{h} of each layer's input, None for the data; R{z} of its output
        r_h: Tensor | None = None
        r_inputs: list[Tensor | None] = []
        r_outputs: list[Tensor] = []
        for i, layer in enumerate(net.hidden):
            r_inputs.append(r_h)
            r_a = self._forward(layer, v, self.saved[i].h_KBI, r_h)
            r_z = self.activation.derivative(r_a, self.saved[i].z_KBO)
            r_outputs.append(r_z)
            r_h = r_z if r_h is None or not net.skips(i) else r_h + r_z
        # the loss's own curvature turns R of the outputs into R of their gradient
        h = self.saved[-1].h_KBI
        r_slope = self.curve(self._forward(net.out, v, h, r_h))
        r_d = self._backward(net.out, v, h, r_h, self.slope, r_slope, into)
        # backward: r_d is R{d_h} of the layer above
        for i in reversed(range(len(net.hidden))):
            d = self.slopes[i]
            r_a = self._through(d.z_KBO, r_d, self.saved[i].z_KBO, r_outputs[i])
            h, r_h = self.saved[i].h_KBI, r_inputs[i]
            below = self._backward(net.hidden[i], v, h, r_h, d.a_KBO, r_a, into)
            r_d = below + r_d if net.skips(i) else below

    def _through(self, d_z: Tensor, r_d_z: Tensor, z: Tensor, r_z: Tensor) -> Tensor:
        """Return R{d_a} = φ′(a) R{d_z} + φ″(a) R{a} d_z."""
        # a copy, since the derivative may take its memory and a skip needs R{d_z} once more
        r_d_a = self.activation.derivative(r_d_z.clone(), z)
        bend = self.activation.second_derivative(d_z, z, r_z)
        return r_d_a if bend is None else r_d_a + bend

    def _forward(self, layer: Dense, v: Params, h: Tensor, r_h: Tensor | None) -> Tensor:
        """Return R{a} = Vh + c + W R{h}; R{h} is None where h is the data, which v doesn't move."""
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
        """Write R{∂L/∂W} = R{d}ᵀh + dᵀR{h} and R{∂L/∂b} into ``into``; return R{d_h} = R{d}W + dV.

        Args:
            layer: a layer a = Wh + b.
            v: the vector, of which V and c belong to the layer.
            h: the layer's input.
            r_h: R{h}; None where h is the data, which v does not move.
            d: gradient of the loss by a.
            r_d: R{d}.
            into: memory for Hv.

        Returns:
            (K, B, in); where h is the data nothing lies below, and what is returned means nothing.
        """
        # the layer's own backward pass, given R{d} for d, makes the terms with R{d} and overwrites
        # ``into``; the others are added
        r_below = layer.backward(self.params, h, r_d, into, input_needed=r_h is not None)
        if r_h is None:
            return r_below
        into[layer.w].add_(torch.bmm(d.mT, r_h))
        return torch.baddbmm(r_below, d, v[layer.w])
