"""DeepOBS's noisy quadratic of 100 dimensions (Schneider et al. 2019)."""

from __future__ import annotations

from functools import partial

import numpy as np

import harness as h
from harness.losses.quadratic import quadratic_deep_hessian
from harness.spec.component import Component
from harness.verification.row import Expected, Row, RowGroup, within


def _recipe(optimizer: Component, steps: int | None = None) -> h.Recipe:
    """DeepOBS drops the last partial batch, and gives the batches in the same order every epoch."""
    return h.Recipe(
        data=h.QuadraticDeep(),
        optimizer=optimizer,
        batch_size=128,
        drop_last=True,
        batch_order="sequential",
        epochs=None if steps else 100,
        steps=steps,
    )


def _final(optimizer: Component, steps: int | None = None) -> float:
    """Return the final test loss."""
    return float(h.train(_recipe(optimizer, steps), test=True).runs["test/loss"][0])


def _diverges() -> float:
    return float(h.train(_recipe(h.SGD(lr=0.0398))).runs["status"][0] == "diverged")


FINAL: dict[str, tuple[Component, float]] = {
    "SGD, η = 1e-4": (h.SGD(lr=1e-4), 106.628),
    "SGD, η = 1e-3": (h.SGD(lr=1e-3), 95.853),
    "momentum 0.99, η = 1e-5": (h.SGD(lr=1e-5, momentum=0.99), 96.755),
    "Adam, η = 1e-4": (h.Adam(lr=1e-4), 280.310),
    "Adam, η = 1e-3": (h.Adam(lr=1e-3), 106.699),
    "Adam, η = 1e-2": (h.Adam(lr=1e-2), 88.531),
}
"""Test losses after 100 epochs."""

DEEPOBS = RowGroup(
    "deepobs",
    "DeepOBS's quadratic_deep",
    "Schneider et al. 2019, DeepOBS",
    (
        Row(
            "largest eigenvalue",
            within(53.1290, distance=1e-4),
            lambda: float(np.linalg.eigvalsh(quadratic_deep_hessian())[-1]),
        ),
        Row(
            "test loss at the start",
            within(353.447, distance=2e-3),
            partial(_final, h.SGD(lr=1e-12), steps=1),
        ),
        *(
            Row(f"test loss of {name}", within(loss, share=3e-3), partial(_final, optimizer))
            for name, (optimizer, loss) in FINAL.items()
        ),
        Row(
            "SGD, η = 0.0398 > 2/λmax, diverges within 100 epochs",
            Expected(1, 1, "yes"),
            _diverges,
        ),
    ),
)
