"""Derivatives of members' losses: one interface, by autograd, hand-written passes or compiled code.

``autograd`` works for every network and is the reference that tests hold the others to:
``handwritten`` is faster for networks with a backward pass of their own, and ``by_kernel`` where
this machine has code for the gradient of a network. A program chooses when it is built; nothing
else in the engine asks which it is.
"""

from __future__ import annotations

from harness.engine.differentiate.accumulated import in_micro_batches
from harness.engine.differentiate.autograd import Autograd
from harness.engine.differentiate.base import Differentiator, Gradient, TrainingPass
from harness.engine.differentiate.by_kernel import ByKernel, kernel_of
from harness.engine.differentiate.compiled import Compiled, CompiledPass, compiled_pass
from harness.engine.differentiate.distributed import Distributed, by_several_processes
from harness.engine.differentiate.handwritten import HandWritten, has_backward
from harness.engine.differentiate.network_kernel import kernel_for
from harness.engine.training_loss import TrainingLoss

__all__ = [
    "Autograd",
    "ByKernel",
    "Compiled",
    "CompiledPass",
    "Differentiator",
    "Distributed",
    "Gradient",
    "HandWritten",
    "TrainingPass",
    "by_several_processes",
    "compiled_pass",
    "differentiator_of",
    "in_micro_batches",
    "kernel_of",
]


def differentiator_of(loss: TrainingLoss, compiled: CompiledPass | None = None) -> Differentiator:
    """Return what differentiates a loss: a kernel, its network's own backward pass, or autograd.

    Args:
        loss: the training loss, whose network says whether it has such a pass.
        compiled: the compiled pass, where the recipe asks for one.

    Mixed precision is autograd's: the others compute in the weights' own precision.
    """
    if compiled is not None:
        return Compiled(Autograd(loss), compiled)
    if loss.amp:
        return Autograd(loss)
    network, kernel = loss.network, kernel_for(loss)
    inner = HandWritten(loss, network) if has_backward(network) else Autograd(loss)
    return inner if kernel is None else ByKernel(inner, kernel)
