"""How well a classifier knows how sure it may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from harness.lazy import Lazy
from harness.probes.base import Measure, Memory, Scene, Values

if TYPE_CHECKING:
    import torch
else:
    torch = Lazy("torch")


class Calibration(Measure):
    """Confidence against accuracy on the held-out samples: ECE = Σ_b (n_b/n) |accuracy_b − confidence_b| over equal bins.

    ``calibration/error`` (Naeini et al. 2015; Guo et al. 2017), ``calibration/confidence`` (mean top probability), and
    ``calibration/accuracy0``, … of every class (up to 20). Only for classes; elsewhere nothing is recorded.
    """

    prefix = "calibration"
    bins: int = Field(default=15, ge=2)
    """Bins of confidence."""

    def measure(self, scene: Scene, memory: Memory) -> Values:
        if scene.held is None:
            return {}
        out_KBD, y_BD = scene.outputs(scene.w_KP, scene.held[0]), scene.held[1]
        confidence_KB, guess_KB = torch.softmax(out_KBD, -1).max(-1)
        right_KB = (guess_KB == y_BD.argmax(-1)).to(out_KBD.dtype)
        bins_KB = (confidence_KB * self.bins).long().clamp_(max=self.bins - 1)
        gaps = out_KBD.new_zeros(len(out_KBD), self.bins).scatter_add_(1, bins_KB, right_KB - confidence_KB)
        classes = {
            f"accuracy{c}": right_KB[:, mine].mean(1)
            for c in range(min(20, y_BD.shape[1]))
            if (mine := y_BD.argmax(-1) == c).any()
        }
        return {"error": gaps.abs().sum(1) / len(y_BD), "confidence": confidence_KB.mean(1), **classes}
