"""How much worse a network is on data it has not seen."""

from __future__ import annotations

from harness.probes.base import Memory, Probe, Scene, Values

SIGNS = {"loss": 1, "accuracy": -1}


class GeneralizationGap(Probe):
    """Held-out minus training loss, and training minus held-out accuracy, both as every evaluation measures them.

    ``generalization/loss``, ``generalization/accuracy``: a gap that widens is overfitting. Without validation data nothing
    is recorded.
    """

    prefix = "generalization"

    def measure(self, scene: Scene, memory: Memory) -> Values:
        found = scene.evaluated()
        if "valid" not in found:
            return {}
        return {
            name: sign * (found["valid"][name] - found["train"][name])
            for name, sign in SIGNS.items()
            if name in found["valid"]
        }
