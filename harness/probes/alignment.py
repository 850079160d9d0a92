"""Whether successive steps point the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from harness.core.lazy import Lazy
from harness.probes.base import Memory, Probe, Scene, Values

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


@final
class Alignment(Probe):
    """cos(a, b) = a·b / ‖a‖‖b‖ of two successive gradients, and of two successive updates.

    ``alignment/gradients``, ``alignment/updates``, from −1 to 1. Small batches give gradients that
    hardly agree, about 0; momentum makes updates of them that do, near 1. A cosine near −1 is a
    bounce between the walls of a valley: the learning rate is at its stability threshold.
    """

    prefix = "alignment"
    span = 2

    def measure(self, scene: Scene, memory: Memory) -> Values:
        """Return the cosines (K,); {} where the update before was not looked at.

        It costs one pass over gradient and update. Both (K, P) are kept in memory, with their step.
        """
        now = {"gradients": scene.g_KP.clone(), "updates": scene.moved_KP - scene.w_KP}
        # memory may hold an older step, since a probe looks at two updates in a row and then pauses
        follows = "step" in memory and bool((memory["step"] == scene.step - 1).all())
        values = {name: cosine(memory[name], row) for name, row in now.items()} if follows else {}
        # one number for each member: memory is kept and dropped member by member
        step_K = scene.lr_K.new_full(scene.lr_K.shape, scene.step, dtype=torch.long)
        memory.update(now, step=step_K)
        return values


def cosine(a_KP: Tensor, b_KP: Tensor) -> Tensor:
    """Return a·b / ‖a‖‖b‖ of each pair of rows.

    Args:
        a_KP: rows.
        b_KP: rows of the same shape.

    Returns:
        (K,) from −1 to 1; NaN where a row is 0.
    """
    cosine_K: Tensor = (a_KP * b_KP).sum(1) / (a_KP.norm(dim=1) * b_KP.norm(dim=1))
    return cosine_K
