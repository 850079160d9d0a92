"""What a loss is: one number for each sample of each member."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness.core.lazy import Lazy
from harness.spec.component import Component

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


class Loss(Component):
    """A loss for each sample."""

    kind = "loss"

    def per_sample(self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]) -> Tensor:
        """Return the losses (K, B) of outputs against targets, both (K, B, D); ``hyper`` holds numeric fields (K,)."""
        raise NotImplementedError

    def with_slope(
        self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Return the mean losses (K,) and their gradients by the outputs (K, B, D)."""
        with torch.inference_mode(False), torch.enable_grad():
            leaf = out_KBD.clone().requires_grad_()
            loss_K = self.per_sample(leaf, y_KBD.clone(), hyper).mean(1)
            (slope_KBD,) = torch.autograd.grad(loss_K.sum(), leaf)
        return loss_K.detach(), slope_KBD
