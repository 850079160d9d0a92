"""What a user should know of arrays that can be trained on, but may be meant otherwise."""

from __future__ import annotations

import numpy as np

from harness.data.dataset import Raw, Task

COLORS = (1, 3, 4)
"""Channels of pictures: grey, RGB, RGB and opacity."""


def notes_of_inputs(source: str, raw: Raw) -> list[str]:
    """Return notes on pictures with their channels last, and on a test part that is split off.

    Args:
        source: name of the data.
        raw: its arrays.
    """
    notes = []
    x = raw.x
    if x.ndim == 4 and x.shape[3] in COLORS and x.shape[1] not in COLORS:
        scaled = " / 255" if x.dtype == np.uint8 else ""
        notes.append(
            f"data {source}: inputs {x.shape[1:]} look like pictures (H, W, C), whose channels are "
            f"last; models take them as (C, H, W): give x.transpose(0, 3, 1, 2){scaled}"
        )
    if raw.valid is not None and raw.test is None:
        notes.append(
            f"data {source}: a validation part of its own is given and no test part; a fifth of the"
            " other samples is tested on"
        )
    return notes


def notes_of_targets(source: str, y: np.ndarray, task: Task) -> list[str]:
    """Return a note on targets of several columns that are numbers here and may be meant as
    classes.

    Args:
        source: name of the data.
        y: targets (N, D).
        task: what is learnt from them.
    """
    if task != "regression" or y.ndim != 2 or y.shape[1] < 2:
        return []
    binary = bool(np.isin(y, (0, 1)).all())
    if not binary and y.dtype.kind not in "iu":
        return []
    said = f"data {source}: y of shape {y.shape} is {y.shape[1]} numbers to be predicted"
    if not binary:
        return [f"{said}, each a column of whole numbers"]
    ones = y.sum(1)
    none, several = (ones == 0).sum(), (ones > 1).sum()
    return [
        f"{said}, and not {y.shape[1]} classes, since not every row has a single 1 (none: {none} "
        f"rows, several: {several}); loss: BCE takes each column for a yes or no of its own"
    ]
