"""Whether another library's optimizer can train a program, found out by trying."""

from __future__ import annotations

import torch

from harness.core.errors import HarnessError
from harness.core.noise import Noise
from harness.engine.averaging import two_averages
from harness.engine.external.state import external_state
from harness.engine.external.torch_optimizer import make_external_update
from harness.engine.hyperparameters import stack_hyperparameters
from harness.engine.initialize import initial_buffers, initial_weights
from harness.engine.optimizer_checks import check_evaluation_point
from harness.engine.parameter_groups import group_numbers
from harness.engine.program import Program
from harness.engine.training_loss import Minibatch
from harness.optimizers.external import ExternalOptimizer

SAMPLES = 32
"""Samples of the batch that it is tried on."""
TRIED_UPDATES = 2, 16
"""Made in any case, and at most: some optimizers only look at their first gradients."""


def try_optimizer(program: Program) -> None:
    """Make some updates on copies, if the recipe's optimizer is another library's.

    What an optimizer needs (a graph behind the gradient, sparse gradients, matrices alone) is
    nowhere declared; it shows when it is called.

    Args:
        program: what is to be trained; it stays as it is.

    Raises:
        HarnessError: the optimizer can't be made, fails, or moves nothing, or its average can't be
            evaluated with this model and these regularizers.
    """
    recipe, device = program.recipe, program.device
    optimizer = recipe.optimizer
    if not isinstance(optimizer, ExternalOptimizer):
        return
    first_1P, buffers = initial_weights(program, [0]), initial_buffers(program, [0])
    state = external_state(program, optimizer, first_1P)
    if state.averages():
        if recipe.average is not None:
            raise two_averages(recipe.average.name, optimizer.target)
        check_evaluation_point("optimizer", optimizer.target, program.network, program.regularizers)
    batch = Minibatch(program.train.x[:SAMPLES][None], program.train.y[:SAMPLES][None])
    hyper = stack_hyperparameters([recipe], device, program.dtype)._replace(
        groups=group_numbers(program.layout, [recipe], device, program.dtype, {})
    )
    noise, factor_K = Noise([0], 0, device, program.dtype), first_1P.new_ones(1)
    (least, most), w_1P, moved = TRIED_UPDATES, first_1P.clone(), False
    for done in range(most):
        if moved and done >= least:
            return
        try:
            update = make_external_update(
                program, state, w_1P, buffers, [], batch, hyper, factor_K, noise
            )
        # a library's own errors are of any class
        except Exception as error:
            raise HarnessError(
                f"recipe.optimizer: {optimizer.target} can't make an update:"
                f" {type(error).__name__}: {error}; expected one that moves parameters of any shape"
                " by dense gradients without a graph behind them, or asks for more by a closure"
            ) from error
        w_1P = update.w_KP
        moved = moved or not torch.equal(w_1P, first_1P)
    if not moved:
        raise HarnessError(
            f"recipe.optimizer: expected {optimizer.target} to move the weights, but after {most}"
            " updates they are where they began; what does its step need?"
        )
