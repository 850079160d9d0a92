"""Derivatives of members' losses: one interface, by autograd or hand-written passes.

``autograd`` works for every network and is the reference that tests hold ``handwritten`` to, which
is faster for networks with a backward pass of their own. A program chooses one when it is built;
nothing else in the engine asks which it is.
"""

from __future__ import annotations

from harness.engine.differentiate.accumulated import in_micro_batches
from harness.engine.differentiate.autograd import Autograd
from harness.engine.differentiate.base import Differentiator, Gradient, TrainingPass
from harness.engine.differentiate.compiled import Compiled, CompiledPass, compiled_pass
from harness.engine.differentiate.distributed import Distributed, by_several_processes
from harness.engine.differentiate.handwritten import HandWritten, has_backward
from harness.engine.training_loss import TrainingLoss

__all__ = [
    "Autograd",
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
]


def differentiator_of(loss: TrainingLoss, compiled: CompiledPass | None = None) -> Differentiator:
    """Return what differentiates a loss: its network's own backward pass, or autograd.

    Args:
        loss: the training loss, whose network says whether it has such a pass.
        compiled: the compiled pass, where the recipe asks for one.

    Mixed precision is autograd's: hand-written passes compute in the weights' own precision.
    """
    if compiled is not None:
        return Compiled(Autograd(loss), compiled)
    network = loss.network
    if has_backward(network) and not loss.amp:
        return HandWritten(loss, network)
    return Autograd(loss)
