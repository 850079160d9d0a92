"""The gradient of members' networks by one call of compiled code, where this machine has it.

A call of torch takes microseconds before any arithmetic, and its products of matrices for all
members at once pass over more memory than a core's cache has. The kernel goes through the whole
network a member at a time.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor

from harness.core.kernels import library
from harness.engine.differentiate.kernel_networks import KernelForm, KernelPart, form_of
from harness.engine.differentiate.kernel_structures import (
    NUMBER,
    POINTER,
    KernelBatch,
    KernelLayer,
    KernelNetwork,
    KernelRule,
)
from harness.engine.hyperparameters import Hyperparameters
from harness.engine.training_loss import Minibatch, TrainingLoss
from harness.engine.workspace import Workspace
from harness.losses.cross_entropy import CrossEntropy
from harness.losses.tokens import are_tokens
from harness.models.base import Context, Params

SCORED_IN = 2**14
"""Numbers of memory for the samples that are evaluated at once, about: a core's cache has room."""
TOKENS_SCORED = 256
"""Tokens that are evaluated at once."""


@final
class NetworkKernel:
    """Loss and gradient of a network under the cross-entropy of classes or tokens.

    Args:
        compiled: the library.
        form: the members' network, as the kernels have it.
        ignored: the target of tokens that count nowhere.
    """

    def __init__(self, compiled: ctypes.CDLL, form: KernelForm, ignored: int) -> None:
        self.compiled, self.form, self.ignored = compiled, form, ignored
        compiled.network_gradient.argtypes = [KernelNetwork, KernelBatch, POINTER, POINTER]
        compiled.network_gradient.restype = None
        compiled.network_train.argtypes = [
            *(KernelNetwork, KernelBatch, NUMBER, NUMBER, KernelRule, POINTER, POINTER),
        ]
        compiled.network_train.restype = None
        compiled.network_score.argtypes = [KernelNetwork, KernelBatch, NUMBER, *([POINTER] * 3)]
        compiled.network_score.restype = None
        compiled.network_scratch.argtypes = [KernelNetwork, NUMBER]
        compiled.network_scratch.restype = NUMBER
        # where the parameters of the last call's workspace lie: most calls have the same
        self._workspace: Workspace | None = None
        sizes = [KernelLayer(part.inputs, part.outputs) for part in form.parts]
        self._layers = (KernelLayer * len(sizes))(*sizes)
        self._network = self.over(self._layers)
        self._scratch = torch.empty(0)

    @property
    def tokens(self) -> bool:
        """Whether inputs and targets are tokens."""
        return self.form.transformer is not None

    def over(self, layers: ctypes.Array[KernelLayer]) -> KernelNetwork:
        """Return the network with its parameters where ``layers`` say."""
        form = self.form
        transformer = None if form.transformer is None else ctypes.pointer(form.transformer)
        return KernelNetwork(
            *(layers, len(layers), form.rectified, form.shapes, form.pooled, transformer)
        )

    def takes(self, w_KP: Tensor, batch: Minibatch) -> bool:
        """Return whether it can: the weights' precision and the targets are others for none or all
        members of a run, so that a run is computed in one form from its start to its end.

        Args:
            w_KP: the weights.
            batch: the minibatch.
        """
        return w_KP.dtype == torch.float32 and self.takes_samples(batch.x_KB, batch.y_KBD)

    def takes_samples(self, x_KB: Tensor, y_KBD: Tensor) -> bool:
        """Return whether inputs and targets are of the kinds that it knows.

        Args:
            x_KB: inputs (K, B, …).
            y_KBD: targets (K, B, …).
        """
        transformer = self.form.transformer
        if transformer is None:
            return x_KB.dtype == y_KBD.dtype == torch.float32 and y_KBD.ndim == 3
        tokens = are_tokens(x_KB) and are_tokens(y_KBD) and x_KB.shape[1:] == y_KBD.shape[1:]
        # PyTorch says which tokens its tables do not have
        return (
            tokens
            and _below(x_KB, self.form.parts[0].outputs)
            and _below(y_KBD[y_KBD != self.ignored], transformer.outputs)
        )

    @property
    def dropped(self) -> list[int]:
        """How many numbers of a sample there are wherever dropout drops, in its order."""
        return [numbers for _, numbers in self.form.dropped]

    def draws(self, batch: Minibatch, ctx: Context) -> list[Tensor]:
        """Return what dropout draws in a forward pass, (K, B, F) wherever it drops.

        Args:
            batch: the minibatch.
            ctx: the rates and the members' streams.
        """
        if ctx.dropout is None:
            return []
        assert ctx.noise is not None, "a training pass that drops needs streams"
        return [ctx.noise.uniform(batch.x_KB.shape[1], numbers) for numbers in self.dropped]

    def gradient(
        self,
        workspace: Workspace,
        batch: Minibatch,
        hyper: Hyperparameters,
        draws: Sequence[Tensor],
    ) -> Tensor:
        """Write the gradients into the workspace, and return the mean losses (K,).

        Args:
            workspace: the weights, and memory for the gradients.
            batch: the minibatch.
            hyper: the members' numbers.
            draws: what dropout drew from U[0, 1), (K, B, …) wherever it drops.
        """
        x_KBI, y_KBD = batch.x_KB.flatten(2), batch.y_KBD
        if x_KBI.stride(2) != 1:
            x_KBI = x_KBI.contiguous()
        members, size = len(workspace.w_KP), x_KBI.shape[1]
        if workspace is not self._workspace:
            self._workspace = workspace
            for place, part in enumerate(self.form.parts):
                self._layers[place] = layer_in(part, workspace.params, workspace.gradients)
        held = [drawn.contiguous() for drawn in draws]
        for (place, _), drawn in zip(self.form.dropped, held, strict=False):  # none, or all
            self._layers[place].draws = drawn.data_ptr()
        loss_K = workspace.w_KP.new_empty(members)
        own = KernelBatch(
            *(members, size, x_KBI.data_ptr(), y_KBD.data_ptr()),
            *(x_KBI.stride(0) if len(x_KBI) == members else 0, x_KBI.stride(1)),
            *y_KBD.stride(),
            rate=_address(hyper.dropout_K),
            smoothing=_address(hyper.smoothing_K),
            ignored=self.ignored,
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
            those of the largest targets, (K,); of tokens over all that count.
        """
        parts = self.form.parts
        layers = (KernelLayer * len(parts))(*(layer_in(part, params, {}) for part in parts))
        loss_K = torch.empty(len(params[parts[0].w]), dtype=torch.float64)
        right_K = torch.empty_like(loss_K, dtype=torch.int64)
        batch = KernelBatch(
            *(len(loss_K), len(x_BI), x_BI.data_ptr(), y_BD.data_ptr()),
            *(0, x_BI.stride(0), 0, *y_BD.stride()),
            ignored=self.ignored,
        )
        at_once = self._scored_at_once()
        scratch = self.scratch(at_once).data_ptr()
        self.compiled.network_score(
            self.over(layers), batch, at_once, loss_K.data_ptr(), right_K.data_ptr(), scratch
        )
        return loss_K, right_K

    def _scored_at_once(self) -> int:
        """Return how many samples are evaluated at once."""
        transformer = self.form.transformer
        if transformer is not None:
            return max(1, TOKENS_SCORED // int(transformer.places))
        # the kernel's vectors are of 16 samples
        return 16 * max(1, SCORED_IN // self._needed(16))

    def scratch(self, size: int) -> Tensor:
        """Return memory for one member's pass over so many samples; the next call uses it again."""
        needed = self._needed(size)
        if len(self._scratch) < needed:
            self._scratch = torch.empty(needed)
        return self._scratch

    def _needed(self, size: int) -> int:
        return int(self.compiled.network_scratch(self._network, size))


def layer_in(part: KernelPart, params: Params, gradients: Params) -> KernelLayer:
    """Return where a layer's parameters and their gradients lie, nothing being dropped.

    Args:
        part: of the network.
        params: weights by name, (K, *shape) each.
        gradients: memory for their gradients, likewise.
    """
    (w, d_w), (b, d_b) = ((params.get(n), gradients.get(n)) for n in (part.w, part.b))
    tensors = (w, b, d_w, d_b)  # without a bias there is neither b nor its gradient
    return KernelLayer(
        *(part.inputs, part.outputs),
        *map(_address, tensors),
        *(0 if tensor is None else tensor.stride(0) for tensor in tensors),
    )


def _address(tensor: Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()


def kernel_for(loss: TrainingLoss) -> NetworkKernel | None:
    """Return the kernel for a training loss; None where it is for others, or is not compiled.

    Args:
        loss: what is differentiated.
    """
    compiled = library()
    own = loss.loss
    if compiled is None or loss.device.type != "cpu":
        return None
    if not isinstance(own, CrossEntropy) or own.weight is not None:
        return None
    form = form_of(loss.network)
    if form is None:
        return None
    return NetworkKernel(compiled, form, own.ignore_index)


def _below(tokens: Tensor, count: int) -> bool:
    """Return whether tokens are from 0 on and below a number; there may be none."""
    return bool(((tokens >= 0) & (tokens < count)).all())
