"""One run by another library's optimizer: regularizers and records are the engine's."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol, cast

import torch
from torch import Tensor

from harness.core.noise import Noise
from harness.core.parameter_layout import Layout
from harness.engine.differentiate import Gradient, TrainingPass
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
from harness.optimizers.external import ExternalOptimizer


class TorchOptimizer(Protocol):
    """What is used of ``torch.optim.Optimizer``, which other optimizers are or look like."""

    param_groups: list[dict[str, float]]
    """Each group's settings, of which the engine sets ``lr``."""

    def step(self, closure: Callable[[], Tensor]) -> object:
        """Move the parameters; ``closure`` computes their gradients, as often as it is called."""


class ExternalState(NamedTuple):
    """The optimizer, the parameters it moves, and the learning rates it was made with."""

    parameters: list[torch.nn.Parameter]
    """Copies of the run's parameters, in the layout's order: the optimizer moves these, and the
    engine's row follows."""
    optimizer: TorchOptimizer
    rates: list[float]
    """The learning rate of each of its groups before the schedule."""

    @torch.no_grad()
    def weights(self, layout: Layout, like_1P: Tensor) -> Tensor:
        """Return the parameters as a new row (1, P).

        Args:
            layout: where each parameter lies in a row.
            like_1P: a row of the wanted type and device; it is not read.
        """
        named = zip(layout.slots, self.parameters, strict=True)
        return layout.pack({name: p.detach()[None] for name, p in named}, like_1P)

    @torch.no_grad()
    def set_weights(self, layout: Layout, w_1P: Tensor) -> None:
        """Copy a row into the parameters, whose memory the optimizer knows.

        Args:
            layout: where each parameter lies in a row.
            w_1P: the weights.
        """
        for parameter, view in zip(self.parameters, layout.views(w_1P).values(), strict=True):
            parameter.copy_(view[0])


def external_state(program: Program, optimizer: ExternalOptimizer, w_1P: Tensor) -> ExternalState:
    """Make the optimizer over copies of the one member's parameters.

    Args:
        program: what the run trains.
        optimizer: the class and its arguments.
        w_1P: the first weights; only read.

    Raises:
        TypeError: the class's constructor does not take the recipe's arguments.
    """
    views = program.layout.views(w_1P).values()
    parameters = [torch.nn.Parameter(view[0].clone()) for view in views]
    # torch types closures as returning floats, though its own documentation returns the loss's
    # tensor
    made = cast("TorchOptimizer", optimizer.instance(parameters))
    return ExternalState(parameters, made, [group["lr"] for group in made.param_groups])


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

    The optimizer itself asks for gradients, as often as it likes, after the weights have decayed:
    so the first one too is taken at the decayed weights, unlike in the engine's own updates.
    ``states`` is handed through: the optimizer keeps its own.

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
        The update, with the loss, the gradient and the running statistics of the first gradient
        that the optimizer asked for, and with how many it asked for.

    Raises:
        IndexError: the optimizer never called the closure.
    """
    layout = program.layout
    # decay is in proportion to one learning rate: that of the first of the optimizer's groups
    active = activate(program.regularizers, layout, hyper, factor_K * state.rates[0], noise)
    gradients: list[Gradient] = []

    def closure() -> Tensor:
        """Put the gradient at the parameters' present values into them; return the loss."""
        now_1P = state.weights(layout, w_1P)
        first = not gradients
        gradient = program.differentiator.gradient(
            now_1P,
            buffers,
            regularize_batch(active, batch),
            hyper,
            noise,
            record=record if first else None,
        )
        gradients.append(gradient)
        g_1P = regularize_gradient(active, gradient.g_KP, now_1P)
        for parameter, g in zip(state.parameters, layout.views(g_1P).values(), strict=True):
            # a copy: the optimizer may keep it, and the row's memory is lent
            parameter.grad = g[0].clone()
        return gradient.loss_K[0]

    state.set_weights(layout, decay_weights(active, w_1P))
    # in torch's optimizers the learning rate of each step is read from the group
    for group, rate in zip(state.optimizer.param_groups, state.rates, strict=True):
        group["lr"] = rate * float(factor_K[0])
    state.optimizer.step(closure)
    moved_1P = constrain_weights(active, state.weights(layout, w_1P))
    state.set_weights(layout, moved_1P)
    first = gradients[0]
    return Update(moved_1P, first.buffers, states, first.loss_K, first.g_KP, len(gradients))
