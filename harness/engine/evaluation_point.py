"""Where members are evaluated: at their weights, or at an average of them.

The average is that of the recipe, or one that the optimizer itself keeps; a recipe has one at most.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from harness.core.parameter_layout import Layout
from harness.engine.external.state import ExternalState
from harness.engine.optimizer_groups import OptimizerGroup, OptimizerStates


@torch.no_grad()
def evaluated_weights(
    w_KP: Tensor,
    groups: Sequence[OptimizerGroup],
    blocks: Sequence[slice],
    states: OptimizerStates,
    external: ExternalState | None,
    layout: Layout,
    average_KP: Tensor | None = None,
) -> Tensor:
    """Return the weights (K, P) that members are evaluated at.

    Args:
        w_KP: the weights that are trained; only read.
        groups: the members of each of the engine's optimizers.
        blocks: the columns of each block.
        states: the optimizers' states by block and group.
        external: another library's optimizer.
        layout: where each parameter lies in a row.
        average_KP: the averages of the recipes, which the next update changes.

    Returns:
        ``w_KP`` or ``average_KP`` itself where no optimizer has another point, else new rows.
    """
    if average_KP is not None:
        return average_KP
    if external is not None:
        return external.evaluated_weights(layout, w_KP)
    rows_KP = w_KP
    for columns, block in zip(blocks, states, strict=True):
        for group, state in zip(groups, block, strict=True):
            point_KC = group.optimizer.evaluation_point(state)
            if point_KC is not None:
                # copied once: the weights' memory is that of the next update
                rows_KP = w_KP.clone() if rows_KP is w_KP else rows_KP
                rows_KP[group.rows, columns] = point_KC
    return rows_KP
