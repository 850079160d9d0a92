"""Noise on the inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from harness.regularizers.base import Regularizer, RegularizerContext
from harness.spec.space import NonNegative

if TYPE_CHECKING:
    from torch import Tensor


@final
class InputNoise(Regularizer):
    """x ← x + σε, ε ~ N(0, 1) (Bishop 1995)."""

    std: NonNegative = 0.1
    """Deviation σ."""

    def batch(self, x_KB: Tensor, y_KBD: Tensor, ctx: RegularizerContext) -> tuple[Tensor, Tensor]:
        assert ctx.noise is not None, "input noise draws"
        std = ctx.hyper["std"].view(-1, *(1,) * (x_KB.ndim - 1))
        return x_KB + std * ctx.noise.normal(*x_KB.shape[1:]), y_KBD
