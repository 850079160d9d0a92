"""Derivatives by networks' own backward passes, without autograd's bookkeeping.

For small layers that bookkeeping takes longer than the arithmetic. Every result here equals that of
:mod:`harness.engine.differentiate.autograd` but for rounding, which tests hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TypeGuard, final

import torch
from torch import Tensor

from harness.core.noise import Noise, RecordedNoise
from harness.engine.differentiate.autograd import Autograd, copied, gradient_product
from harness.engine.differentiate.base import Differentiator, Gradient, TrainingPass
from harness.engine.differentiate.samples import (
    grams_one_by_one,
    sample_norms_one_by_one,
    stands_alone,
)
from harness.engine.hyperparameters import Hyperparameters
from harness.engine.training_loss import Minibatch, TrainingLoss
from harness.engine.workspace import Workspace, workspace_for
from harness.models.base import Backpropagating, Buffers, Context, Network, Product
from harness.models.mlp import MLPNetwork
from harness.models.mlp_hessian import HessianProduct


def has_backward(network: Network) -> TypeGuard[Backpropagating]:
    """Return whether all of a network's parts have a backward pass of their own.

    A type guard, so that a type checker knows of ``forward`` and ``backward`` afterwards; a network
    that says nothing has none.
    """
    return getattr(network, "written_out", False)


@final
class HandWritten(Differentiator):
    """Derivatives by a network's own ``forward`` and ``backward``.

    Hessian products are written out for MLPs and autograd's for others; gradients of single samples
    follow from the layers' products where all layers are dense, and are computed one by one else.

    Args:
        loss: what is differentiated.
        network: its network.
    """

    writes_apart = True

    def __init__(self, loss: TrainingLoss, network: Backpropagating) -> None:
        self.loss, self.network = loss, network

    def mode(self) -> AbstractContextManager[object]:
        # nothing in an update needs autograd, whose version counters and views cost time
        return torch.inference_mode()

    def workspace(self, w_KP: Tensor, columns: Sequence[slice] = ()) -> Workspace:
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
        workspace = (workspace or self.workspace(w_KP)).at(w_KP, self.loss.layout)
        seen = None
        if record is not None:
            record.batch, seen = batch, record.seen
        ctx = Context(training=True, noise=noise, dropout=hyper.dropout_K, seen=seen)
        with _no_grad():
            out_KBD, tape = self.network.forward(workspace.params, batch.x_KB, ctx)
            loss_K, slope_KBD = self.loss.loss.value_and_gradient(
                out_KBD, batch.y_KBD, hyper.loss_fields()
            )
            self.network.backward(workspace.params, tape, slope_KBD, workspace.gradients, seen)
        # only probes read whole rows; optimizers take the gradient block by block
        whole = record is not None and bool(workspace.apart)
        g_KP = workspace.gathered(self.loss.layout) if whole else workspace.g_KP
        return Gradient(loss_K, g_KP, workspace.blocks, buffers)

    def hessian_product(
        self, w_KP: Tensor, buffers: Buffers, batch: Minibatch, hyper: Hyperparameters
    ) -> Callable[[Tensor], Tensor]:
        if not isinstance(self.network, MLPNetwork):
            return Autograd(self.loss).hessian_product(w_KP, buffers, batch, hyper)
        layout = self.loss.layout
        # (K, P) that every product is written into; gaps between parameters stay zero
        params, into_KP = layout.views(w_KP), torch.zeros_like(w_KP)
        into = layout.views(into_KP)
        with torch.no_grad():
            out_KBD, tape = self.network.forward(params, batch.x_KB, Context(training=True))
        slope_KBD, curve = self._loss_derivatives(out_KBD, batch, hyper)
        with torch.no_grad():
            product = HessianProduct(self.network, params, tape, slope_KBD, curve)

        def call(v_KP: Tensor) -> Tensor:
            with torch.no_grad():
                product(layout.views(v_KP), into)
                # a copy: the caller keeps several products (Lanczos) while the memory is used again
                return into_KP.clone()

        return call

    def _loss_derivatives(
        self, out_KBD: Tensor, batch: Minibatch, hyper: Hyperparameters
    ) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """Return the loss's gradient by the outputs, and products with its Hessian by them."""
        with torch.inference_mode(False), torch.enable_grad():
            # copies, since autograd keeps no tensors that were made in inference mode
            # the network's pass is not differentiated here: the outputs are the variable
            leaf_KBD = out_KBD.clone().requires_grad_()
            y_KBD, fields = batch.y_KBD.clone(), copied(hyper.loss)
            loss = self.loss.loss.mean(leaf_KBD, y_KBD, fields).sum()
            curve = gradient_product(loss, leaf_KBD)
            (slope_KBD,) = torch.autograd.grad(loss, leaf_KBD, retain_graph=True)
        return slope_KBD, curve

    def sample_norms(
        self, w_KP: Tensor, buffers: Buffers, record: TrainingPass, hyper: Hyperparameters
    ) -> Tensor | None:
        # the pass has left the layers' inputs and slopes: no further pass is needed
        if record.seen.products:
            return _norms(record.seen.products)
        if not stands_alone(self.loss.network):
            return None
        return sample_norms_one_by_one(self, w_KP, buffers, record, hyper)

    def grams(
        self, w_KP: Tensor, buffers: Buffers, batch: Minibatch, hyper: Hyperparameters
    ) -> Tensor:
        record = TrainingPass()
        self.gradient(w_KP, buffers, batch, hyper.noise_free(), record=record)
        if not record.seen.products:
            return grams_one_by_one(self, w_KP, buffers, batch, hyper)
        # the inner product of two gradients is the sum of those of their layers
        first, *others = record.seen.products
        return sum((_gram(product) for product in others), _gram(first))


def _no_grad() -> AbstractContextManager[object]:
    # in inference mode, as updates are made, nothing needs to be entered: that takes microseconds
    return nullcontext() if torch.is_inference_mode_enabled() else torch.no_grad()


def _norms(products: Sequence[Product]) -> Tensor:
    """Return ‖∇lᵢ‖² (K, B) = Σ_layers ‖hᵢ‖²‖dᵢ‖² of inputs h and slopes d (Goodfellow 2015)."""
    d_LKB = torch.stack([torch.linalg.vector_norm(p.d_KBO, dim=2) for p in products])
    # members may share the first layer's inputs
    h_LKB = torch.stack(
        [torch.linalg.vector_norm(p.h_KBI, dim=2).expand_as(d_LKB[0]) for p in products]
    )
    # a bias is a weight whose input is 1
    norms_KB: Tensor = h_LKB.square_().add_(products[0].bias).mul_(d_LKB.square_()).sum(0)
    # the slopes are those of the mean loss: a B-th of the sample's own
    return norms_KB.mul_(products[0].d_KBO.shape[1] ** 2)


def _gram(product: Product) -> Tensor:
    """Return products (K, B, B) of gradients by a layer's weights: (hᵢ·hⱼ + bias) dᵢ·dⱼ.

    A sample's gradient is dᵢhᵢᵀ, and ⟨dᵢhᵢᵀ, dⱼhⱼᵀ⟩ = (dᵢ·dⱼ)(hᵢ·hⱼ); a bias is a weight with the
    input 1.
    """
    h, d = product.h_KBI, product.d_KBO
    # B²: each slope is that of the mean loss, a B-th of the sample's own
    return (h @ h.mT + product.bias) * (d @ d.mT) * d.shape[1] ** 2
