"""The gradient noise scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, final

from pydantic import Field

from harness.core.lazy import Lazy
from harness.probes.base import Memory, Probe, Scene, Values

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


@final
class NoiseScale(Probe):
    """B_simple = tr(Σ)/|G|²: the batch size at which noise and signal of the gradient are equal.

    G is the gradient over all data and Σ the covariance of single samples' gradients (McCandlish et
    al. 2018). From the squared norms of gradients over a small batch of b and a large one of B,
    |G|² = (B|G_B|² − b|G_b|²)/(B − b) and tr(Σ) = (|G_b|² − |G_B|²)/(1/b − 1/B). Each is unbiased
    and their ratio is not, so that both are averaged before it is taken: in ``noise/scale`` over
    the measurements so far, with decay, since a run moves; in ``mean/noise/scale`` over all. By
    default the large batch is the update's own, whose gradient is there already, and the small ones
    its samples one by one, with all of its noise, where their norms follow from the update's own
    pass (fully connected networks); elsewhere the small one is an eighth of the batch.

    ``noise/scale``, in samples: well below it larger batches save updates almost in proportion,
    well above they only cost; it grows as the loss falls. ``noise/signal`` = |G|² and
    ``noise/variance`` = tr(Σ) are the single measurements, which may be below 0. An update of a
    single sample gives nothing.
    """

    prefix = "noise"
    small: int | None = Field(default=None, ge=1)
    """Samples b of the small batch; by default one, or an eighth of the large one."""
    large: int | None = Field(default=None, ge=2)
    """Samples B of a large batch of each member's own; the update's own batch by default."""
    decay: float = Field(default=0.9, ge=0, lt=1)
    """Weight of the past in the running means."""

    def measure(self, scene: Scene, memory: Memory) -> Values:
        """Return signal, variance and their ratio (K,); {} for batches of one.

        It costs nothing but norms where the samples' norms are at hand, else the gradient of a
        small batch, and that of ``large`` samples where they are asked for. The running means
        (K, 2) of signal and variance are kept in memory.
        """
        if (self.large or scene.x_KB.shape[1]) < 2:
            return {}
        many_K, large, few_K, small = self._squares(scene)
        # E|G_n|² = |G|² + tr(Σ)/n for n = b and n = B: two equations, two unknowns
        signal_K = (many_K * large).sub_(few_K, alpha=small).div_(large - small)
        variance_K = (few_K - many_K).div_(1 / small - 1 / large)
        now_K2 = torch.stack([signal_K, variance_K], 1)
        # mean ← now + decay·(mean − now); the first measurement is the first mean
        mean_K2 = torch.lerp(now_K2, memory["mean"], self.decay) if "mean" in memory else now_K2
        memory["mean"] = mean_K2
        # signal and variance as measured: what is averaged later must not be averaged already, or
        # the first measurement would count more often than the others
        return {
            "signal": signal_K,
            "variance": variance_K,
            "scale": mean_K2[:, 1] / mean_K2[:, 0],
        }

    def _squares(self, scene: Scene) -> SquaredNorms:
        """Return the squared norms of the gradients of a large batch and of small ones.

        The small batches are part of the large one, so that no sample is paid for twice.
        """
        if self.large:
            x_KB, y_KBD = scene.samples(self.large, "noise scale")
            norms = scene.norms(scene.gradients(scene.w_KP, x_KB, y_KBD))
        else:
            x_KB, y_KBD, norms = scene.x_KB, scene.y_KBD, scene.gradient_norms
        large = x_KB.shape[1]
        many_K = norms.whole_K.square()
        if not (self.large or self.small) and scene.sample_norms_at_hand:
            # only where they are at hand: a gradient for each sample would cost more than the run
            singles_KB = scene.sample_norms()
            if singles_KB is not None:
                return SquaredNorms(many_K, large, singles_KB.mean(1), 1)
        # at most half, so that 1/b and 1/B stay apart
        small = min(self.small or max(1, large // 8), large // 2)
        few = scene.norms(scene.gradients(scene.w_KP, x_KB[:, :small], y_KBD[:, :small]))
        return SquaredNorms(many_K, large, few.whole_K.square(), small)


class SquaredNorms(NamedTuple):
    """Squared norms of gradients over a large and over a small batch."""

    many_K: Tensor
    """|G_B|² over the large batch."""
    large: int
    """Its samples B."""
    few_K: Tensor
    """|G_b|² over the small batch; the mean over small batches where there are several."""
    small: int
    """Its samples b."""
