"""The gradient of members' networks by one call of compiled code, where this machine has it.

A call of torch takes microseconds before any arithmetic, and its products of matrices for all
members at once pass over more memory than a core's cache has. The kernel goes through the whole
network a member at a time.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import TypeGuard, final

import torch
from torch import Tensor

from harness.core.kernels import library
from harness.engine.training_loss import Minibatch, TrainingLoss
from harness.engine.workspace import Workspace
from harness.losses.cross_entropy import CrossEntropy
from harness.models.activation import Identity, ReLU
from harness.models.base import Context, Network, Params
from harness.models.cnn import ConvNetwork
from harness.models.convolution import Conv
from harness.models.dense import Dense
from harness.models.mlp import MLPNetwork
from harness.optimizers.adam_kernel import KernelAdam, KernelNumber

LARGEST_LAYER = 2**20
"""Weights of a layer from which PyTorch's products, cut for all levels of the cache and for several
threads, are as fast; measured with benchmarks/kernels.py at widths of 512 to 2048."""
SCORED_IN = 2**14
"""Numbers of memory for the samples that are evaluated at once, about: a core's cache has room."""
_NUMBER, _POINTER = ctypes.c_int64, ctypes.c_void_p


class KernelLayer(ctypes.Structure):
    """``Layer`` of the kernel's source."""

    _fields_ = (
        *((name, _NUMBER) for name in ("inputs", "outputs")),
        *((name, _POINTER) for name in ("w", "b", "d_w", "d_b")),
        *((name, _NUMBER) for name in ("w_member", "b_member", "d_w_member", "d_b_member")),
        ("draws", _POINTER),
        *((name, _POINTER) for name in ("v_w", "v_b")),
        *((name, _NUMBER) for name in ("v_w_member", "v_b_member")),
        *((name, _POINTER) for name in ("m_w", "m_b")),
        *((name, _NUMBER) for name in ("m_w_member", "m_b_member")),
        *((name, KernelNumber) for name in ("decay_w", "decay_b")),
        *((name, _NUMBER) for name in ("shrinks_w", "shrinks_b")),
    )


class KernelShape(ctypes.Structure):
    """``Shape`` of the kernel's source."""

    _fields_ = tuple(
        (name, _NUMBER)
        for name in (
            *("channels", "height", "width"),
            *("kernel_h", "kernel_w", "stride", "pad_h", "pad_w"),
        )
    )


class KernelNetwork(ctypes.Structure):
    """``Network`` of the kernel's source."""

    _fields_ = (
        ("layers", ctypes.POINTER(KernelLayer)),
        *((name, _NUMBER) for name in ("count", "rectified")),
        ("shapes", ctypes.POINTER(KernelShape)),
        ("pooled", _NUMBER),
    )


class KernelBatch(ctypes.Structure):
    """``Batch`` of the kernel's source."""

    _fields_ = (
        *((name, _NUMBER) for name in ("members", "size")),
        *((name, _POINTER) for name in ("x", "y")),
        *((name, _NUMBER) for name in ("x_member", "x_sample")),
        *((name, _NUMBER) for name in ("y_member", "y_sample", "y_output")),
        ("index", _POINTER),
        ("index_member", _NUMBER),
        *((name, _POINTER) for name in ("rate", "draws")),
    )


class KernelRule(ctypes.Structure):
    """``Rule`` of the kernel's source."""

    _fields_ = (
        *((name, _NUMBER) for name in ("first", "last", "members", "steps")),
        *((name, _POINTER) for name in ("lr", "momentum")),
        ("nesterov", _NUMBER),
        ("adam", ctypes.POINTER(KernelAdam)),
        ("made", _NUMBER),
        ("shrink", _POINTER),
    )


