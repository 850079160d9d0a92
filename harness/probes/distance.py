"""How far the weights have come from where they started."""

from __future__ import annotations

from harness.probes.base import Memory, Probe, Scene, Values


class Distance(Probe):
    """‖θ − θ₀‖ of all weights and ‖W − W₀‖/‖W₀‖ of every layer's.

    ``distance/all``, ``distance/<layer>``: wide networks move little (the lazy regime, Chizat et al. 2019).
    """

    prefix = "distance"

    def measure(self, scene: Scene, memory: Memory) -> Values:
        start_KP = memory.setdefault("start", scene.w_KP.clone())
        moved = scene.norms(scene.w_KP - start_KP)
        return {**moved.layers(over=scene.norms(start_KP)), "all": moved.whole_K}
