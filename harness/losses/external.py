"""Losses given as a user's function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, final

from harness.core.lazy import Lazy
from harness.losses.base import Loss
from harness.spec.component import External

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


@final
class ExternalLoss(External, Loss):
    """A dotted function ``(out_BD, y_BD, **args) → losses (B,)``, called member by member.

    It is written for one member and with operations that autograd knows.
    """

    def per_sample(self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]) -> Tensor:
        function = self.load()
        members = zip(out_KBD, y_KBD, strict=True)
        return torch.stack([function(out_BD, y_BD, **self.args) for out_BD, y_BD in members])
