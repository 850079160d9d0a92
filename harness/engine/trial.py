"""Whether a program can train and be evaluated, found out by trying.

What a module returns, and which sizes its layers take, is nowhere declared; it shows when it is
called. The trial is made on copies, before anything trains, and says in one sentence what is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor

from harness.core.errors import HarnessError
from harness.core.noise import Noise
from harness.core.time_limit import limited
from harness.data.base import load_data
from harness.engine.hyperparameters import stack_hyperparameters
from harness.engine.initialize import initial_buffers, initial_weights
from harness.engine.program import Program
from harness.engine.stream_batches import read_batch, stop_reading
from harness.engine.timetable import run_lengths
from harness.engine.user_code import entered_layers, in_words
from harness.losses.external import ExternalLoss
from harness.losses.tokens import are_tokens, outputs_for
from harness.models.base import Context
from harness.models.external import ModuleNetwork
from harness.models.norm import BatchNorm
from harness.schedules.base import Schedule
from harness.spec.component import as_a

FEW_SAMPLES = 2
"""Samples of the batch that the network is tried on: the fewest that normalization takes."""
LOSS_SAMPLES = 16
"""Samples that the loss is tried on; it costs next to nothing."""


def try_program(program: Program) -> None:
    """Try the network in training and in evaluation, and the loss, each on a few samples, the
    schedule at the run's ends, and the first batches of data that are read when they are needed.

    Args:
        program: what is to be trained; it stays as it is.

    Raises:
        HarnessError: the network, the loss or the schedule fails, gives other shapes than it must,
            or would be normalised over a single sample. The message has the layer and the fix.
    """
    _try_stream(program)
    _try_loss(program)
    _try_schedule(program)
    first_1P = initial_weights(program, [0])
    with limited(_model(program)):
        for training in (True, False):
            _outputs(program, first_1P, min(FEW_SAMPLES, program.train.size), training)
    if 1 in batch_sizes(program):
        _try_one_sample(program, first_1P)
    if program.recipe.processes > 1:
        _try_processes(program, first_1P)


def _try_stream(program: Program) -> None:
    """Read two batches as the run will, of data that are read when they are trained on."""
    if program.train.stream is None:
        return
    for step in range(min(2, program.times.steps)):
        read_batch(program, program.train.stream, 0, step)
    stop_reading()


def batch_sizes(program: Program) -> set[int]:
    """Return the sizes of the minibatches of a run: the last of an epoch may be smaller."""
    times = program.times
    last = program.train.size % times.batch
    ends_an_epoch = times.steps >= times.per_epoch and not program.recipe.drop_last
    return {times.batch, last} if last and ends_an_epoch else {times.batch}


def _try_loss(program: Program) -> None:
    """Refuse targets that the loss is not for, and a loss that is not one number a sample."""
    loss, data = program.loss, load_data(program.recipe.data)
    for part in (data.train, data.valid, data.test):
        loss.check_targets(part.y)
    y_1BD = program.train.y[:LOSS_SAMPLES][None]
    if program.training_loss.fields is not None:
        return  # what the outputs are is only known of the network: see ``_outputs``
    # away from 0, where roots and absolute values have no slope
    out_1BD = 0.3 + 0.1 * y_1BD.to(program.dtype)
    if data.task == "tokens":
        shape = outputs_for(tuple(y_1BD.shape[2:]), data.outputs)
        out_1BD = out_1BD.new_full((*y_1BD.shape[:2], *shape), 0.3)
    _try_losses(program, out_1BD, y_1BD)


def _try_losses(program: Program, out_1BD: Tensor, y_1BD: Tensor) -> None:
    """Refuse a loss of these outputs and targets that is not one number a sample."""
    loss = program.loss
    hyper = stack_hyperparameters([program.recipe], program.device, program.dtype)
    with torch.enable_grad(), in_words(f"recipe.loss: {loss.name}"):
        out_1BD = _leaves(out_1BD)
        losses_1B = loss.per_sample(out_1BD, program.training_loss.targets(y_1BD), hyper.loss)
    expected = tuple(y_1BD.shape[1:2])
    if (got := tuple(losses_1B.shape[1:])) != expected:
        raise HarnessError(
            f"recipe.loss: expected {loss.name} to return one loss a sample, of shape {expected} "
            f"for {expected[0]} samples, got {got}; take the mean over outputs alone, as by "
            ".mean(-1), or give torch's function reduction='none'"
        )
    if not losses_1B.requires_grad:
        raise HarnessError(
            f"recipe.loss: expected {loss.name} to be computed from the outputs by torch's "
            "operations, got one without a gradient; leave out detach, item and numpy"
        )


def _try_schedule(program: Program) -> None:
    """Refuse a schedule that gives no factor at the first or at the last update."""
    times = program.times
    lengths = run_lengths(program.recipe, times, program.train.size)
    schedule = as_a(Schedule, program.recipe.schedule).fitted(lengths)
    for step in (0, times.steps - 1):
        with in_words(f"recipe.schedule: {schedule.name}"):
            factor = schedule.factor(step, times.steps, times.per_epoch)
        if not 0 <= factor < math.inf:
            raise HarnessError(
                f"recipe.schedule: expected {schedule.name} to give a factor from 0 on, got"
                f" {factor} at step {step} of {times.steps}"
            )


def _outputs(program: Program, w_1P: Tensor, samples: int, training: bool) -> Context:
    """Compute the outputs of a few samples; return the pass's context, with its buffers after.

    Raises:
        HarnessError: the network fails, or its outputs are of another shape than the targets.
    """
    recipe, network = program.recipe, program.network
    x_1B, y_1BD = program.train.x[:samples][None], program.train.y[:samples][None]
    hyper = stack_hyperparameters([recipe], program.device, program.dtype)
    noise = Noise([0], 0, program.device, program.dtype)
    ctx = Context(training, noise, hyper.dropout_K, initial_buffers(program, [0]))
    params = program.layout.views(w_1P)
    with (
        torch.no_grad(),
        entered_layers(network) as layers,
        in_words(_model(program), layers),
    ):
        out_1BD = program.training_loss.outputs(params, x_1B, ctx)
    _check_outputs(program, out_1BD, y_1BD)
    return ctx


def _check_outputs(program: Program, out_1BD: Tensor, y_1BD: Tensor) -> None:
    """Refuse outputs that are not of the shape that the targets need.

    Raises:
        HarnessError: so they are; or several for a loss of one, or without logits for the accuracy.
    """
    several = isinstance(out_1BD, Mapping)
    if several and not isinstance(program.loss, ExternalLoss):
        raise HarnessError(
            f"{_model(program)}: expected its forward to return a tensor (B, D), got dict; return"
            " the outputs alone, or name a loss of your own, which is given all of them"
        )
    if several or program.training_loss.fields is not None:
        if several and program.classify and "logits" not in out_1BD:
            raise HarnessError(
                f"{_model(program)}: expected 'logits' among its outputs, by which the accuracy is"
                f" measured, got {', '.join(out_1BD)}"
            )
        _try_losses(program, out_1BD, y_1BD)
        return
    expected = tuple(y_1BD.shape[1:])
    if are_tokens(y_1BD):
        classes = load_data(program.recipe.data).outputs
        expected = (*expected[:1], *outputs_for(expected[1:], classes))
    if tuple(out_1BD.shape[1:]) != expected:
        raise HarnessError(
            f"{_model(program)}: expected outputs of shape {expected} for {expected[0]} "
            f"samples of the data, got {tuple(out_1BD.shape[1:])}; a module is given "
            "'outputs', the numbers to put out for a sample, if its constructor takes it"
        )


def _leaves(out_1BD: Tensor) -> Tensor:
    """Return outputs as leaves of a graph; of a mapping each of them."""
    if isinstance(out_1BD, Mapping):
        leaves = {name: value.detach().requires_grad_() for name, value in out_1BD.items()}
        return cast("Tensor", leaves)
    return out_1BD.detach().requires_grad_()


def _try_one_sample(program: Program, w_1P: Tensor) -> None:
    """Refuse batches of a single sample where it would be normalised by itself, to nothing.

    Raises:
        HarnessError: torch's batch normalization refuses, or the harness's own finds a variance of
            0 in all features.
    """
    before = initial_buffers(program, [0])
    try:
        after = _outputs(program, w_1P, 1, training=True).buffers
    except HarnessError as error:
        raise HarnessError(f"{error}; {_batches_of_one(program)}") from error
    for name, var in before.items():
        # the variance over one number is 0, which the running one moves towards
        if isinstance(program.network, ModuleNetwork) or not name.endswith(".var"):
            continue
        if torch.equal(after[name], torch.lerp(var, torch.zeros_like(var), BatchNorm.momentum)):
            raise HarnessError(
                f"{_model(program)}: {name.removesuffix('.var')} would normalise over a single "
                f"number; {_batches_of_one(program)}"
            )


def _try_processes(program: Program, w_1P: Tensor) -> None:
    """Refuse what several processes of one run would not do as one does.

    Raises:
        HarnessError: batches can't be shared out evenly, or the network keeps statistics of the
            samples that it has seen, of which each process sees its own.
    """
    count, sizes = program.recipe.processes, sorted(batch_sizes(program))
    if uneven := [size for size in sizes if size % count]:
        raise HarnessError(
            f"recipe.processes: expected batches that {count} processes share evenly, got batches"
            f" of {' and '.join(map(str, uneven))} samples; set drop_last, or another batch_size"
        )
    before = initial_buffers(program, [0])
    after = _outputs(program, w_1P, min(FEW_SAMPLES, program.train.size), training=True).buffers
    moved = [name for name, first in before.items() if not torch.equal(after[name], first)]
    if moved:
        raise HarnessError(
            f"recipe.processes: expected a model without statistics of its batches, such as with"
            f" norm='layer', got {', '.join(moved[:3])}, which each process would gather of its own"
            " samples; leave out processes, or the normalization"
        )


def _batches_of_one(program: Program) -> str:
    """Return where batches of one sample come from, and the fix."""
    batch, size = program.times.batch, program.train.size
    if batch == 1:
        return "batch_size is 1; take a larger one, or a model without batch normalization"
    return (
        f"the last batch of an epoch has 1 sample ({size} training samples in batches of {batch}); "
        "set drop_last: true, or another batch_size"
    )


def _model(program: Program) -> str:
    model = program.recipe.model
    return f"recipe.model: {model.name if model else 'the default of the data'}"
