"""The gradient noise scale."""

from __future__ import annotations

from pydantic import Field

from harness.probes.base import Measure, Memory, Scene, Values


class NoiseScale(Measure):
    """B_simple = tr(Σ)/|G|²: the batch size at which noise and signal of the gradient are equal (McCandlish et al. 2018).

    From the squared norms of gradients over a small and a large batch,
    |G|² = (B|G_B|² − b|G_b|²)/(B − b) and tr(Σ) = (|G_b|² − |G_B|²)/(1/b − 1/B); both are averaged over all
    measurements so far (with decay, since a run moves) before their ratio is taken. By default the large batch is the
    update's own, whose gradient is there already, and the small one an eighth of it.

    ``noise/scale``, ``noise/signal`` = |G|², ``noise/variance`` = tr(Σ). An update of a single sample gives nothing.
    """

    prefix = "noise"
    small: int | None = Field(default=None, ge=1)
    """Samples b of the small batch; an eighth of the large one by default."""
    large: int | None = Field(default=None, ge=2)
    """Samples B of a large batch of each member's own, at most the training set; the update's own batch by default."""
    decay: float = Field(default=0.9, ge=0, lt=1)
    """Weight of the past in the running means."""

    def measure(self, scene: Scene, memory: Memory) -> Values:
        x_KB, y_KBD = scene.samples(self.large, "noise scale") if self.large else (scene.x_KB, scene.y_KBD)
        large = x_KB.shape[1]
        if large < 2:
            return {}
        small = min(self.small or max(1, large // 8), large // 2)
        many_KP = scene.gradients(scene.w_KP, x_KB, y_KBD) if self.large else scene.g_KP
        many_K = many_KP.square().sum(1)
        few_K = scene.gradients(scene.w_KP, x_KB[:, :small], y_KBD[:, :small]).square().sum(1)
        now = {
            "signal": (large * many_K - small * few_K) / (large - small),
            "variance": (few_K - many_K) / (1 / small - 1 / large),
        }
        for name, value_K in now.items():
            memory[name] = value_K if name not in memory else self.decay * memory[name] + (1 - self.decay) * value_K
        return {**{name: memory[name].clone() for name in now}, "scale": memory["variance"] / memory["signal"]}
