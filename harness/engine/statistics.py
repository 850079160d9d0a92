"""Running statistics of batch normalization at weights that were never trained: averages.

The statistics that training gathers are those of the trained weights. At an average they are
gathered anew, over the training part (Izmailov et al. 2018, as ``torch.optim.swa_utils.update_bn``
does it).
"""

from __future__ import annotations

import torch
from torch import Tensor

from harness.engine.hyperparameters import Hyperparameters
from harness.engine.splits import Split, Splits
from harness.models.base import Buffers, Context
from harness.models.running_statistics import statistics_of


def buffers_at(splits: Splits, w_KP: Tensor, buffers: Buffers, hyper: Hyperparameters) -> Buffers:
    """Return the running statistics that belong to some weights.

    Args:
        splits: the members' training samples.
        w_KP: weights that were not trained themselves, such as an average.
        buffers: the running statistics of training; only read.
        hyper: the members' numbers.

    Returns:
        Others by the same names; ``buffers`` themselves where the network has no such statistics.
    """
    if not statistics_of(splits.each[0].program.network):
        return buffers
    return buffers | splits.measure(w_KP, buffers, hyper, _gather)


@torch.no_grad()
def _gather(
    split: Split, w_KP: Tensor, buffers: Buffers, hyper: Hyperparameters
) -> dict[str, Tensor]:
    """Return the mean over the batches of a training part of their statistics.

    Every batch counts the same, and the variances are unbiased, as in torch. Nothing is dropped and
    no regularizer changes the samples: what is evaluated is normalised.
    """
    program, means = split.program, dict[str, Tensor]()
    params, names = program.layout.views(w_KP), statistics_of(program.network)
    size = -(-program.times.batch // program.recipe.accumulate)
    least = size if program.recipe.drop_last else min(2, size)
    pieces = (x for x, _ in program.train.pieces(size) if len(x) >= least)
    for count, x in enumerate(pieces, 1):
        ctx = Context(training=True, buffers=dict(buffers), momentum=1.0)
        program.training_loss.outputs(params, x[None], ctx)
        for name in names:
            now = ctx.buffers[name]
            means[name] = now.clone() if count == 1 else means[name].lerp_(now, 1 / count)
    return means
