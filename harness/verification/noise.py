"""The gradient noise scale of a model whose answer is known (McCandlish et al. 2018)."""

from __future__ import annotations

import numpy as np
from torch import Tensor

import harness as h
from harness.core.streams import numpy_stream
from harness.verification.row import Row, RowGroup, within

DIMENSIONS, SIGNAL, SAMPLES = 50, 0.1, 50_000
SIGMA = np.linspace(0.5, 1.5, DIMENSIONS)


def samples() -> tuple[np.ndarray, np.ndarray]:
    """Return inputs that nothing looks at, and samples whose mean and deviations are exact."""
    y = numpy_stream(0, "noise scale").standard_normal((SAMPLES, DIMENSIONS))
    y = (y - y.mean(0)) / y.std(0) * SIGMA + SIGNAL
    return np.zeros((SAMPLES, 1)), y


def linear(out_BD: Tensor, y_BD: Tensor) -> Tensor:
    """Return θ·y, whose gradient by θ is the sample y itself."""
    return (out_BD * y_BD).sum(-1)


def _noise_scale() -> float:
    """Return mean variance over mean signal of 4,000 pairs of batches of 8 and of 128."""
    recipe = h.Recipe(
        data=h.Data.parse({"name": f"{__name__}.samples", "valid_fraction": 0.0}),
        model=h.Parameters(start=(0.0,) * DIMENSIONS),
        loss=h.Loss.parse(f"{__name__}.linear"),
        optimizer=h.SGD(lr=1e-9),
        batch_size=8,
        steps=500,
        eval_every=500,
        dtype="float64",
    )
    probe = h.NoiseScale(small=8, large=128, unit="steps")
    curves = h.train(recipe, seeds=8, probes=[probe]).curves
    return float(curves["noise/variance"].mean() / curves["noise/signal"].mean())


NOISE = RowGroup(
    "noise",
    "Gradient noise scale",
    "McCandlish et al. 2018, An empirical model of large-batch training",
    (
        Row(
            "tr(Σ)/|G|² of 50 dimensions with G = 0.1 and σ from 0.5 to 1.5",
            within(108.673, share=0.02),
            _noise_scale,
            slow=True,
        ),
    ),
)
