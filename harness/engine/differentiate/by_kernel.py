"""Gradients by compiled code, where this machine has it; what else is asked for by another form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor

from harness.core.noise import Noise, RecordedNoise
from harness.engine.differentiate.around import Around
from harness.engine.differentiate.base import Differentiator, Gradient, TrainingPass
from harness.engine.differentiate.network_kernel import NetworkKernel
from harness.engine.differentiate.samples import sample_norms_one_by_one
from harness.engine.hyperparameters import Hyperparameters
from harness.engine.training_loss import Minibatch
from harness.engine.workspace import Workspace, workspace_for
from harness.models.base import Buffers, Context


@final
class ByKernel(Around):
    """Gradients by a kernel; Hessian products, and what probes ask of a pass, by PyTorch.

    Args:
        inner: differentiates what the kernel does not.
        kernel: of the same loss.
    """

    def __init__(self, inner: Differentiator, kernel: NetworkKernel) -> None:
        super().__init__(inner)
        self.kernel = kernel

    def workspace(self, w_KP: Tensor, columns: Sequence[slice] = ()) -> Workspace | None:
        if w_KP.dtype != torch.float32:  # which is no kernel's
            return self.inner.workspace(w_KP, columns)
        return workspace_for(self.loss.layout, w_KP, columns or (slice(0, w_KP.shape[1]),))

    def gradient(
        self,
        w_KP: Tensor,
        buffers: Buffers,
        batch: Minibatch,
        hyper: Hyperparameters,
        noise: Noise | RecordedNoise | None = None,
        workspace: Workspace | None = None,
        record: TrainingPass | None = None,
    ) -> Gradient:
        if not self.kernel.takes(w_KP, batch):
            return self.inner.gradient(w_KP, buffers, batch, hyper, noise, workspace, record)
        if record is None:
            ctx = Context(training=True, noise=noise, dropout=hyper.dropout_K)
            draws = self.kernel.draws(batch, ctx)
        else:
            # only probes need what PyTorch's pass leaves: the gradient is the kernel's, whether
            # they look or not
            self.inner.gradient(w_KP, buffers, batch, hyper, noise, workspace, record)
            draws = record.seen.draws
        if workspace is None:
            workspace = workspace_for(self.loss.layout, w_KP, (slice(0, w_KP.shape[1]),))
        workspace = workspace.at(w_KP, self.loss.layout)
        loss_K = self.kernel.gradient(workspace, batch, hyper, draws)
        # only probes read whole rows; optimizers take the gradient block by block
        whole = record is not None and bool(workspace.apart)
        g_KP = workspace.gathered(self.loss.layout) if whole else workspace.g_KP
        return Gradient(loss_K, g_KP, workspace.blocks, buffers)

    def sample_norms(
        self, w_KP: Tensor, buffers: Buffers, record: TrainingPass, hyper: Hyperparameters
    ) -> Tensor | None:
        if record.seen.products:
            return self.inner.sample_norms(w_KP, buffers, record, hyper)
        # the kernel's networks normalize by no batch
        return sample_norms_one_by_one(self, w_KP, buffers, record, hyper)


def kernel_of(differentiator: Differentiator) -> NetworkKernel | None:
    """Return the compiled code of a program's network; None where it has none.

    Args:
        differentiator: the program's.
    """
    return differentiator.kernel if isinstance(differentiator, ByKernel) else None
