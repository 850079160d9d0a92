"""Loss and accuracy of every member on one part of the data."""

from __future__ import annotations

import torch
from torch import Tensor

from harness.engine.program import Program
from harness.engine.samples import Samples
from harness.engine.step import Hyper, precision, scoped
from harness.models.base import Buffers, Context

CHUNK = 1024
"""Samples evaluated at once."""


@torch.no_grad()
def evaluate(
    program: Program,
    w_KP: Tensor,
    buffers: Buffers,
    hyper: Hyper,
    part: Samples,
    out_KND: Tensor | None = None,
) -> dict[str, Tensor]:
    """Return ``loss`` and, for classes, ``accuracy``, (K,) each in float64; no noise, running statistics used.

    Outputs (K, N, D) that are there already are not computed again.
    """
    params, criterion = program.layout.views(w_KP), scoped(hyper, "loss")
    loss_K = w_KP.new_zeros(len(w_KP), dtype=torch.float64)
    right_K = torch.zeros_like(loss_K)
    for i, (x, y) in enumerate(zip(part.x.split(CHUNK), part.y.split(CHUNK), strict=True)):
        if out_KND is None:
            with precision(program):
                out_KBD = program.network(params, x[None], Context(buffers=buffers)).to(y.dtype)
        else:
            out_KBD = out_KND[:, i * CHUNK : (i + 1) * CHUNK]
        loss_K += program.loss.per_sample(out_KBD, y.expand_as(out_KBD), criterion).sum(1)
        right_K += (out_KBD.argmax(-1) == y.argmax(-1)).sum(1)
    found = {"loss": loss_K / part.size}
    return found | ({"accuracy": right_K / part.size} if program.classify else {})


def train_sample(program: Program) -> Samples:
    """Return the evenly spaced training samples that training metrics are measured on: as many as for validation."""
    count = min(program.train.size, program.valid.size or 1000)
    picked = torch.linspace(0, program.train.size - 1, count, device=program.device).round().long()
    return Samples(program.train.x[picked], program.train.y[picked])
