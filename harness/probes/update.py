"""How far an update moves the weights."""

from __future__ import annotations

from harness.probes.base import Measure, Memory, Scene, Values


class UpdateRatio(Measure):
    """‖ΔW‖/‖W‖ of every layer's weights, and the norms of all weights and of the whole update.

    ``update/<layer>``, ``update/norm``, ``update/weights``: about 1e-3 is usual; far more is unstable, far less slow.
    """

    prefix = "update"

    def measure(self, scene: Scene, memory: Memory) -> Values:
        moved_KP = scene.moved_KP - scene.w_KP
        steps, weights = scene.layers(moved_KP), scene.layers(scene.w_KP)
        ratios = {name: steps[name].norm(dim=1) / w.norm(dim=1) for name, w in weights.items()}
        return {**ratios, "norm": moved_KP.norm(dim=1), "weights": scene.w_KP.norm(dim=1)}
