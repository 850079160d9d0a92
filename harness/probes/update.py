"""How far an update moves the weights."""

from __future__ import annotations

from harness.probes.base import Measure, Memory, Scene, Values


class UpdateRatio(Measure):
    """‖ΔW‖/‖W‖ of every layer's weights, and the norms of all weights and of the whole update.

    ``update/<layer>``, ``update/norm``, ``update/weights``: about 1e-3 is usual; far more is unstable, far less slow.
    """

    prefix = "update"

    def measure(self, scene: Scene, memory: Memory) -> Values:
        steps, weights = scene.norms(scene.moved_KP - scene.w_KP), scene.norms(scene.w_KP)
        ratios = {name: step / weights.layers[name] for name, step in steps.layers.items()}
        return {**ratios, "norm": steps.whole, "weights": weights.whole}
