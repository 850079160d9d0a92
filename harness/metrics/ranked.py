"""Metrics of how well outputs rank samples: they need all outputs of a part at once."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, final

from harness.core.lazy import Lazy
from harness.metrics.base import Metric
from harness.metrics.scored import Scored

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


class RankedMetric(Metric):
    """A metric of the scores of each class's samples against all others'.

    Of two classes the second is the positive one; of more it is the mean over classes, each against
    the rest. Not defined where a class has no samples or all.
    """

    @final
    def measure(self, scored: Scored) -> dict[str, Tensor]:
        classes = scored.out_KNC.shape[-1]
        if classes == 2:  # the log-odds rank as the probability does
            scores = [scored.out_KNC[..., 1].double() - scored.out_KNC[..., 0].double()]
        else:
            scores = [*scored.log_p_KNC.exp().unbind(-1)]
        each = [
            self._of_class(score_KN, scored.classes_N == place)
            for place, score_KN in enumerate(scores, start=1 if classes == 2 else 0)
        ]
        return {self.recorded: torch.stack(each).mean(0)}

    def _of_class(self, score_KN: Tensor, positive_N: Tensor) -> Tensor:
        if positive_N.all() or not positive_N.any():
            return score_KN.new_full((len(score_KN),), torch.nan)
        # sorted rows: searchsorted counts how many lie below a score, and ties as such
        return self.of_scores(
            score_KN[:, positive_N].sort(1).values, score_KN[:, ~positive_N].sort(1).values
        )

    @abstractmethod
    def of_scores(self, positive_KP: Tensor, negative_KM: Tensor) -> Tensor:
        """Return the metric (K,) of one class.

        Args:
            positive_KP: scores of its samples, rising.
            negative_KM: scores of all others, rising.
        """


@final
class AUROC(RankedMetric):
    """Area under the ROC curve: P(s⁺ > s⁻) + ½ P(s⁺ = s⁻) (Hanley & McNeil 1982)."""

    def of_scores(self, positive_KP: Tensor, negative_KM: Tensor) -> Tensor:
        below_KP = torch.searchsorted(negative_KM, positive_KP)
        not_above_KP = torch.searchsorted(negative_KM, positive_KP, right=True)
        return (below_KP + not_above_KP).double().mean(1) / (2 * negative_KM.shape[1])


@final
class AveragePrecision(RankedMetric):
    """Σ_n (R_n − R_{n−1}) P_n over thresholds, for precisions P and recalls R.

    That is the mean, over positive samples, of the precision at their own score. It is not
    interpolated, as scikit-learn's."""

    def of_scores(self, positive_KP: Tensor, negative_KM: Tensor) -> Tensor:
        found_KP = positive_KP.shape[1] - torch.searchsorted(positive_KP, positive_KP)
        wrong_KP = negative_KM.shape[1] - torch.searchsorted(negative_KM, positive_KP)
        return (found_KP.double() / (found_KP + wrong_KP)).mean(1)
