"""MNIST-1D: its arrays, and the accuracies of its authors' networks (Greydanus 2020)."""

from __future__ import annotations

from functools import partial

import harness as h
from harness.data.mnist1d import CHECKSUM, checksum
from harness.spec.component import Component
from harness.verification.row import Expected, Row, RowGroup, between, within

_SEEDS = 3


def _accuracy(model: Component, channels: bool = False, permuted: bool = False) -> float:
    """Return the mean test accuracy: Adam, batches of 100 in the order of the data, 6,000 steps."""
    recipe = h.Recipe(
        data=h.MNIST1D(valid_fraction=0.0, channels=channels, shuffle_pixels=permuted),
        model=model,
        optimizer=h.Adam(lr=1e-2),
        batch_size=100,
        steps=6000,
        batch_order="sequential",
        eval_every=6000,
    )
    return float(h.train(recipe, seeds=_SEEDS, test=True).runs["test/accuracy"].mean())


def _shape() -> float:
    raw = h.MNIST1D().raw()
    known = raw.test is not None and raw.test[0].shape == (1000, 40)
    return float(known and raw.x.shape == (4000, 40) and raw.y[:5].tolist() == [2, 6, 4, 5, 6])


def _checksum() -> float:
    return float(checksum(h.MNIST1D().raw().x) == CHECKSUM == "d53506bddd12d3b7")


YES = Expected(1, 1, "yes")
CNN = h.CNN1D(channels=25)
MNIST_1D = RowGroup(
    "mnist1d",
    "MNIST-1D",
    "Greydanus 2020, Scaling down deep learning",
    (
        Row("4,000 and 1,000 signals of 40 points, the first classes 2 6 4 5 6", YES, _shape),
        Row("SHA-256 of the inputs begins with d53506bddd12d3b7", YES, _checksum),
        Row(
            "first number of the inputs",
            within(-0.332006, distance=1e-6),
            lambda: float(h.MNIST1D().raw().x[0, 0]),
        ),
        Row(
            "accuracy of a linear model",
            between(0.305, 0.33),
            partial(_accuracy, h.Linear()),
            slow=True,
        ),
        Row(
            "accuracy of a residual MLP of width 100",
            between(0.62, 0.69),
            partial(_accuracy, h.MLP(widths=(100, 100), residual=True)),
            slow=True,
        ),
        Row(
            "accuracy of a CNN of 25 channels",
            between(0.91, 0.95),
            partial(_accuracy, CNN, channels=True),
            slow=True,
        ),
        Row(
            "accuracy of the CNN with permuted pixels",
            between(0.53, 0.61),
            partial(_accuracy, CNN, channels=True, permuted=True),
            slow=True,
        ),
    ),
)
