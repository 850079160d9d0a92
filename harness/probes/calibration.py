"""Calibration: whether a classifier is right as often as its confidence says."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pydantic import Field

from harness.core.lazy import Lazy
from harness.probes.base import Memory, Probe, Scene, Values

if TYPE_CHECKING:
    import torch
else:
    torch = Lazy("torch")


@final
class Calibration(Probe):
    """Confidence against accuracy on held-out samples: Σ_b (n_b/n) |accuracy_b − confidence_b|.

    Bins b of equal width hold the samples by the probability of their predicted class.
    ``calibration/error`` is this sum, the ECE (Naeini et al. 2015; Guo et al. 2017): below 0.02
    is well calibrated, large networks trained to the end have 0.05 and more.
    ``calibration/confidence``: the mean probability of the predicted class; above the accuracy the
    network is overconfident. The array ``calibration/bins`` (3, bins) has the samples, mean
    confidence and accuracy of each bin; a run keeps the last. Only for classes; elsewhere nothing
    is recorded.
    """

    prefix = "calibration"
    bins: int = Field(default=15, ge=2)
    """Bins of confidence."""

    def measure(self, scene: Scene, memory: Memory) -> Values:
        """Return error and confidence (K,) and bins (K, 3, bins); {} without held-out classes.

        It costs one evaluation of the held-out samples, which other probes share. Nothing is kept
        in memory.
        """
        held = scene.held()
        if held is None:
            return {}
        out_KBD, y_KBD = held
        confidence_KB, guess_KB = torch.softmax(out_KBD, -1).max(-1)
        right_KB = (guess_KB == y_KBD.argmax(-1)).to(out_KBD.dtype)
        # the clamp puts a confidence of 1 into the last bin, and NaN, of a run that diverges, into
        # some bin: it belongs to none, but must index one
        bins_KB = (confidence_KB * self.bins).long().clamp_(0, self.bins - 1)
        # what is summed by bin: 1, confidence and right guess of each sample, in one scatter
        rows_K3B = torch.stack([torch.ones_like(right_KB), confidence_KB, right_KB], 1)
        sums = out_KBD.new_zeros(len(out_KBD), 3, self.bins)
        sums.scatter_add_(2, bins_KB[:, None].expand_as(rows_K3B), rows_K3B)
        # (K, bins) each: samples, and sums of confidences and of right guesses
        count, confidence, right = sums.unbind(1)
        filled = count.clamp(min=1)  # an empty bin has mean 0, not 0/0
        return {
            # (n_b/n) |right_b/n_b − confidence_b/n_b| = |right_b − confidence_b|/n, of the bins'
            # sums
            "error": (right - confidence).abs().sum(1) / confidence_KB.shape[1],
            "confidence": confidence_KB.mean(1),
            "bins": torch.stack([count, confidence / filled, right / filled], 1),
        }
