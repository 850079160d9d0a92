"""The weights that a run keeps for others: those of its last evaluation or of its best one.

They are the weights that were evaluated, with the running statistics that belong to them: an
average, where the optimizer or the recipe is evaluated at one. With early stopping they are those
that the run's result is of, whichever was asked for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from torch import Tensor

from harness.engine.cohort import Cohort, evaluated_buffers, evaluated_of
from harness.engine.program import Program

LOSS = "valid/loss"
"""What the best evaluation has least of, as the run's ``best/step`` says."""


def keep_best(cohort: Cohort, row: int, values: Mapping[str, float], w_KP: Tensor) -> None:
    """Copy a member's weights if this evaluation is its best so far; of equal ones the first.

    Args:
        cohort: the members; it is changed.
        row: of the member.
        values: its metrics.
        w_KP: the weights that were evaluated.
    """
    value, member = values.get(LOSS, math.nan), cohort.members[row]
    if cohort.kept_KP is None or not value < member.kept_loss:
        return
    member.kept_loss = value
    cohort.kept_KP[row] = w_KP[row]
    for name, buffer in evaluated_buffers(cohort).items():
        cohort.kept_buffers[name][row] = buffer[row]


def kept_weights(program: Program, cohort: Cohort, row: int) -> dict[str, np.ndarray]:
    """Return what a member keeps, by the network's own names; nothing where none is asked for.

    Args:
        program: what the members share.
        cohort: at an evaluation.
        row: of the member.

    Returns:
        Parameters and running statistics, without the dimension of members.
    """
    if cohort.keep is None:
        return {}
    if cohort.best_KP is not None:
        w_KP, buffers = cohort.best_KP, cohort.best_buffers
    # without validation data no evaluation is the best
    elif cohort.kept_KP is not None and cohort.members[row].kept_loss < math.inf:
        w_KP, buffers = cohort.kept_KP, cohort.kept_buffers
    else:
        w_KP, buffers = evaluated_of(program, cohort), evaluated_buffers(cohort)
    named = {**program.layout.views(w_KP[row : row + 1]), **_rows(buffers, row)}
    return {name: tensor[0].detach().cpu().numpy().copy() for name, tensor in named.items()}


def _rows(buffers: Mapping[str, Tensor], row: int) -> dict[str, Tensor]:
    return {name: buffer[row : row + 1] for name, buffer in buffers.items()}
