"""Gradient norms by layer."""

from __future__ import annotations

from harness.probes.base import Memory, Probe, Scene, Values


class GradientNorm(Probe):
    """‖∂L/∂W‖ of every layer's weights, of all parameters, and the first layer's over the last hidden layer's.

    ``gradient/<layer>``, ``gradient/all``, ``gradient/ratio``: a ratio far below 1 is a gradient that vanishes on its way
    down through the nonlinearities (Hochreiter 1991; Glorot & Bengio 2010). The output layer, which has none behind it, is
    left out of the ratio where there are others.
    """

    prefix = "gradient"

    def measure(self, scene: Scene, memory: Memory) -> Values:
        norms = scene.gradient_norms
        layers = norms.layers()
        hidden = list(layers.values())[:-1] or list(layers.values())
        ratio = {"ratio": hidden[0] / hidden[-1]} if layers else {}
        return {**layers, "all": norms.whole_K, **ratio}
