"""Losses given as a user's function, or as a loss module of torch."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, cast, final

from harness.core.errors import HarnessError
from harness.core.lazy import Lazy
from harness.losses.base import Loss
from harness.spec.component import External

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


@final
class ExternalLoss(External, Loss):
    """A function ``(out_BD, y_BD, **args) → losses (B,)``, called member by member; or a loss
    module of torch's, by its class or made already.

    It is written for one member and with operations that autograd knows. Where a module gives a
    mapping of outputs, or targets are several arrays, it is given mappings of tensors (B, …). Of
    tokens it returns each sample's mean over those that count: a batch's loss is the mean over its
    tokens.

    A loss module's ``reduction`` is left out: its losses are averaged over outputs here, and over
    samples by the engine, which for ``CrossEntropyLoss`` with class weights is torch's mean but for
    one factor.
    """

    @classmethod
    def check_target(cls, target: object) -> None:
        """Refuse what can't be called.

        Raises:
            HarnessError: the target is such.
        """
        wrong = isinstance(target, type) and not hasattr(target, "forward")
        if wrong or not callable(target):
            raise HarnessError(
                "expected a function (out, y) that returns one loss a sample, or a loss"
                f" module such as torch.nn.HuberLoss, got {target!r}"
            )

    def check_targets(self, y: np.ndarray) -> None:
        """Refuse torch's losses of classes for tokens, which take classes second.

        Raises:
            HarnessError: so it is; the loss to take is named.
        """
        if y.dtype.kind not in "iu" or y.ndim != 2:
            return
        target = self.load()
        kind = target if isinstance(target, type) else type(target)
        if issubclass(kind, (torch.nn.CrossEntropyLoss, torch.nn.NLLLoss)):
            ignored = self.arguments().get("ignore_index", getattr(target, "ignore_index", -100))
            raise HarnessError(
                f"recipe.loss: {kind.__name__} takes classes second, (B, V, T), and a model of "
                "tokens gives them last, (B, T, V); take CrossEntropy("
                f"ignore_index={ignored}), which averages over the tokens that count"
            )

    def weights(self, y_KB: Tensor, hyper: Mapping[str, Tensor]) -> Tensor | None:
        return None if isinstance(y_KB, Mapping) else super().weights(y_KB, hyper)

    def per_sample(self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]) -> Tensor:
        first = _any_of(y_KBD)
        function = _function_of(self, first.device)
        outs, targets = ([_member(part, k) for k in range(len(first))] for part in (out_KBD, y_KBD))
        pairs = zip(outs, targets, strict=True)
        return torch.stack([function(out_BD, y_BD) for out_BD, y_BD in pairs])


def _any_of(part: Tensor) -> Tensor:
    """Return a tensor, or one of those of a mapping."""
    return next(iter(part.values())) if isinstance(part, Mapping) else part


def _member(part: Tensor, k: int) -> Tensor:
    """Return what one member has of a tensor (K, …), or of each of a mapping."""
    if isinstance(part, Mapping):
        return cast("Tensor", {name: value[k] for name, value in part.items()})
    return part[k]


@lru_cache(maxsize=64)
def _function_of(loss: ExternalLoss, device: torch.device) -> Any:
    """Return (out_BD, y_BD) ↦ losses (B,), on a device."""
    target, args = loss.load(), loss.arguments()
    if isinstance(target, type):
        target, args = target(**args), {}
    if not hasattr(target, "reduction"):
        return partial(target, **args)
    # a copy: the user's own stays as it is
    module = deepcopy(target).to(device)
    module.reduction = "none"

    def per_sample(out_BD: Tensor, y_BD: Tensor) -> Tensor:
        # (B,) of cross-entropies, (B, D) of losses that are computed output by output
        losses: Tensor = module(out_BD, y_BD)
        return losses.flatten(1).mean(1) if losses.ndim > 1 else losses

    return per_sample
