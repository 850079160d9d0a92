"""Top-k accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pydantic import Field

from harness.core.errors import HarnessError
from harness.core.lazy import Lazy
from harness.metrics.base import SummedMetric
from harness.metrics.scored import Scored

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


@final
class TopK(SummedMetric):
    """Share of samples whose class is among the k largest outputs; ``top5`` is short for k = 5.

    Of equal outputs that of the lower class counts as the larger, as for the accuracy.
    """

    k: int = Field(default=5, ge=2)
    """How many outputs are looked at; k = 1 is the accuracy, which every run has."""

    @property
    def recorded(self) -> str:
        """Such as ``top5``."""
        return f"top{self.k}"

    def check_data(self, task: str, outputs: int) -> None:
        super().check_data(task, outputs)
        if self.k >= outputs:
            raise HarnessError(
                f"recipe.metrics: {self.recorded} is 1 for {outputs} classes; expected k below that"
            )

    def sums(self, scored: Scored) -> Tensor:
        out_KNC = scored.out_KNC
        true_KN1 = scored.classes_N.expand(out_KNC.shape[:2])[..., None]
        own_KN1 = out_KNC.gather(-1, true_KN1)
        lower_KNC = torch.arange(out_KNC.shape[-1], device=out_KNC.device) < true_KN1
        before_KN = ((out_KNC > own_KN1) | ((out_KNC == own_KN1) & lower_KNC)).sum(-1)
        right_K = (before_KN < self.k).sum(1).double()
        return torch.stack([right_K, torch.full_like(right_K, out_KNC.shape[1])], 1)

    def value(self, sums: Tensor) -> Tensor:
        return sums[:, 0] / sums[:, 1]
