"""What a trainer yields: plain values that know nothing of MLflow, Optuna or processes.

The engine makes them, workers send them to the driver by pickle, the tracking room writes them and
the search reads the objective from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    import numpy as np

Array = list["float | Array"]
"""Nested lists of numbers."""
Keep = Literal["best", "last"] | None
"""The weights that a run keeps when it ends: of its best or its last evaluation, or none."""
Status = Literal["finished", "diverged", "pruned", "stopped", "failed"]
"""How a run ended: with its full length, with a loss that is not finite, given up by the search, by
early stopping, or with an error.

All but ``failed`` are results; a failed run is trained again when the study is run again.
"""


class Point(NamedTuple):
    """The metrics of one run at one evaluation."""

    step: int
    """Updates made so far."""
    epoch: float
    """Passes over the training set made so far; NaN where that is not known."""
    samples: float
    """Training samples used so far; NaN where that is not known."""
    metrics: dict[str, float]
    """Values by name, such as ``valid/loss``."""


NOT_TRIED = "not tried"
"""How the detail of a run begins that failed without a try, after equal failures of its arm."""


class Outcome(NamedTuple):
    """One finished run: its curve, its closing numbers and how it ended."""

    status: Status
    points: tuple[Point, ...]
    """Its evaluations, in order."""
    summary: dict[str, float]
    """Closing values: ``valid/loss``, ``test/loss``, ``best/step``, ``cost/seconds``, …"""
    detail: str = ""
    """Why a run failed or diverged, in words."""
    arrays: Mapping[str, Array] = {}
    """The last of each array that probes measured, by name."""
    weights: Mapping[str, np.ndarray] = {}
    """What the run keeps of its weights, by the network's own names."""
    kept: Keep = None
    """Which weights they are."""
    started: float = 0.0
    """When it began, in seconds since 1970; 0 where that is not known."""
    times: Mapping[int, float] = {}
    """When the point of each step was computed, in seconds since 1970; empty where that is not
    known."""

    def series(self, metric: str) -> list[float]:
        """Return the values of ``metric`` in the order of evaluation.

        Points that lack it are left out, so that the list may be shorter than ``points``; it is
        empty for a metric that was not recorded.
        """
        return [p.metrics[metric] for p in self.points if metric in p.metrics]
