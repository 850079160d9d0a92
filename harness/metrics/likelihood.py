"""Metrics of the classes' probabilities, softmax(out)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, final

from pydantic import Field

from harness.core.lazy import Lazy
from harness.metrics.base import SummedMetric
from harness.metrics.scored import Scored

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.nn import functional
else:
    torch, functional = Lazy("torch"), Lazy("torch.nn.functional")


def _with_count(sum_K: Tensor, samples: int) -> Tensor:
    """Return a sum beside the number of samples, (K, 2)."""
    return torch.stack([sum_K, torch.full_like(sum_K, samples)], 1)


@final
class Perplexity(SummedMetric):
    """exp(−1/N Σᵢ log pᵢ) of the true classes' probabilities, over samples or tokens."""

    of_probabilities: ClassVar[bool] = True
    reason = "it is made of classes' probabilities"

    def sums(self, scored: Scored) -> Tensor:
        return _with_count(scored.nll_KN.sum(1), scored.nll_KN.shape[1])

    def value(self, sums: Tensor) -> Tensor:
        return (sums[:, 0] / sums[:, 1]).exp()


@final
class BitsPerByte(SummedMetric):
    """−1/(N·b) Σᵢ log₂ pᵢ of the true tokens' probabilities, for tokens of b bytes."""

    of_probabilities: ClassVar[bool] = True
    reason = "it is made of tokens' probabilities"
    bytes_per_token: float = Field(default=1.0, gt=0)
    """Mean bytes b of a token: 1 where tokens are bytes."""

    def sums(self, scored: Scored) -> Tensor:
        return _with_count(scored.nll_KN.sum(1), scored.nll_KN.shape[1])

    def value(self, sums: Tensor) -> Tensor:
        return sums[:, 0] / sums[:, 1] / (math.log(2) * self.bytes_per_token)


@final
class Brier(SummedMetric):
    """1/N Σᵢ Σ_c (p_ic − y_ic)², halved for two classes: (p − y)² of the second (Brier 1950)."""

    of_probabilities: ClassVar[bool] = True
    reason = "it is made of classes' probabilities"

    def sums(self, scored: Scored) -> Tensor:
        p_KNC, classes = scored.log_p_KNC.exp(), scored.out_KNC.shape[-1]
        error_KN = (p_KNC - functional.one_hot(scored.classes_N, classes)).square().sum(-1)
        scale = 0.5 if classes == 2 else 1.0
        return _with_count(scale * error_KN.sum(1), error_KN.shape[1])

    def value(self, sums: Tensor) -> Tensor:
        return sums[:, 0] / sums[:, 1]
