"""Mixup: training on weighted means of pairs of samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from harness.core.lazy import Lazy
from harness.regularizers.base import Regularizer, RegularizerContext
from harness.spec.space import Positive

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


@final
class Mixup(Regularizer):
    """x ← μx + (1−μ)x′, y ← μy + (1−μ)y′, μ ~ Beta(α, α) (Zhang et al. 2018).

    x′ and y′ are the same batch in another order, and one μ is drawn for a whole batch.
    """

    tasks: ClassVar[tuple[str, ...]] = ("classification", "regression")
    computes_with_inputs: ClassVar[bool] = True
    alpha: Positive = 0.2
    """Both parameters α of the Beta distribution."""

    def batch(self, x_KB: Tensor, y_KBD: Tensor, ctx: RegularizerContext) -> tuple[Tensor, Tensor]:
        assert ctx.noise is not None, "mixup draws"
        streams, alphas = ctx.noise.host, ctx.hyper["alpha"].tolist()
        # a member's stream gives its share first and its order then: drawn the other way round, or
        # all from one stream, the numbers of a run would be others
        drawn = [stream.beta(a, a) for stream, a in zip(streams, alphas, strict=True)]
        order = np.stack([stream.permutation(x_KB.shape[1]) for stream in streams])
        x_KB = x_KB.expand(len(order), *x_KB.shape[1:])  # members may share their inputs
        members_K1 = torch.arange(len(order), device=x_KB.device)[:, None]
        order_KB = torch.from_numpy(order).to(x_KB.device)
        share_K = torch.tensor(drawn, dtype=y_KBD.dtype, device=x_KB.device)
        return (
            _mix(x_KB, x_KB[members_K1, order_KB], share_K),
            _mix(y_KBD, y_KBD[members_K1, order_KB], share_K),
        )


def _mix(a: Tensor, b: Tensor, share_K: Tensor) -> Tensor:
    """Return μa + (1 − μ)b, both (K, …)."""
    share = share_K.view(-1, *(1,) * (a.ndim - 1))
    return share * a + (1 - share) * b
