"""Losses given as a user's function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast, final

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

    It is written for one member and with operations that autograd knows. Where a module gives a
    mapping of outputs, or targets are several arrays, it is given mappings of tensors (B, …). Of
    tokens it returns each sample's mean over those that count: a batch's loss is the mean over its
    tokens.
    """

    def weights(self, y_KB: Tensor, hyper: Mapping[str, Tensor]) -> Tensor | None:
        return None if isinstance(y_KB, Mapping) else super().weights(y_KB, hyper)

    def per_sample(self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]) -> Tensor:
        function, members = self.load(), len(_any_of(y_KBD))
        outs, targets = ([_member(part, k) for k in range(members)] for part in (out_KBD, y_KBD))
        pairs = zip(outs, targets, strict=True)
        return torch.stack([function(out_BD, y_BD, **self.args) for out_BD, y_BD in pairs])


def _any_of(part: Tensor) -> Tensor:
    """Return a tensor, or one of those of a mapping."""
    return next(iter(part.values())) if isinstance(part, Mapping) else part


def _member(part: Tensor, k: int) -> Tensor:
    """Return what one member has of a tensor (K, …), or of each of a mapping."""
    if isinstance(part, Mapping):
        return cast("Tensor", {name: value[k] for name, value in part.items()})
    return part[k]
