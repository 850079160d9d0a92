"""Derivatives by autograd, for any network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import final

import torch
from torch import Tensor

from harness.core.noise import Noise, RecordedNoise
from harness.engine.differentiate.base import Differentiator, Gradient, TrainingPass
from harness.engine.differentiate.samples import (
    grams_one_by_one,
    sample_norms_one_by_one,
    stands_alone,
    takes_single_samples,
)
from harness.engine.hyperparameters import Hyperparameters
from harness.engine.training_loss import Minibatch, TrainingLoss
from harness.engine.workspace import ParameterBlock
from harness.models.base import Buffers


@final
class Autograd(Differentiator):
    """Derivatives by PyTorch's autograd.

    Args:
        loss: what is differentiated.
    """

    writes_apart = False

    def __init__(self, loss: TrainingLoss) -> None:
        self.loss = loss

    def mode(self) -> nullcontext[None]:
        # ``gradient`` must be able to record; optimizers move tensors that do not require gradients
        return nullcontext()

    def workspace(self, w_KP: Tensor, columns: Sequence[slice] = ()) -> None:
        # autograd makes the gradient's memory itself
        return None

    def gradient(
        self,
        w_KP: Tensor,
        buffers: Buffers,
        batch: Minibatch,
        hyper: Hyperparameters,
        noise: Noise | RecordedNoise | None = None,
        workspace: object = None,
        record: TrainingPass | None = None,
    ) -> Gradient:
        if record is not None:
            record.batch = batch
        # the leaf shares the weights' memory: they are not moved before the pass is over
        leaf_KP = w_KP.detach().requires_grad_()
        params = self.loss.layout.views(leaf_KP)
        seen = None if record is None else record.seen
        loss_K, after = self.loss(params, buffers, batch, hyper, noise, seen)
        return gradient_by(loss_K, leaf_KP, w_KP, hyper, after)

    def hessian_product(
        self, w_KP: Tensor, buffers: Buffers, batch: Minibatch, hyper: Hyperparameters
    ) -> Callable[[Tensor], Tensor]:
        with torch.inference_mode(False), torch.enable_grad():
            # copies, since autograd keeps no tensors that were made in inference mode
            leaf_KP = w_KP.clone().requires_grad_()
            loss_K, _ = self.loss(
                self.loss.layout.views(leaf_KP),
                copied(buffers),
                Minibatch(*(part.clone() for part in batch)),
                hyper.noise_free()._replace(loss=copied(hyper.loss)),
            )
            return gradient_product(loss_K.sum(), leaf_KP)

    def sample_norms(
        self, w_KP: Tensor, buffers: Buffers, record: TrainingPass, hyper: Hyperparameters
    ) -> Tensor | None:
        if not stands_alone(self.loss.network):
            return None
        return sample_norms_one_by_one(self, w_KP, buffers, record, hyper)

    def grams(
        self, w_KP: Tensor, buffers: Buffers, batch: Minibatch, hyper: Hyperparameters
    ) -> Tensor | None:
        if not takes_single_samples(self.loss.network):
            return None
        return grams_one_by_one(self, w_KP, buffers, batch, hyper)


def gradient_by(
    loss_K: Tensor, leaf_KP: Tensor, w_KP: Tensor, hyper: Hyperparameters, after: Buffers
) -> Gradient:
    """Return the gradient of losses by the leaf that they were computed from.

    Args:
        loss_K: the members' losses, with their graph.
        leaf_KP: the weights as a leaf.
        w_KP: the weights themselves, which are moved.
        hyper: the members' numbers, with the scales of losses in float16.
        after: the new running statistics.
    """
    # ∂ΣL_k/∂θ_k = ∂L_k/∂θ_k, since a member's loss depends on its own weights alone: one backward
    # pass gives the gradients of all members
    if hyper.scaling is None:
        (g_KP,) = torch.autograd.grad(loss_K.sum(), leaf_KP)
    else:
        scale_K = hyper.scaling.scale_K
        (g_KP,) = torch.autograd.grad((scale_K * loss_K).sum(), leaf_KP)
        g_KP /= scale_K[:, None]
    block = ParameterBlock(slice(0, w_KP.shape[1]), w_KP, g_KP)
    return Gradient(loss_K.detach(), g_KP, (block,), after)


def gradient_product(loss: Tensor, leaf: Tensor) -> Callable[[Tensor], Tensor]:
    """Return v ↦ ∂(∂loss/∂leaf · v)/∂leaf = Hv, of a scalar loss (Pearlmutter 1994).

    Args:
        loss: computed from ``leaf``; its graph is kept as long as the function returned.
        leaf: what the Hessian is taken by; for the sum of members' losses the Hessian is one block
            a member, and Hv each member's own product.

    Returns:
        A function from tensors of the leaf's shape to such tensors.
    """
    with torch.inference_mode(False), torch.enable_grad():
        (slope,) = torch.autograd.grad(loss, leaf, create_graph=True)

    def product(v: Tensor) -> Tensor:
        with torch.inference_mode(False):
            # a copy of v, which may have been made in inference mode; the graph is kept for the
            # next product
            return torch.autograd.grad(slope, leaf, v.clone(), retain_graph=True)[0]

    return product


def copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return copies by name, which autograd may use although the tensors are of inference mode."""
    return {name: tensor.clone() for name, tensor in tensors.items()}
