"""Gradient norms by layer."""

from __future__ import annotations

from harness.probes.base import Measure, Memory, Scene, Values


class GradientNorm(Measure):
    """‖∂L/∂W‖ of every layer's weights, of all parameters, and the first layer's over the last layer's.

    ``gradient/<layer>``, ``gradient/all``, ``gradient/ratio``: a ratio far below 1 is a gradient that vanishes on its way
    down (Hochreiter 1991; Glorot & Bengio 2010).
    """

    prefix = "gradient"

    def measure(self, scene: Scene, memory: Memory) -> Values:
        norms = {name: g.norm(dim=1) for name, g in scene.layers(scene.g_KP).items()}
        first, last = next(iter(norms.values())), list(norms.values())[-1]
        return {**norms, "all": scene.g_KP.norm(dim=1), "ratio": first / last}
