"""Binary cross-entropy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness.core.lazy import Lazy
from harness.losses.base import Loss

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import functional
else:
    functional = Lazy("torch.nn.functional")


class BCE(Loss):
    """−y log σ(out) − (1−y) log(1−σ(out)), mean over the outputs."""

    def per_sample(self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]) -> Tensor:
        return functional.binary_cross_entropy_with_logits(out_KBD, y_KBD, reduction="none").mean(
            -1
        )
