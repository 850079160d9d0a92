"""How far an update moves the weights."""

from __future__ import annotations

from typing import final

from harness.probes.base import Memory, Probe, Scene, Values


@final
class UpdateRatio(Probe):
    """‖ΔW‖/‖W‖ of every layer's weights, and the norms of all weights and of the whole update.

    ``update/<layer>``: about 1e-3 is usual; far more is unstable, far less slow. ``update/norm``
    and ``update/weights``, in units of the weights: weights whose norm keeps growing lack decay.
    """

    prefix = "update"

    def measure(self, scene: Scene, memory: Memory) -> Values:
        """Return the ratio of each layer, and the norms of update and weights, (K,) each.

        It costs one pass over the weights, which other probes share. Nothing is kept in memory.
        """
        weights, steps = scene.update_norms
        return {**steps.layers(over=weights), "norm": steps.whole_K, "weights": weights.whole_K}
