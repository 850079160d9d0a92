"""The gradient noise scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from harness.core.lazy import Lazy
from harness.probes.base import Memory, Probe, Scene, Values

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


class NoiseScale(Probe):
    """B_simple = tr(Σ)/|G|²: the batch size at which noise and signal of the gradient are equal (McCandlish et al. 2018).

    From the squared norms of gradients over a small and a large batch,
    |G|² = (B|G_B|² − b|G_b|²)/(B − b) and tr(Σ) = (|G_b|² − |G_B|²)/(1/b − 1/B); both are averaged over all
    measurements so far (with decay, since a run moves) before their ratio is taken. By default the large batch is the
    update's own, whose gradient is there already, and the small ones its samples one by one, from the same pass with all of
    its noise; for networks that don't tell these it is an eighth of the batch.

    ``noise/scale``, ``noise/signal`` = |G|², ``noise/variance`` = tr(Σ). An update of a single sample gives nothing.
    """

    prefix = "noise"
    small: int | None = Field(default=None, ge=1)
    """Samples b of the small batch."""
    large: int | None = Field(default=None, ge=2)
    """Samples B of a large batch of each member's own, at most the training set; the update's own batch by default."""
    decay: float = Field(default=0.9, ge=0, lt=1)
    """Weight of the past in the running means."""

    def measure(self, scene: Scene, memory: Memory) -> Values:
        if (self.large or scene.x_KB.shape[1]) < 2:
            return {}
        many_K, large, few_K, small = self._norms(scene)
        signal_K = (many_K * large).sub_(few_K, alpha=small).div_(large - small)
        variance_K = (few_K - many_K).div_(1 / small - 1 / large)
        now_K2 = torch.stack([signal_K, variance_K], 1)
        mean_K2 = torch.lerp(now_K2, memory["mean"], self.decay) if "mean" in memory else now_K2
        memory["mean"] = mean_K2
        signal_K, variance_K = mean_K2.unbind(1)
        return {"signal": signal_K, "variance": variance_K, "scale": variance_K / signal_K}

    def _norms(self, scene: Scene) -> tuple[Tensor, int, Tensor, int]:
        """Return the squared norms (K,) of the gradients of a large and of small batches, each with its samples."""
        x_KB, y_KBD = (
            scene.samples(self.large, "noise scale") if self.large else (scene.x_KB, scene.y_KBD)
        )
        large, norms = x_KB.shape[1], scene.gradient_norms
        if self.large:
            norms = scene.norms(scene.gradients(scene.w_KP, x_KB, y_KBD))
        singles_KB = None if self.large or self.small else scene.sample_norms()
        if singles_KB is not None:
            return norms.whole_K.square(), large, singles_KB.mean(1), 1
        small = min(self.small or max(1, large // 8), large // 2)
        few = scene.norms(scene.gradients(scene.w_KP, x_KB[:, :small], y_KBD[:, :small]))
        return norms.whole_K.square(), large, few.whole_K.square(), small
