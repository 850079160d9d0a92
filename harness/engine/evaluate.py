"""Loss, accuracy and the recipe's metrics of every member on one part of the data.

Evaluation is without dropout and other noise, and with running statistics where the network has
any. Test data come in only through :class:`harness.engine.test_set.TestSet`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from harness.core.heartbeat import beat
from harness.core.tokens import IGNORED
from harness.engine.differentiate.by_kernel import kernel_of
from harness.engine.differentiate.network_kernel import NetworkKernel
from harness.engine.hyperparameters import Hyperparameters, stack_hyperparameters
from harness.engine.placement import Samples
from harness.engine.program import Program
from harness.engine.splits import Split, splits_of
from harness.engine.tally import Tally
from harness.engine.training_loss import Minibatch, logits_of
from harness.losses.tokens import are_tokens, classes_last
from harness.metrics.base import Metric
from harness.metrics.scored import Scored, score
from harness.models.base import Buffers, Context, Params
from harness.spec.resolved import ResolvedRecipe

CHUNK = 1024
"""Samples evaluated at once, so that activations of large parts of the data fit in memory."""
TOKENS = 4096
"""Tokens or pixels evaluated at once, where samples have several targets."""


@torch.no_grad()
def evaluate(
    program: Program,
    w_KP: Tensor,
    buffers: Buffers,
    hyper: Hyperparameters,
    part: Samples,
    out_KND: Tensor | None = None,
    metrics: Sequence[Metric] = (),
) -> dict[str, Tensor]:
    """Return ``loss`` and, for classes, ``accuracy``, (K,) each in float64, and other metrics.

    loss_k = Σᵢ cᵢ l(f(θ_k, xᵢ), yᵢ) / Σᵢ cᵢ, with weights c of 1 unless the loss weighs samples,
    and the accuracy is the share of samples whose largest output is that of the class. Of tokens
    both are over all that count.

    Args:
        program: what the members share.
        w_KP: weights.
        buffers: running statistics, (K, *shape) each.
        hyper: the members' numbers.
        part: the N samples, at least one.
        out_KND: the network's outputs on these samples, if they are there already.
        metrics: what else is measured.

    Returns:
        The means and metrics by name.
    """
    params = program.layout.views(w_KP)
    kernel = kernel_of(program.differentiator)
    given = out_KND is not None or metrics
    if kernel is not None and not given and _fits(kernel, program, w_KP, part):
        return _score(kernel, program, params, part)
    tally = Tally(metrics)
    # float64: a float32 sum over tens of thousands of samples loses digits that tell arms apart
    loss_K = w_KP.new_zeros(len(w_KP), dtype=torch.float64)
    right_K, weight_K, counted_K = (torch.zeros_like(loss_K) for _ in range(3))
    chunk, training_loss = _chunk(part.y), program.training_loss
    for i, (x, rows) in enumerate(part.pieces(chunk)):
        if out_KND is None:
            out_KBD = training_loss.outputs(params, x[None], Context(buffers=buffers))
        else:
            out_KBD = out_KND[:, i * chunk : (i + 1) * chunk]
        y_KBD = training_loss.targets(rows.expand(len(w_KP), *rows.shape))
        losses_KB = program.loss.per_sample(out_KBD, y_KBD, hyper.loss)
        weights_KB = program.loss.weights(y_KBD, hyper.loss)
        loss_K += losses_KB.sum(1) if weights_KB is None else (losses_KB * weights_KB).sum(1)
        weight_K += len(rows) if weights_KB is None else weights_KB.sum(1)
        if program.classify:
            right, counted = _right_guesses(program, logits_of(out_KBD), y_KBD)
            right_K += right
            counted_K += counted
        if metrics:
            tally.add(scored_by(program, logits_of(out_KBD), rows))
        beat()
    means = {"loss": loss_K / (weight_K + (weight_K == 0))}
    if program.classify:
        means["accuracy"] = right_K / counted_K.clamp(min=1)
    return means | tally.values()


def _fits(kernel: NetworkKernel, program: Program, w_KP: Tensor, part: Samples) -> bool:
    """Return whether compiled code can evaluate members on a part: classes, in float32."""
    # PyTorch says which of a stream's tokens its tables do not have
    unknown = kernel.tokens and part.stream is not None
    classes = program.classify and not unknown
    return classes and kernel.takes(w_KP, Minibatch(part.x[None], part.y[None]))


def _score(
    kernel: NetworkKernel, program: Program, params: Params, part: Samples
) -> dict[str, Tensor]:
    """Return loss and accuracy by compiled code."""
    sums = []
    for x, rows in part.pieces(_chunk(part.y)):
        sums.append(kernel.score(params, x.flatten(1), rows))
        beat()
    loss_K, right_K = (torch.stack(each).sum(0) for each in zip(*sums, strict=True))
    counted = max(1, int(program.loss.counted(part.y).sum())) if kernel.tokens else part.size
    return {"loss": loss_K / counted, "accuracy": right_K.double() / counted}


def _chunk(y: Tensor) -> int:
    """Return the samples that are evaluated at once, by their targets (N, …)."""
    tokens = y[0].numel() if are_tokens(y) or y.ndim > 2 else 1
    return CHUNK if tokens == 1 else max(1, TOKENS // tokens)


def _right_guesses(program: Program, out_KBD: Tensor, y_KBD: Tensor) -> tuple[Tensor, Tensor | int]:
    """Return how many classes are guessed rightly, (K,), and of how many."""
    if not are_tokens(y_KBD):  # one-hot
        return (out_KBD.argmax(-1) == y_KBD.argmax(-1)).sum(1), y_KBD.shape[1]
    counted = program.loss.counted(y_KBD)
    right = (classes_last(out_KBD, y_KBD).argmax(-1) == y_KBD) & counted
    return right.flatten(1).sum(1), counted.flatten(1).sum(1)


def scored_by(program: Program, out_KBD: Tensor, y: Tensor) -> Scored:
    """Return outputs beside targets, as metrics take them; tokens that count nowhere are left out.

    Args:
        program: says what the targets are, and which tokens count.
        out_KBD: outputs, as the network gives them.
        y: targets (B, …), which all members share.
    """
    if not are_tokens(y):
        return score(out_KBD, y, numbers=not program.classify)
    kept = y.masked_fill(~program.loss.counted(y), IGNORED)
    return score(classes_last(out_KBD, y[None]), kept, ignored=IGNORED)


def evaluate_members(
    program: Program, w_KP: Tensor, buffers: Buffers, recipes: Sequence[ResolvedRecipe]
) -> dict[str, list[float]]:
    """Return the metrics on the training and validation samples of each member's split.

    Args:
        program: what the members share.
        w_KP: weights.
        buffers: running statistics, (K, *shape) each.
        recipes: the members', in the order of the rows.

    Returns:
        One value a member by name, such as ``valid/loss``; nothing for a part without samples.
    """
    hyper = stack_hyperparameters(recipes, program.device, program.dtype)
    splits = splits_of(program, recipes)
    measured = splits.measure(w_KP, buffers, hyper, _train_and_valid)
    return {name: value_K.tolist() for name, value_K in measured.items()}


def _train_and_valid(
    split: Split, w_KP: Tensor, buffers: Buffers, hyper: Hyperparameters
) -> dict[str, Tensor]:
    """Return the metrics on both parts of a split by name, such as ``valid/loss``."""
    parts = {"train": split.train_sample, "valid": split.program.valid}
    return {
        f"{name}/{metric}": value_K
        for name, part in parts.items()
        if part.size
        for metric, value_K in evaluate(
            split.program, w_KP, buffers, hyper, part, metrics=split.program.metrics
        ).items()
    }
