"""Products with the Hessians of the members' losses."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from harness.engine.program import Program, written_out
from harness.engine.step import Batch, Hyper, scoped, training_loss
from harness.models.base import Buffers, Context
from harness.models.mlp import MLPNetwork
from harness.models.mlp_hessian import HessianProduct


def hessian_products(
    program: Program, w_KP: Tensor, buffers: Buffers, batch: Batch, hyper: Hyper
) -> Callable[[Tensor], Tensor]:
    """Return v ↦ Hv, row by row (K, P), of the mean losses of a batch without noise; the weights must stay as they are."""
    if written_out(program) and isinstance(program.network, MLPNetwork):
        return _by_hand(program, program.network, w_KP, batch, hyper)
    with torch.inference_mode(False), torch.enable_grad():
        # copies, since autograd keeps no tensors made in inference mode
        leaf_KP, batch = w_KP.clone().requires_grad_(), Batch(*(part.clone() for part in batch))
        views = program.layout.views(leaf_KP)
        loss_K, _ = training_loss(program, views, _copied(buffers), batch, _copied(hyper), None)
        return _derivative(loss_K.sum(), leaf_KP)


def _by_hand(
    program: Program, network: MLPNetwork, w_KP: Tensor, batch: Batch, hyper: Hyper
) -> Callable[[Tensor], Tensor]:
    params, into_KP = program.layout.views(w_KP), torch.zeros_like(w_KP)
    into = program.layout.views(into_KP)
    with torch.no_grad():
        out_KBD, tape = network.forward(params, batch.x_KB, Context(training=True))
    with torch.inference_mode(False), torch.enable_grad():
        leaf_KBD = out_KBD.clone().requires_grad_()
        loss_K = program.loss.per_sample(
            leaf_KBD, batch.y_KBD.clone(), _copied(scoped(hyper, "loss"))
        ).mean(1)
        curve = _derivative(loss_K.sum(), leaf_KBD)
        (slope_KBD,) = torch.autograd.grad(loss_K.sum(), leaf_KBD, retain_graph=True)
    with torch.no_grad():
        product = HessianProduct(network, params, tape, slope_KBD, curve)

    def call(v_KP: Tensor) -> Tensor:
        with torch.no_grad():
            product(program.layout.views(v_KP), into)
            return into_KP.clone()

    return call


def _derivative(loss: Tensor, leaf: Tensor) -> Callable[[Tensor], Tensor]:
    """Return v ↦ ∂(∂loss/∂leaf · v)/∂leaf."""
    with torch.inference_mode(False), torch.enable_grad():
        (slope,) = torch.autograd.grad(loss, leaf, create_graph=True)

    def product(v: Tensor) -> Tensor:
        with torch.inference_mode(False):
            return torch.autograd.grad(slope, leaf, v.clone(), retain_graph=True)[0]

    return product


def _copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in tensors.items()}
