"""Agreement of predicted and true classes, whatever the classes' sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from harness.metrics.base import SummedMetric
from harness.metrics.scored import Scored

if TYPE_CHECKING:
    from torch import Tensor


@final
class BalancedAccuracy(SummedMetric):
    """Mean recall of the classes that have samples (Brodersen et al. 2010)."""

    def sums(self, scored: Scored) -> Tensor:
        return scored.counts_K3C

    def value(self, sums: Tensor) -> Tensor:
        found_KC, _, true_KC = sums.unbind(1)
        return (found_KC / true_KC.clamp(min=1)).sum(1) / (true_KC > 0).sum(1)


@final
class MCC(SummedMetric):
    """Matthews' correlation of predicted and true classes (Matthews 1975; Gorodkin 2004).

    (c·s − Σ_k p_k t_k) / √((s² − Σ p_k²)(s² − Σ t_k²)) for c right of s samples, p_k predictions of
    class k and t_k samples of it. Not defined where all samples, or all predictions, are of one
    class.
    """

    def sums(self, scored: Scored) -> Tensor:
        return scored.counts_K3C

    def value(self, sums: Tensor) -> Tensor:
        found_KC, predicted_KC, true_KC = sums.unbind(1)
        right_K, all_K = found_KC.sum(1), true_KC.sum(1)
        together_K = right_K * all_K - (predicted_KC * true_KC).sum(1)
        predicted_K = all_K.square() - predicted_KC.square().sum(1)
        true_K = all_K.square() - true_KC.square().sum(1)
        # 0/0 is NaN: the correlation with what never changes
        return together_K / (predicted_K.sqrt() * true_K.sqrt())
