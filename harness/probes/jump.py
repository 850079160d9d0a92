"""How far the whole loss jumps from one batch to another, at equal weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pydantic import Field

from harness.core.lazy import Lazy
from harness.probes.base import Memory, Probe, Scene, Values

if TYPE_CHECKING:
    import torch
else:
    torch = Lazy("torch")


@final
class LossJump(Probe):
    """σ(L(θ − ηg_b)) over batches b drawn at the same θ: how much one update's outcome is chance.

    L is the loss of all training data and g_b the gradient of a fresh batch of the run's batch
    size; η is this probe's own and not the run's, so that runs with other batch sizes or rates are
    compared at equal steps, and before the first update at equal weights too. ``jump/loss``, in the
    units of the loss, falls about as 1/√B (Robbins & Monro 1951; Bottou et al. 2018, 4.2) and is 0
    for the whole data set. ``jump/mean`` is the mean change of the loss by such an update.
    """

    prefix = "jump"
    lr: float = Field(default=0.1, gt=0)
    """Learning rate η of the plain steps down the gradient that are tried."""
    draws: int = Field(default=32, ge=2)
    """Batches that are drawn."""

    def measure(self, scene: Scene, memory: Memory) -> Values:
        """Return deviation and mean (K,) of the changes of the loss.

        It costs a gradient of a batch and a loss of all training data for each draw. Nothing is
        kept in memory.
        """
        everything = scene.samples(_EVERY, "jump")
        size, before_K = scene.x_KB.shape[1], scene.losses(scene.w_KP, *everything)
        changes = []
        for draw in range(self.draws):
            g_KP = scene.gradients(scene.w_KP, *scene.samples(size, f"jump {draw}"))
            # θ − ηg is tried beside the run's own weights, which stay where they are
            changes.append(scene.losses(scene.w_KP - self.lr * g_KP, *everything) - before_K)
        changes_DK = torch.stack(changes)
        return {"loss": changes_DK.std(0), "mean": changes_DK.mean(0)}


_EVERY = 2**62
"""More samples than any training set has: all are taken."""
