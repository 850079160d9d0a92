"""Whether successive steps point the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.lazy import Lazy
from harness.probes.base import Memory, Probe, Scene, Values

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


class Alignment(Probe):
    """cos(a, b) = a·b / ‖a‖‖b‖ of two successive gradients, and of two successive updates.

    ``alignment/gradients``, ``alignment/updates``: momentum turns gradients that hardly agree into updates that do; a cosine
    near −1 is a bounce between the walls of a valley.
    """

    prefix = "alignment"
    span = 2

    def measure(self, scene: Scene, memory: Memory) -> Values:
        now = {"gradients": scene.g_KP.clone(), "updates": scene.moved_KP - scene.w_KP}
        follows = "step" in memory and bool((memory["step"] == scene.step - 1).all())
        found = {name: cosine(memory[name], row) for name, row in now.items()} if follows else {}
        memory.update(now, step=scene.lr_K.new_full(scene.lr_K.shape, scene.step, dtype=torch.long))
        return found


def cosine(a_KP: Tensor, b_KP: Tensor) -> Tensor:
    """Return the cosines (K,) of the angles between rows."""
    found: Tensor = (a_KP * b_KP).sum(1) / (a_KP.norm(dim=1) * b_KP.norm(dim=1))
    return found
