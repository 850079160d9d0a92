"""Gaussian noise on the inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from harness.regularizers.base import Regularizer, RegularizerContext
from harness.spec.space import NonNegative

if TYPE_CHECKING:
    from torch import Tensor


@final
class InputNoise(Regularizer):
    """x ← x + σε, ε ~ N(0, 1) for every number of each sample (Bishop 1995), in training only."""

    tasks: ClassVar[tuple[str, ...]] = ("classification", "regression", "tokens")
    computes_with_inputs: ClassVar[bool] = True
    std: NonNegative = 0.1
    """Standard deviation σ, in the units of the inputs that the network is given."""

    def batch(self, x_KB: Tensor, y_KBD: Tensor, ctx: RegularizerContext) -> tuple[Tensor, Tensor]:
        assert ctx.noise is not None, "input noise draws"
        # σ (K, 1, …, 1) beside inputs (K, B, *shape); inputs that members shared become their own
        std = ctx.hyper["std"].view(-1, *(1,) * (x_KB.ndim - 1))
        return x_KB + std * ctx.noise.normal(*x_KB.shape[1:]), y_KBD
