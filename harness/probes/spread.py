"""How much the gradients of single samples differ."""

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
class GradientSpread(Probe):
    """Of the gradients gᵢ of n single samples: √(Σ‖gᵢ − ḡ‖²/(n − 1)) over ‖ḡ‖, and their conflicts.

    ``spread/ratio``: above 1 the noise of one sample is larger than the signal, which is usual soon
    after the start; a batch of B has 1/√B of it. ``spread/conflict``: the share of pairs with gᵢ·gⱼ
    < 0 (gradient confusion, Sankararaman et al. 2020); near ½ samples pull as if at random. Where
    the network normalises by the batch, samples are no longer alone and the numbers are those of
    batches of one; a torch module that refuses such batches has none.
    """

    prefix = "spread"
    samples: int = Field(default=16, ge=2)
    """Training samples n of each member's own."""

    def measure(self, scene: Scene, memory: Memory) -> Values:
        """Return ratio and conflict (K,); {} where a network refuses batches of one.

        It costs one gradient of the samples where a network is dense and has a hand-written
        backward pass, else one gradient for each sample. Nothing is kept in memory.
        """
        x_KB, y_KBD = scene.samples(self.samples, "spread")
        # the products gᵢ·gⱼ say all that is asked, and dense layers give them without the gradients
        products_KBB, n = scene.grams(x_KB, y_KBD), x_KB.shape[1]
        if products_KBB is None:
            return {}
        mean_K = products_KBB.mean((1, 2))  # ‖ḡ‖² = Σ_ij gᵢ·gⱼ/n²
        # Σ‖gᵢ − ḡ‖² = Σ‖gᵢ‖² − n‖ḡ‖²; rounding may leave it below 0
        variance_K = (products_KBB.diagonal(dim1=1, dim2=2).sum(1) - n * mean_K) / (n - 1)
        first, second = torch.triu_indices(n, n, 1, device=products_KBB.device)  # pairs i < j
        return {
            "ratio": (variance_K.clamp(min=0) / mean_K).sqrt(),
            "conflict": (products_KBB[:, first, second] < 0).to(products_KBB.dtype).mean(1),
        }
