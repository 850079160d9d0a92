"""What went wrong in a run, with the evidence.

The labels are hints for people, by rules of thumb; no ranking and no verdict looks at them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from harness.analysis.results import Results

FALLING = 0.05
"""Share of its training loss that a run still loses over its last tenth when it was stopped too
early."""
OVERFITTED = 0.1
"""Rise of the validation loss above its lowest value, as a share of it."""
DEAD = 0.5
"""Share of hidden units that give the same number for every sample."""
VANISHED = 1e-3
"""Gradient norm of the first layer as a share of the last layer's."""
UNDERFITTED = 0.9
"""Training loss that is left at the end, as a share of that at the start."""


class Label(NamedTuple):
    """A failure of one run."""

    name: str
    """The failure, such as "overfitted"; the same for all runs that have it."""
    evidence: str
    """The numbers it is read from, in words."""


def label_failures(status: str, detail: str, curve: pd.DataFrame) -> tuple[Label, ...]:
    """Return the failures of a run.

    Args:
        status: how it ended.
        detail: why, in words.
        curve: its evaluations, with the columns that were recorded; a test whose metric is missing
            finds nothing.

    Returns:
        All that apply; of a run that diverged or failed that alone, since its curve says no more.
    """
    if status == "diverged":
        return (Label("diverged", detail),)
    if status == "failed":
        return (Label("failed", detail),)
    by_step = curve.sort_values("step")
    tests = (_falling, _dead, _vanishing, _overfitted, _underfitted)
    labels = (test(by_step) for test in tests)
    return tuple(label for label in labels if label is not None)


def find_failures(results: Results) -> dict[str, tuple[Label, ...]]:
    """Return the failures of each run of the confirm stage.

    Args:
        results: the study's tables.

    Returns:
        Labels by the run's MLflow id; runs without any are left out.
    """
    curves: dict[object, pd.DataFrame] = dict(iter(results.confirmed_curves.groupby("run_id")))
    nothing_measured = results.confirmed_curves[:0]
    runs = results.confirmed[["run_id", "status", "detail"]].astype(str).to_numpy()
    failed = {}
    for run_id, status, detail in runs:
        labels = label_failures(status, detail, curves.get(run_id, nothing_measured))
        if labels:
            failed[run_id] = labels
    return failed


def _series(curve: pd.DataFrame, name: str) -> np.ndarray:
    """Return the values of a metric in the order of steps; none where it was not recorded."""
    return curve[name].dropna().to_numpy(dtype=float) if name in curve else np.empty(0)


def _falling(curve: pd.DataFrame) -> Label | None:
    """Compare the mean validation loss of the last tenth of training with that of the tenth
    before."""
    loss = _series(curve, "valid/loss")
    if len(loss) < 10:
        return None
    tail = max(2, len(loss) // 10)  # one evaluation would be too noisy
    before, now = loss[-2 * tail : -tail].mean(), loss[-tail:].mean()
    past_its_lowest = loss[-1] > loss.min() * 1.001  # a rise of a thousandth is noise
    if past_its_lowest or now <= 0 or (before - now) / before < FALLING:
        return None
    share = (before - now) / before
    text = f"validation loss still falls by {share:.0%} over the last tenth of training"
    return Label("too low a learning rate, or too short", text)


def _dead(curve: pd.DataFrame) -> Label | None:
    """Look at the share of dead units at the end."""
    dead = _series(curve, "activation/dead")
    if not len(dead) or dead[-1] < DEAD:
        return None
    return Label(
        "dead units", f"{dead[-1]:.0%} of hidden units give the same number for every sample"
    )


def _vanishing(curve: pd.DataFrame) -> Label | None:
    """Look at the first layer's gradient norm over the last's, median over training."""
    ratio = _series(curve, "gradient/ratio")
    if not len(ratio) or np.median(ratio) > VANISHED:
        return None
    return Label(
        "vanishing gradient",
        f"the first layer's gradient norm is {np.median(ratio):.1e} of the last layer's",
    )


def _overfitted(curve: pd.DataFrame) -> Label | None:
    """Look for a validation loss that rises while the training loss goes on falling.

    Both are compared between the evaluation of the lowest validation loss and the last one. A rise
    is a share of the lowest loss, which must be positive.
    """
    valid, train = _series(curve, "valid/loss"), _series(curve, "train/loss")
    # of different lengths, one was not recorded throughout and the two can't be paired
    if len(valid) < 3 or len(train) != len(valid):
        return None
    lowest = int(valid.argmin())
    rise = valid[-1] / valid[lowest] - 1 if valid[lowest] > 0 else 0.0
    if rise < OVERFITTED or train[-1] >= train[lowest]:
        return None
    epoch = curve.dropna(subset=["valid/loss"])["epoch"].iloc[lowest]
    return Label(
        "overfitted", f"validation loss is {rise:.0%} above its lowest value, at epoch {epoch:g}"
    )


def _underfitted(curve: pd.DataFrame) -> Label | None:
    """Look at how much of the training loss is left at the end."""
    train = _series(curve, "train/loss")
    if len(train) < 2 or train[0] <= 0 or train[-1] / train[0] < UNDERFITTED:
        return None
    return Label(
        "underfitted", f"training loss ends at {train[-1] / train[0]:.0%} of where it started"
    )
