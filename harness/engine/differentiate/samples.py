"""Gradients of single samples, one call a sample: slow, and right for every network."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from harness.core.noise import RecordedNoise
from harness.engine.differentiate.base import Differentiator, TrainingPass
from harness.engine.hyperparameters import Hyperparameters
from harness.engine.training_loss import Minibatch
from harness.models.base import Buffers, Network
from harness.models.external import ModuleNetwork


def stands_alone(network: Network) -> bool:
    """Return whether a sample's loss depends neither on its batch nor on the network's own draws.

    A network with running statistics normalises by its batch. Dropout of the harness's own layers
    does not count: its draws are recorded and can be repeated.
    """
    if isinstance(network, ModuleNetwork):
        return not (network.buffers().keys() - network.frozen or network.draws)
    return not network.buffers()


def takes_single_samples(network: Network) -> bool:
    """Return whether a batch of one can be trained on; torch's batch normalization raises."""
    return not (isinstance(network, ModuleNetwork) and network.refuses_single_samples)


def sample_norms_one_by_one(
    differentiator: Differentiator,
    w_KP: Tensor,
    buffers: Buffers,
    record: TrainingPass,
    hyper: Hyperparameters,
) -> Tensor:
    """Return ‖∂l_ki/∂θ_k‖² (K, B) of a recorded pass.

    Args:
        differentiator: computes the gradients.
        w_KP: the weights of the pass.
        buffers: the running statistics before it.
        record: its minibatch, and what dropout drew in it.
        hyper: the members' numbers.
    """
    assert record.batch is not None
    draws = record.seen.draws
    gradients = _gradients(differentiator, w_KP, buffers, record.batch, hyper, draws)
    return torch.stack([g_KP.square().sum(1) for g_KP in gradients], 1)


def grams_one_by_one(
    differentiator: Differentiator,
    w_KP: Tensor,
    buffers: Buffers,
    batch: Minibatch,
    hyper: Hyperparameters,
) -> Tensor:
    """Return the inner products (K, B, B) of the samples' gradients, without noise.

    All B gradients are kept at once: the memory is B times that of the weights.

    Args:
        differentiator: computes the gradients.
        w_KP: weights.
        buffers: running statistics, (K, *shape) each.
        batch: inputs and targets.
        hyper: the members' numbers.
    """
    gradients = _gradients(differentiator, w_KP, buffers, batch, hyper.noise_free(), [])
    # copies, since the next sample's gradient is written into the same memory
    g_KBP = torch.stack([g_KP.clone() for g_KP in gradients], 1)
    return g_KBP @ g_KBP.mT


def _gradients(
    differentiator: Differentiator,
    w_KP: Tensor,
    buffers: Buffers,
    batch: Minibatch,
    hyper: Hyperparameters,
    draws: list[Tensor],
) -> Iterator[Tensor]:
    """Yield the gradient (K, P) of each sample's loss; each is written over by the next.

    Where the loss weighs samples, it is that of the sample's part in the mean, times B, so that the
    mean over samples is the gradient of the batch.
    """
    workspace = differentiator.workspace(w_KP)
    shares_KB = _shares(differentiator, batch, hyper)
    for i in range(batch.x_KB.shape[1]):
        one = Minibatch(batch.x_KB[:, i : i + 1], batch.y_KBD[:, i : i + 1])
        noise = RecordedNoise([drawn[:, i : i + 1] for drawn in draws])
        g_KP = differentiator.gradient(w_KP, buffers, one, hyper, noise, workspace).g_KP
        yield g_KP if shares_KB is None else g_KP * shares_KB[:, i, None]


def _shares(
    differentiator: Differentiator, batch: Minibatch, hyper: Hyperparameters
) -> Tensor | None:
    """Return B c_b / Σ_b c_b, (K, B), of samples that count c_b; None where all count alike."""
    loss = differentiator.loss
    weights_KB = loss.loss.weights(loss.targets(batch.y_KBD), hyper.loss)
    if weights_KB is None:
        return None
    total_K1 = weights_KB.sum(1, keepdim=True)
    return weights_KB * weights_KB.shape[1] / (total_K1 + (total_K1 == 0))
