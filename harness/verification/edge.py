"""The edge of stability (Cohen et al. 2021)."""

from __future__ import annotations

from functools import cache, partial

import numpy as np

import harness as h
from harness.data.dataset import Raw
from harness.verification.row import Row, RowGroup, at_least, at_most, within


class First500(h.Data):
    """The first 500 of scikit-learn's digits, /16, mean-centred."""

    valid_fraction: float = 0.0

    def raw(self) -> Raw:
        from sklearn.datasets import load_digits

        x, y = load_digits(return_X_y=True)
        x = x[:500] / 16
        return Raw(x - x.mean(0), y[:500], (x[:10], y[:10]))


@cache
def _sharpness(lr: float, momentum: float, steps: int) -> np.ndarray:
    """Return the largest eigenvalue over the stability threshold, 2(1 + β)/η, over training."""
    recipe = h.Recipe(
        data=First500(),
        model=h.MLP(widths=(32, 32), activation="tanh"),
        loss=h.MSE(form="half_sum"),
        batch_size="full",
        steps=steps,
        eval_every=steps,
        optimizer=h.SGD(lr=lr, momentum=momentum),
        dtype="float64",
    )
    probe = h.Curvature(
        every=steps // 60, unit="steps", iterations=12, tolerance=0.002, samples=500
    )
    curve = h.train(recipe, probes=[probe]).curves["curvature/sharpness"]
    return curve.dropna().to_numpy()


def _highest(lr: float, momentum: float, steps: int) -> float:
    return float(_sharpness(lr, momentum, steps).max())


def _settled(lr: float, momentum: float, steps: int) -> float:
    """Return the median over the last third of training."""
    curve = _sharpness(lr, momentum, steps)
    return float(np.median(curve[-len(curve) // 3 :]))


DESCENT, HEAVY_BALL, SMALL = (0.3, 0.0, 4000), (0.5, 0.9, 3000), (0.01, 0.0, 1000)
EDGE_OF_STABILITY = RowGroup(
    "edge",
    "Edge of stability: sharpness over its threshold",
    "Cohen et al. 2021, Gradient descent typically occurs at the edge of stability",
    (
        Row("gradient descent crosses it", at_least(1.0), partial(_highest, *DESCENT), slow=True),
        Row(
            "gradient descent settles at 2/η",
            within(1.0, share=0.03),
            partial(_settled, *DESCENT),
            slow=True,
        ),
        Row("heavy ball crosses it", at_least(1.0), partial(_highest, *HEAVY_BALL), slow=True),
        Row(
            "heavy ball settles at 2(1 + β)/η",
            within(1.0, share=0.03),
            partial(_settled, *HEAVY_BALL),
            slow=True,
        ),
        Row("a small rate never reaches it", at_most(0.999), partial(_highest, *SMALL), slow=True),
    ),
)
