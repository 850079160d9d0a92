"""How far the loss of a batch jumps from one batch to the next while the weights stay (F7)."""

from __future__ import annotations

import math
from functools import partial
from itertools import pairwise

import pandas as pd

import harness as h
from harness.verification.row import Row, RowGroup, within

SAMPLES, BATCH = 1150, 512
"""Training samples of digits, and the largest batch that F7 compares."""


def _jumps(size: int, epochs: int, seeds: int) -> pd.Series:
    """Return √(½ mean (l_{t+1} − l_t)²) of each epoch, by seed; no weight moves.

    Args:
        size: samples of a batch.
        epochs: length.
        seeds: runs, each with first weights of its own.
    """
    recipe = h.Recipe(
        data=h.Digits(),
        model=h.MLP(widths=(64,)),
        epochs=epochs,
        eval_every=1,
        batch_size=size,
        optimizer=h.SGD(lr=1e-12),  # float32 can't add so little to a weight
    )
    curves = h.train(recipe, seeds=seeds).curves
    return curves.dropna(subset=["batch/noise"]).set_index("seed")["batch/noise"]


def _mean_jump(size: int) -> float:
    """Return what ``mean/batch/noise`` is over 25 epochs, the mean over three seeds."""
    return float(_jumps(size, epochs=25, seeds=3).mean())


def _fall() -> float:
    """Return the root mean square jump of batches of 512 in that of single samples."""
    large, single = _jumps(BATCH, epochs=100, seeds=10), _jumps(1, epochs=4, seeds=10)
    return math.sqrt((large**2).mean() / (single**2).mean())


def exact_fall() -> float:
    """Return the same for samples that are drawn without replacement, epoch by epoch.

    With S² the variance of single losses, batches of a and b of one epoch differ by S²(1/a + 1/b),
    and the last of an epoch from the next one's first, which is drawn anew, by 2S²/N less
    (Cochran 1977, 2.5 and 2.9).
    """
    rest = SAMPLES % BATCH
    batches = [BATCH] * (SAMPLES // BATCH) + [rest, BATCH]
    squares = [1 / a + 1 / b for a, b in pairwise(batches)]
    return math.sqrt((sum(squares) - 2 / SAMPLES) / (2 * len(squares)))


BATCH_JUMPS = RowGroup(
    "jumps",
    "Jumps of the batch loss at equal weights: an MLP(64) on digits before any update (F7)",
    "von Neumann 1941, Cochran 1977; the first two are an earlier measurement with three seeds",
    (
        Row("batches of 1", within(0.155, distance=5e-4), partial(_mean_jump, 1), slow=True),
        Row("batches of 512", within(0.0091, distance=5e-5), partial(_mean_jump, BATCH)),
        Row("batches of 512 in those of 1", within(exact_fall(), share=0.03), _fall, slow=True),
    ),
)