@final
class NetworkKernel:
    """Loss and gradient under the cross-entropy of classes, of MLPs of rectified or linear units
    and of convolutional networks.

    Args:
        compiled: the library.
        network: the members' network.
    """

    def __init__(self, compiled: ctypes.CDLL, network: MLPNetwork | ConvNetwork) -> None:
        self.compiled, self.network = compiled, network
        hidden = network.hidden if isinstance(network, MLPNetwork) else network.convs
        self.parts: tuple[Dense | Conv, ...] = (*hidden, network.out)
        self.rectified = isinstance(network.activation, ReLU)
        compiled.network_gradient.argtypes = [KernelNetwork, KernelBatch, _POINTER, _POINTER]
        compiled.network_gradient.restype = None
        compiled.network_train.argtypes = [
            *(KernelNetwork, KernelBatch, _NUMBER, _NUMBER, KernelRule, _POINTER, _POINTER),
        ]
        compiled.network_train.restype = None
        compiled.network_score.argtypes = [KernelNetwork, KernelBatch, _NUMBER, *([_POINTER] * 3)]
        compiled.network_score.restype = None
        compiled.network_scratch.argtypes = [KernelNetwork, _NUMBER]
        compiled.network_scratch.restype = _NUMBER
        self._shapes = _shapes_of(network) if isinstance(network, ConvNetwork) else None
        self._pooled = isinstance(network, ConvNetwork) and network.pool
        # where the parameters of the last call's workspace lie: most calls have the same
        self._workspace: Workspace | None = None
        sizes = [KernelLayer(_inputs(part), part.outputs) for part in self.parts]
        self._layers = (KernelLayer * len(self.parts))(*sizes)
        self._network = self.over(self._layers)
        self._scratch = torch.empty(0)

    def over(self, layers: ctypes.Array[KernelLayer]) -> KernelNetwork:
        """Return the network with its parameters where ``layers`` say."""
        return KernelNetwork(layers, len(layers), self.rectified, self._shapes, self._pooled)

    def takes(self, w_KP: Tensor, batch: Minibatch) -> bool:
        """Return whether it can: the weights' precision and the targets are others for none or all
        members of a run, so that a run is computed in one form from its start to its end.

        Args:
            w_KP: the weights.
            batch: the minibatch.
        """
        y_KBD = batch.y_KBD
        return w_KP.dtype == y_KBD.dtype == torch.float32 and y_KBD.ndim == 3

    @property
    def dropped(self) -> list[int]:
        """How many units there are wherever dropout drops, in its order."""
        network = self.network
        if isinstance(network, MLPNetwork):
            return [layer.outputs for layer in network.hidden]
        return [network.out.inputs]

    def draws(self, batch: Minibatch, ctx: Context) -> list[Tensor]:
        """Return what dropout draws in a forward pass, (K, B, F) wherever it drops.

        Args:
            batch: the minibatch.
            ctx: the rates and the members' streams.
        """
        if ctx.dropout is None:
            return []
        assert ctx.noise is not None, "a training pass that drops needs streams"
        return [ctx.noise.uniform(batch.x_KB.shape[1], units) for units in self.dropped]

    def gradient(
        self,
        workspace: Workspace,
        batch: Minibatch,
        rate_K: Tensor | None,
        draws: Sequence[Tensor],
    ) -> Tensor:
        """Write the gradients into the workspace, and return the mean losses (K,).

        Args:
            workspace: the weights, and memory for the gradients.
            batch: the minibatch.
            rate_K: of dropout; None where no member drops.
            draws: what it drew from U[0, 1), (K, B, F) wherever it drops.
        """
        x_KBI, y_KBD = batch.x_KB.flatten(2), batch.y_KBD
        if x_KBI.stride(2) != 1:
            x_KBI = x_KBI.contiguous()
        members, size = len(workspace.w_KP), x_KBI.shape[1]
        if workspace is not self._workspace:
            self._workspace = workspace
            for place, layer in enumerate(self.parts):
                self._layers[place] = layer_in(layer, workspace.params, workspace.gradients)
        # an MLP drops behind every hidden layer, a convolutional network behind the last one
        held = [drawn.contiguous() for drawn in draws]
        for place, drawn in enumerate(held, len(self.parts) - 1 - len(held)):
            self._layers[place].draws = drawn.data_ptr()
        loss_K = workspace.w_KP.new_empty(members)
        own = KernelBatch(
            *(members, size, x_KBI.data_ptr(), y_KBD.data_ptr()),
            *(x_KBI.stride(0) if len(x_KBI) == members else 0, x_KBI.stride(1)),
            *(*y_KBD.stride(), None, 0, None if rate_K is None else rate_K.data_ptr(), None),
        )
        scratch = self.scratch(size).data_ptr()
        self.compiled.network_gradient(self._network, own, loss_K.data_ptr(), scratch)
        return loss_K

    def score(self, params: Params, x_BI: Tensor, y_BD: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the members come to on samples that they share, without dropout.

        Args:
            params: weights by name, (K, *shape) each.
            x_BI: inputs.
            y_BD: targets.

        Returns:
            The sums of their losses (K,) in float64, and how many of their largest outputs are
            those of the largest targets, (K,).
        """
        layers = (KernelLayer * len(self.parts))(*(layer_in(p, params, {}) for p in self.parts))
        loss_K = x_BI.new_empty(len(params[self.parts[0].w]), dtype=torch.float64)
        right_K = torch.empty_like(loss_K, dtype=torch.int64)
        batch = KernelBatch(
            *(len(loss_K), len(x_BI), x_BI.data_ptr(), y_BD.data_ptr()),
            *(0, x_BI.stride(0), 0, *y_BD.stride(), None, 0, None, None),
        )
        # the kernel's vectors are of 16 samples
        at_once = 16 * max(1, SCORED_IN // self.compiled.network_scratch(self._network, 16))
        scratch = self.scratch(at_once).data_ptr()
        self.compiled.network_score(
            self.over(layers), batch, at_once, loss_K.data_ptr(), right_K.data_ptr(), scratch
        )
        return loss_K, right_K

    def scratch(self, size: int) -> Tensor:
        """Return memory for one member's pass over so many samples; the next call uses it again."""
        needed = self.compiled.network_scratch(self._network, size)
        if len(self._scratch) < needed:
            self._scratch = torch.empty(needed)
        return self._scratch


def layer_in(layer: Dense | Conv, params: Params, gradients: Params) -> KernelLayer:
    """Return where a layer's parameters and their gradients lie, nothing being dropped.

    Args:
        layer: of the network.
        params: weights by name, (K, *shape) each.
        gradients: memory for their gradients, likewise.
    """
    (w, d_w), (b, d_b) = ((params.get(n), gradients.get(n)) for n in (layer.w, layer.b))
    parts = (w, b, d_w, d_b)  # without a bias there is neither b nor its gradient
    return KernelLayer(
        *(_inputs(layer), layer.outputs),
        *(None if part is None else part.data_ptr() for part in parts),
        *(0 if part is None else part.stride(0) for part in parts),
    )


def _inputs(layer: Dense | Conv) -> int:
    """Return how many numbers an output is a sum over."""
    return layer.inputs * (layer.kernel**layer.axes if isinstance(layer, Conv) else 1)


def _shapes_of(network: ConvNetwork) -> ctypes.Array[KernelShape]:
    """Return the convolutions' geometries; a signal is a picture of one line."""
    shapes, sizes = [], network.planes[1:]
    for conv in network.convs:
        line = conv.axes == 1
        height, width = (1, *sizes) if line else sizes
        down = (1, 0) if line else (conv.kernel, conv.padding)
        shapes.append(
            KernelShape(
                *(conv.inputs, height, width, down[0], conv.kernel, conv.stride),
                *(down[1], conv.padding),
            )
        )
        sizes = tuple(conv.size(size) for size in sizes)
    return (KernelShape * len(shapes))(*shapes)


def kernel_for(loss: TrainingLoss) -> NetworkKernel | None:
    """Return the kernel for a training loss; None where it is for others, or is not compiled.

    Args:
        loss: what is differentiated.
    """
    compiled = library()
    fits = (
        isinstance(loss.loss, CrossEntropy)
        and loss.loss.weight is None
        and loss.device.type == "cpu"
    )
    network = loss.network
    if compiled is None or not fits or not _is_taken(network):
        return None
    return NetworkKernel(compiled, network)


def _is_taken(network: Network) -> TypeGuard[MLPNetwork | ConvNetwork]:
    """Return whether the kernel can compute a network, and is faster than PyTorch."""
    if isinstance(network, ConvNetwork):
        return not network.norms
    return (
        isinstance(network, MLPNetwork)
        and isinstance(network.activation, ReLU | Identity)
        and not (network.residual or network.norms)
        and all(
            part.inputs * part.outputs <= LARGEST_LAYER for part in (*network.hidden, network.out)
        )
    )
