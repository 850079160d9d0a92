"""How far the weights have come from where they started."""

from __future__ import annotations

from typing import final

from harness.probes.base import Memory, Probe, Scene, Values


@final
class Distance(Probe):
    """‖θ − θ₀‖ of all weights and ‖W − W₀‖/‖W₀‖ of every layer's.

    ``distance/all``, in the units of the weights, and ``distance/<layer>``, relative. Below 0.1 a
    layer is hardly more than its linearisation, as wide networks are (the lazy regime, Chizat et
    al. 2019); from about 1 on it has learnt features of its own.
    """

    prefix = "distance"

    def measure(self, scene: Scene, memory: Memory) -> Values:
        """Return the distance of all weights and that of each layer, (K,) each.

        It costs two passes over the weights. The initial weights (K, P) are kept in memory.
        """
        # the first measurement is before the first update: its weights are θ₀
        start_KP = memory.setdefault("start", scene.w_KP.clone())
        moved = scene.norms(scene.w_KP - start_KP)
        return {**moved.layers(over=scene.norms(start_KP)), "all": moved.whole_K}
