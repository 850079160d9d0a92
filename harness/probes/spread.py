"""How much the gradients of single samples differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from harness.lazy import Lazy
from harness.probes.base import Measure, Memory, Scene, Values

if TYPE_CHECKING:
    import torch
else:
    torch = Lazy("torch")


class GradientSpread(Measure):
    """Of the gradients gᵢ of single samples: √(Σ‖gᵢ − ḡ‖²/(n − 1)) over ‖ḡ‖, and the share of pairs that disagree.

    ``spread/ratio``: above 1 the noise of one sample is larger than the signal. ``spread/conflict``: the share of pairs
    with gᵢ·gⱼ < 0 (gradient confusion, Sankararaman et al. 2020). Where the network normalises by the batch, samples are
    no longer alone and the numbers are those of batches of one.
    """

    prefix = "spread"
    samples: int = Field(default=16, ge=2)
    """Training samples n of each member's own."""

    def measure(self, scene: Scene, memory: Memory) -> Values:
        x_KB, y_KBD = scene.samples(self.samples, "spread")
        rows = [scene.gradients(scene.w_KP, x_KB[:, i : i + 1], y_KBD[:, i : i + 1]).clone() for i in range(x_KB.shape[1])]
        g_KBP = torch.stack(rows, 1)
        mean_KP, n = g_KBP.mean(1), g_KBP.shape[1]
        variance_K = (g_KBP - mean_KP[:, None]).square().sum((1, 2)) / (n - 1)
        products_KBB = g_KBP @ g_KBP.mT
        above = torch.ones(n, n, dtype=torch.bool, device=g_KBP.device).triu(1)
        return {
            "ratio": variance_K.sqrt() / mean_KP.norm(dim=1),
            "conflict": (products_KBB < 0)[:, above].to(g_KBP.dtype).mean(1),
        }
