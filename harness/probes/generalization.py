"""How much worse a network is on data it has not seen."""

from __future__ import annotations

from typing import final

from harness.probes.base import Memory, Probe, Scene, Values

SIGNS = {"loss": 1, "accuracy": -1}
"""Sign of held-out minus training that makes a gap positive where held-out data are worse."""


@final
class GeneralizationGap(Probe):
    """Held-out minus training loss, and training minus held-out accuracy.

    Both are measured as every evaluation does. ``generalization/loss``, in units of the loss, and
    ``generalization/accuracy``, a share. A gap near 0 with a bad training loss is underfitting; one
    that widens while the training loss falls is overfitting. Without validation data nothing is
    recorded.
    """

    prefix = "generalization"

    def measure(self, scene: Scene, memory: Memory) -> Values:
        """Return the gaps (K,) of loss and, for classes, accuracy; {} without validation data.

        It costs an evaluation of training and held-out samples. Nothing is kept in memory.
        """
        # on samples evenly spaced in the training set, as many as there are held-out ones
        metrics = scene.evaluated()
        if "valid" not in metrics:
            return {}
        return {
            name: sign * (metrics["valid"][name] - metrics["train"][name])
            for name, sign in SIGNS.items()
            if name in metrics["valid"]
        }
