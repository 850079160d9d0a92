"""The gradient noise scale."""

from __future__ import annotations

from pydantic import Field

from harness.probes.base import Measure, Memory, Scene, Values


class NoiseScale(Measure):
    """B_simple = tr(Σ)/|G|²: the batch size at which noise and signal of the gradient are equal (McCandlish et al. 2018).

    From the squared norms of gradients over a small and a large batch of each member's own,
    |G|² = (B|G_B|² − b|G_b|²)/(B − b) and tr(Σ) = (|G_b|² − |G_B|²)/(1/b − 1/B); both are averaged over all
    measurements so far (of a moving run: with decay) before their ratio is taken.

    ``noise/scale``, ``noise/signal`` = |G|², ``noise/variance`` = tr(Σ).
    """

    prefix = "noise"
    small: int = Field(default=8, ge=1)
    """Samples b of the small batch."""
    large: int = Field(default=256, ge=2)
    """Samples B of the large batch, at most the training set."""
    decay: float = Field(default=0.9, ge=0, lt=1)
    """Weight of the past in the running means."""

    def measure(self, scene: Scene, memory: Memory) -> Values:
        x_KB, y_KBD = scene.samples(self.large, "noise scale")
        large, small = x_KB.shape[1], min(self.small, x_KB.shape[1] // 2)
        few_K, many_K = (scene.gradients(scene.w_KP, x_KB[:, :n], y_KBD[:, :n]).square().sum(1) for n in (small, large))
        now = {
            "signal": (large * many_K - small * few_K) / (large - small),
            "variance": (few_K - many_K) / (1 / small - 1 / large),
        }
        for name, value_K in now.items():
            memory[name] = value_K if name not in memory else self.decay * memory[name] + (1 - self.decay) * value_K
        return {**{name: memory[name].clone() for name in now}, "scale": memory["variance"] / memory["signal"]}
