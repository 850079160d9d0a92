"""Gradient norms by layer."""

from __future__ import annotations

from typing import final

from harness.probes.base import Memory, Probe, Scene, Values


@final
class GradientNorm(Probe):
    """‖∂L/∂W‖ of every layer's weights and of all parameters, and first over last hidden layer.

    ``gradient/<layer>`` and ``gradient/all``, in units of the loss by those of the weights;
    ``gradient/ratio``: from 0.1 to 10 is healthy, far below 1 is a gradient that vanishes on its
    way down through the nonlinearities, far above one that explodes (Hochreiter 1991; Glorot &
    Bengio 2010). The output layer, which has no nonlinearity behind it, is left out of the ratio
    where there are others. ``gradient/hidden_ratio`` is that of the layers between hidden units
    alone: a residual network has no skip around its first layer, which takes the inputs, and what
    skips do shows in the layers that they cover (He et al. 2016).
    """

    prefix = "gradient"

    def measure(self, scene: Scene, memory: Memory) -> Values:
        """Return the norm of each layer's gradient, that of all, and their ratio, (K,) each.

        It costs one pass over the gradient, which other probes share. Nothing is kept in memory.
        """
        norms = scene.gradient_norms
        layers = norms.layers()
        values = {**layers, "all": norms.whole_K}
        if layers:
            # in the order of the network; the output layer comes last
            hidden = list(layers.values())[:-1] or list(layers.values())
            values["ratio"] = hidden[0] / hidden[-1]
        slots = scene.layout.slots
        between = [
            norm for name, norm in layers.items() if slots[f"{name}.weight"].role == "hidden"
        ]
        if between:
            values["hidden_ratio"] = between[0] / between[-1]
        return values
