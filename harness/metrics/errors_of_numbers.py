"""Errors of predicted numbers; of several numbers a sample, the mean over them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from harness.core.lazy import Lazy
from harness.metrics.base import Metric, SummedMetric
from harness.metrics.scored import Scored

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")

_NUMBERS: tuple[str, ...] = ("regression",)
_REASON = "it compares numbers"


def _with_samples(error_KND: Tensor) -> Tensor:
    """Return sums of errors with the number of samples last, (K, D + 1)."""
    sums_KD = error_KND.sum(1)
    return torch.cat([sums_KD, torch.full_like(sums_KD[:, :1], error_KND.shape[1])], 1)


@final
class MeanAbsoluteError(SummedMetric):
    """1/N Σᵢ |outᵢ − yᵢ|; ``mae`` for short."""

    tasks: ClassVar[tuple[str, ...]] = _NUMBERS
    reason = _REASON

    @property
    def recorded(self) -> str:
        """``mae``."""
        return "mae"

    def sums(self, scored: Scored) -> Tensor:
        return _with_samples(scored.error_KND.abs())

    def value(self, sums: Tensor) -> Tensor:
        return (sums[:, :-1] / sums[:, -1:]).mean(1)


@final
class RMSE(SummedMetric):
    """√(1/N Σᵢ (outᵢ − yᵢ)²)."""

    tasks: ClassVar[tuple[str, ...]] = _NUMBERS
    reason = _REASON

    def sums(self, scored: Scored) -> Tensor:
        return _with_samples(scored.error_KND.square())

    def value(self, sums: Tensor) -> Tensor:
        return (sums[:, :-1] / sums[:, -1:]).sqrt().mean(1)


@final
class R2(Metric):
    """R² = 1 − Σᵢ (outᵢ − yᵢ)² / Σᵢ (yᵢ − ȳ)²; not defined where the targets never change.

    It needs all targets at once: sums of their squares lose the digits of what is left of them.
    """

    tasks: ClassVar[tuple[str, ...]] = _NUMBERS
    reason = _REASON

    def measure(self, scored: Scored) -> dict[str, Tensor]:
        target_ND = scored.target.double()
        spread_D = (target_ND - target_ND.mean(0)).square().sum(0)
        explained_KD = 1 - scored.error_KND.square().sum(1) / spread_D
        # what never changes has nothing to explain: 1 − x/0 would be −∞
        explained_KD = torch.where(spread_D > 0, explained_KD, torch.nan)
        return {self.recorded: explained_KD.mean(1)}
