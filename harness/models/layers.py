"""Layers that compute all members of a cohort at once: every tensor has the members first, features last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.core.lazy import Lazy
from harness.models.base import Context, Params, Weight

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.nn import functional
else:
    torch, functional = Lazy("torch"), Lazy("torch.nn.functional")


def _activate(name: str, x: Tensor) -> Tensor:
    found: Tensor = getattr(functional, name)(x)
    return found


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    name: partial(_activate, name) for name in ("tanh", "sigmoid", "gelu", "silu")
} | {"relu": lambda x: x.relu_(), "identity": lambda x: x}
"""Applied to a layer's fresh output, whose memory they may use."""
SLOPES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "relu": lambda d, z: torch.ops.aten.threshold_backward.grad_input(d, z, 0, grad_input=d),
    "tanh": lambda d, z: d * (1 - z * z),
    "sigmoid": lambda d, z: d * (z * (1 - z)),
    "identity": lambda d, z: d,
}
"""The gradient by the input from that by the output (d, whose memory may be used) and the output z, where z is enough."""
BENDS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor] | None] = {
    "relu": None,
    "identity": None,
    "tanh": lambda d, z, r_z: d * z * r_z * -2,
    "sigmoid": lambda d, z, r_z: d * (1 - 2 * z) * r_z,
}
"""What the gradient by the input changes by as the output z changes by r_z, from that by the output d; None: by nothing."""

LIMITS = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0)}
"""Bounds of the nonlinearities that saturate."""


NARROW = 16
"""Outputs below which a layer writes them as (K, out, B)."""


class Dense:
    """x ↦ Wx + b, W (out, in)."""

    def __init__(self, name: str, inputs: int, outputs: int, bias: bool = True) -> None:
        self.name, self.inputs, self.outputs, self.bias = name, inputs, outputs, bias
        self.w, self.b = f"{name}.weight", f"{name}.bias"

    def weights(self) -> dict[str, Weight]:
        """Return W, and b where there is one."""
        found = {self.w: Weight((self.outputs, self.inputs), self.inputs, self.outputs)}
        if self.bias:
            found[self.b] = Weight((self.outputs,), self.inputs, self.outputs, "bias")
        return found

    def __call__(self, params: Params, x_KBI: Tensor) -> Tensor:
        """Return (K, B, out)."""
        w_KOI = params[self.w]
        x_KBI = _of_all(x_KBI, w_KOI)
        # a few long rows take less time than many short ones
        narrow = self.outputs < NARROW
        out_KBO = torch.bmm(w_KOI, x_KBI.mT).mT if narrow else torch.bmm(x_KBI, w_KOI.mT)
        return out_KBO.add_(params[self.b].unsqueeze(1)) if self.bias else out_KBO

    def backward(
        self, params: Params, x_KBI: Tensor, d_KBO: Tensor, into: Params, input_needed: bool = True
    ) -> Tensor:
        """Write the gradients of W and b into ``into``; return the gradient by the input, if that is needed."""
        _product(d_KBO.mT, _of_all(x_KBI, d_KBO), into[self.w])
        if self.bias:
            torch.sum(d_KBO, 1, out=into[self.b])
        return torch.bmm(d_KBO, params[self.w]) if input_needed else d_KBO


def _product(a_KMN: Tensor, b_KNO: Tensor, into_KMO: Tensor) -> None:
    """Write a product; where the members' memory lies apart, bmm would take longer to write it than a copy does."""
    if into_KMO.is_contiguous():
        torch.bmm(a_KMN, b_KNO, out=into_KMO)
    else:
        into_KMO.copy_(torch.bmm(a_KMN, b_KNO))


def _of_all(x_KBI: Tensor, like_K: Tensor) -> Tensor:
    """Return inputs that the members may share as (K, B, in)."""
    return x_KBI if x_KBI.shape[0] == like_K.shape[0] else x_KBI.expand(like_K.shape[0], -1, -1)


