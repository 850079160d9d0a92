"""One run by another library's optimizer: regularizers and records are the engine's."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import torch
from torch import Tensor

from harness.core.noise import Noise
from harness.core.parameter_layout import Layout
from harness.engine.differentiate import Gradient, TrainingPass
from harness.engine.external.state import ExternalState
from harness.engine.hyperparameters import Hyperparameters
from harness.engine.optimizer_groups import OptimizerStates
from harness.engine.program import Program
from harness.engine.regularize import (
    activate,
    constrain_weights,
    decay_weights,
    regularize_batch,
    regularize_gradient,
)
from harness.engine.training_loss import Minibatch
from harness.engine.update import Update
from harness.models.base import Buffers


class Closure:
    """What an optimizer calls for the loss and the gradients at its parameters' present values.

    Most ask once, before they move anything: that gradient is at hand, and is not computed twice.

    Args:
        state: the optimizer and its parameters, whose gradients are set.
        layout: where each parameter lies in a row.
        differentiate: weights (1, P) ↦ the gradient, and what regularizers make of it (1, P).
    """

    def __init__(
        self,
        state: ExternalState,
        layout: Layout,
        differentiate: Callable[[Tensor, bool], tuple[Gradient, Tensor]],
    ) -> None:
        self.state, self.layout, self.differentiate = state, layout, differentiate
        self.gradients: list[Gradient] = []
        """Those computed so far, the first of them for the record."""
        self.at_hand_1P: Tensor | None = None
        """The weights whose gradient is in the parameters, until it has been asked for."""

    def take(self, w_1P: Tensor) -> None:
        """Put the gradient at the given weights into the parameters."""
        gradient, regularized_1P = self.differentiate(w_1P, not self.gradients)
        self.gradients.append(gradient)
        self.state.set_gradients(self.layout, regularized_1P)

    def __call__(self) -> Tensor:
        """Return the loss, with the parameters' gradients set."""
        like_1P = self.gradients[0].g_KP
        now_1P, at_hand_1P = self.state.weights(self.layout, like_1P), self.at_hand_1P
        self.at_hand_1P = None
        emptied = any(parameter.grad is None for parameter in self.state.parameters)
        if emptied or at_hand_1P is None or not torch.equal(now_1P, at_hand_1P):
            self.take(now_1P)
        return self.gradients[-1].loss_K[0]


def make_external_update(
    program: Program,
    state: ExternalState,
    w_1P: Tensor,
    buffers: Buffers,
    states: OptimizerStates,
    batch: Minibatch,
    hyper: Hyperparameters,
    factor_K: Tensor,
    noise: Noise,
    record: TrainingPass | None = None,
) -> Update:
    """Make one update of one run, as :func:`harness.engine.update.make_update` does of many.

    The first gradient is taken before the weights decay, and is in the parameters when the
    optimizer is called. One that asks for more, by the closure, gets them at the parameters' values
    at that time. ``states`` is handed through: the optimizer keeps its own.

    Args:
        program: what the run trains.
        state: the optimizer and its parameters; both are changed.
        w_1P: weights; regularizers may decay them in place.
        buffers: running statistics, (1, *shape) each.
        states: of the engine's optimizers: empty.
        batch: inputs and targets.
        hyper: the run's numbers.
        factor_K: the schedule's factor (1,).
        noise: the run's streams; every evaluation of the gradient draws further.
        record: where the first pass leaves what probes look at, if any do.

    Returns:
        The update, with the loss, the gradient and the running statistics of the first gradient,
        and with how many were computed.
    """
    layout = program.layout
    # decay is in proportion to the learning rate without the factors of the recipe's groups, which
    # regularizers have apart
    active = activate(program.regularizers, layout, hyper, factor_K * state.rate, noise)

    def differentiate(now_1P: Tensor, first: bool) -> tuple[Gradient, Tensor]:
        mixed, seen = regularize_batch(active, batch), record if first else None
        gradient = program.differentiator.gradient(
            now_1P, buffers, mixed, hyper, noise, record=seen
        )
        return gradient, regularize_gradient(active, gradient.g_KP, now_1P)

    closure = Closure(state, layout, differentiate)
    closure.take(w_1P)
    # a copy: the weights may be changed in place
    closure.at_hand_1P = decay_weights(active, w_1P).clone()
    state.set_weights(layout, closure.at_hand_1P)
    # in torch's optimizers the learning rate of each step is read from the group
    for group, rate in zip(state.optimizer.param_groups, state.rates, strict=True):
        group["lr"] = rate * float(factor_K[0])
    asks = bool(inspect.signature(state.optimizer.step).parameters)
    state.optimizer.step(*((closure,) if asks else ()))
    moved_1P = constrain_weights(active, state.weights(layout, w_1P))
    state.set_weights(layout, moved_1P)
    first, count = closure.gradients[0], len(closure.gradients)
    return Update(moved_1P, first.buffers, states, first.loss_K, first.g_KP, count)
