"""Derivatives of members' losses: one interface, by autograd or hand-written passes."""

from __future__ import annotations

from harness.engine.differentiate.autograd import Autograd
from harness.engine.differentiate.base import Differentiator, Gradient, TrainingPass
from harness.engine.differentiate.handwritten import HandWritten, has_backward
from harness.engine.training_loss import TrainingLoss

__all__ = [
    "Autograd",
    "Differentiator",
    "Gradient",
    "HandWritten",
    "TrainingPass",
    "differentiator_of",
]


def differentiator_of(loss: TrainingLoss) -> Differentiator:
    """Return what differentiates a loss: its network's own backward pass, or autograd.

    Mixed precision is autograd's: hand-written passes compute in the weights' own precision.
    """
    network = loss.network
    if has_backward(network) and not loss.amp:
        return HandWritten(loss, network)
    return Autograd(loss)