class Conv:
    """Convolution over the axes between channels and samples, as a product of weights and unfolded patches.

    Args:
        channels: (in, out).
        kernel, stride, padding: the same on every axis.
        axes: 1 for signals (K, C, L, B), 2 for images (K, C, H, W, B).
    """

    def __init__(
        self,
        name: str,
        channels: tuple[int, int],
        kernel: int,
        stride: int,
        padding: int,
        axes: int,
    ) -> None:
        self.name, self.kernel, self.stride, self.padding, self.axes = (
            name,
            kernel,
            stride,
            padding,
            axes,
        )
        self.inputs, self.outputs = channels
        self.w, self.b = f"{name}.weight", f"{name}.bias"

    def weights(self) -> dict[str, Weight]:
        """Return W (out, in, *kernel) and b."""
        taps = self.kernel**self.axes
        fans = self.inputs * taps, self.outputs * taps
        shape = (self.outputs, self.inputs, *(self.kernel,) * self.axes)
        return {self.w: Weight(shape, *fans), self.b: Weight((self.outputs,), *fans, "bias")}

    def size(self, length: int) -> int:
        """Return the output's length on an axis."""
        return (length + 2 * self.padding - self.kernel) // self.stride + 1

    def __call__(self, params: Params, x_KCLB: Tensor) -> tuple[Tensor, Tensor]:
        """Return (K, out, *sizes, B), and the patches (K, taps·in, sizes·B) that it was made from."""
        patches, matrix_KOI = self._patches(x_KCLB), self._matrix(params[self.w])
        patches_KIN = _of_all(patches.flatten(2), matrix_KOI)
        out_KON: Tensor = torch.bmm(matrix_KOI, patches_KIN).add_(params[self.b].unsqueeze(2))
        return out_KON.unflatten(2, patches.shape[2:]), patches_KIN

    def backward(self, params: Params, patches_KIN: Tensor, d_KOLB: Tensor, into: Params) -> None:
        """Write the gradients of W and b into ``into``."""
        d_KON = d_KOLB.flatten(2)
        g_KOI = torch.bmm(d_KON, patches_KIN.mT)
        into[self.w].flatten(3).copy_(g_KOI.unflatten(2, (-1, self.inputs)).mT)
        torch.sum(d_KON, 2, out=into[self.b])

    def below(self, params: Params, d_KOLB: Tensor, sizes: Sequence[int]) -> Tensor:
        """Return the gradient (K, in, *sizes, B) by the input from that by the output."""
        d_KIN = torch.bmm(self._matrix(params[self.w]).mT, d_KOLB.flatten(2))
        d: Tensor = d_KIN.unflatten(2, d_KOLB.shape[2:])
        for axis, size in enumerate(sizes, 2):
            d = self._folded(d, axis, size)
        return d

    def _matrix(self, w: Tensor) -> Tensor:
        """Return W as (K, out, taps·in), channels last: the order in which patches are laid out."""
        return w.flatten(3).mT.flatten(2)

    def _patches(self, x: Tensor) -> Tensor:
        """Return (K, taps·in, *sizes, B)."""
        padded = (
            functional.pad(x, (0, 0) + (self.padding, self.padding) * self.axes)
            if self.padding
            else x
        )
        for axis in reversed(range(2, 2 + self.axes)):
            count = self.size(x.shape[axis])
            padded = torch.cat(
                [_every(padded, axis, tap, count, self.stride) for tap in range(self.kernel)], 1
            )
        return padded

    def _folded(self, d: Tensor, axis: int, size: int) -> Tensor:
        """Return what the patches along an axis add up to: what :meth:`_patches` turns round."""
        count, shape = d.shape[axis], list(d.shape)
        shape[1], shape[axis] = shape[1] // self.kernel, size
        whole = d.new_zeros(shape)
        for tap, part in enumerate(d.chunk(self.kernel, 1)):
            first = max(0, -((tap - self.padding) // self.stride))
            last = min(count - 1, (size - 1 + self.padding - tap) // self.stride)
            there = _every(
                whole, axis, first * self.stride + tap - self.padding, last - first + 1, self.stride
            )
            there.add_(part.narrow(axis, first, last - first + 1))
        return whole


def _every(x: Tensor, axis: int, start: int, count: int, stride: int) -> Tensor:
    index: list[Any] = [slice(None)] * x.ndim
    index[axis] = slice(start, start + (count - 1) * stride + 1, stride)
    return x[tuple(index)]


class BatchNorm:
    """(x − μ)/√(σ² + ε)·γ + β over batch and positions; running means with momentum 0.1 (Ioffe & Szegedy 2015)."""

    eps, momentum = 1e-5, 0.1

    def __init__(self, name: str, features: int) -> None:
        self.name, self.features = name, features

    def weights(self) -> dict[str, Weight]:
        """Return γ and β."""
        shape = (self.features,)
        return {
            f"{self.name}.weight": Weight(shape, role="one"),
            f"{self.name}.bias": Weight(shape, role="zero"),
        }

    def buffers(self) -> dict[str, Tensor]:
        """Return the running mean and variance."""
        return {
            f"{self.name}.mean": torch.zeros(self.features),
            f"{self.name}.var": torch.ones(self.features),
        }

    def __call__(self, params: Params, x: Tensor, ctx: Context) -> Tensor:
        """Return x normalised, of the same shape (K, B, …, F)."""
        rows_KNF = x.flatten(1, -2)
        if ctx.training:
            var_KF, mean_KF = torch.var_mean(rows_KNF, 1, correction=0)
            self._remember(mean_KF.detach(), var_KF.detach(), rows_KNF.shape[1], ctx)
        else:
            mean_KF, var_KF = ctx.buffers[f"{self.name}.mean"], ctx.buffers[f"{self.name}.var"]
        scale_KF = params[f"{self.name}.weight"] * torch.rsqrt(var_KF + self.eps)
        # less the mean first, so that a sample on its own comes out as β to the bit: at the start a kink
        centred_KNF = rows_KNF - mean_KF[:, None]
        shift_KF = params[f"{self.name}.bias"]
        return torch.addcmul(shift_KF[:, None], centred_KNF, scale_KF[:, None]).view(
            len(scale_KF), *x.shape[1:]
        )

    def _remember(self, mean_KF: Tensor, var_KF: Tensor, count: int, ctx: Context) -> None:
        unbiased = var_KF * (count / max(1, count - 1))
        for key, now in (("mean", mean_KF), ("var", unbiased)):
            name = f"{self.name}.{key}"
            ctx.buffers[name] = torch.lerp(ctx.buffers[name], now, self.momentum)


class LayerNorm:
    """(x − μ)/√(σ² + ε)·γ + β over the features of each position (Ba et al. 2016)."""

    eps = 1e-5

    def __init__(self, name: str, features: int) -> None:
        self.name, self.features = name, features

    def weights(self) -> dict[str, Weight]:
        """Return γ and β."""
        shape = (self.features,)
        return {
            f"{self.name}.weight": Weight(shape, role="one"),
            f"{self.name}.bias": Weight(shape, role="zero"),
        }

    def buffers(self) -> dict[str, Tensor]:
        """Return nothing: there are no running statistics."""
        return {}

    def __call__(self, params: Params, x: Tensor, ctx: Context) -> Tensor:
        """Return x normalised, of the same shape (K, B, …, F)."""
        normal = functional.layer_norm(x, (self.features,), eps=self.eps)
        shape = (-1, *(1,) * (x.ndim - 2), self.features)
        return params[f"{self.name}.weight"].view(shape) * normal + params[
            f"{self.name}.bias"
        ].view(shape)


NORMS: dict[str, type[BatchNorm] | type[LayerNorm]] = {"batch": BatchNorm, "layer": LayerNorm}


def dropout(x: Tensor, ctx: Context) -> Tensor:
    """Set each number to 0 with the member's rate p and divide the rest by 1 − p (Srivastava et al. 2014)."""
    share = kept_share(x, ctx)
    return x if share is None else x * share


def kept_share(x: Tensor, ctx: Context) -> Tensor | None:
    """Return what dropout multiplies x by: 0 with the member's rate p, else 1/(1 − p); None where nobody drops."""
    if not ctx.training or ctx.dropout is None:
        return None
    assert ctx.noise is not None, "a training pass that drops needs streams"
    rate = ctx.dropout.view(-1, *(1,) * (x.ndim - 1))
    return (ctx.noise.uniform(*x.shape[1:]) >= rate) / (1 - rate)
