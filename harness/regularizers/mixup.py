"""Mixup."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.regularizers.base import Hyper, Regularizer
from harness.spec.space import Positive

if TYPE_CHECKING:
    from torch import Tensor

    from harness.models.base import Noise


class Mixup(Regularizer):
    """x ← μx + (1−μ)x′, y ← μy + (1−μ)y′ with a shuffled batch, μ ~ Beta(α, α) (Zhang et al. 2018)."""

    alpha: Positive = 0.2
    """Both parameters α of the Beta distribution."""

    def batch(
        self, x_KB: Tensor, y_KBD: Tensor, noise: Noise, hyper: Hyper
    ) -> tuple[Tensor, Tensor]:
        import torch

        share = [
            stream.beta(a, a) for stream, a in zip(noise.host, hyper["alpha"].tolist(), strict=True)
        ]
        order = np.stack([stream.permutation(x_KB.shape[1]) for stream in noise.host])
        rows = (
            torch.arange(len(order), device=x_KB.device)[:, None],
            torch.from_numpy(order).to(x_KB.device),
        )
        share_K = torch.tensor(share, dtype=y_KBD.dtype, device=x_KB.device)
        return _mix(x_KB, x_KB[rows], share_K), _mix(y_KBD, y_KBD[rows], share_K)


def _mix(a: Tensor, b: Tensor, share_K: Tensor) -> Tensor:
    share = share_K.view(-1, *(1,) * (a.ndim - 1))
    return share * a + (1 - share) * b
