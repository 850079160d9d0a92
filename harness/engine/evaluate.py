"""Loss, accuracy and the recipe's metrics of every member on one part of the data.

Evaluation is without dropout and other noise, and with running statistics where the network has
any. Test data come in only through :class:`harness.engine.test_set.TestSet`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from harness.engine.hyperparameters import Hyperparameters, stack_hyperparameters
from harness.engine.placement import Samples
from harness.engine.program import Program
from harness.engine.splits import Split, splits_of
from harness.engine.tally import Tally
from harness.metrics.base import Metric
from harness.metrics.scored import score
from harness.models.base import Buffers, Context
from harness.spec.resolved import ResolvedRecipe

CHUNK = 1024
"""Samples evaluated at once, so that activations of large parts of the data fit in memory."""


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

    loss_k = 1/N Σᵢ l(f(θ_k, xᵢ), yᵢ), and the accuracy is the share of samples whose largest output
    is that of the class.

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
    tally = Tally(metrics)
    params = program.layout.views(w_KP)
    # float64: a float32 sum over tens of thousands of samples loses digits that tell arms apart
    loss_K = w_KP.new_zeros(len(w_KP), dtype=torch.float64)
    right_K = torch.zeros_like(loss_K)
    for i, (x, y) in enumerate(zip(part.x.split(CHUNK), part.y.split(CHUNK), strict=True)):
        if out_KND is None:
            with program.training_loss.precision():
                out_KBD = program.network(params, x[None], Context(buffers=buffers)).to(y.dtype)
        else:
            out_KBD = out_KND[:, i * CHUNK : (i + 1) * CHUNK]
        loss_K += program.loss.per_sample(out_KBD, y.expand_as(out_KBD), hyper.loss).sum(1)
        # targets of classes are one-hot
        right_K += (out_KBD.argmax(-1) == y.argmax(-1)).sum(1)
        if metrics:
            tally.add(score(out_KBD, y, numbers=not program.classify))
    means = {"loss": loss_K / part.size}
    return means | ({"accuracy": right_K / part.size} if program.classify else {}) | tally.values()


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
