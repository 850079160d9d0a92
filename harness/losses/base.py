"""The contract of a loss: one number for each sample of each member.

Shapes: K members of a cohort, B samples, D outputs of the network.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness.core.lazy import Lazy
from harness.spec.component import Component

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


class Loss(Component):
    """A loss for each sample.

    A subclass writes :meth:`per_sample`, with operations that autograd knows; it may write
    :meth:`value_and_gradient` too where the gradient in closed form is faster than autograd's.
    A field that is a number may differ within a cohort and is read from ``hyper``, never from
    ``self``; fields of other types are the same for all members.
    """

    kind = "loss"

    def check_targets(self, y: np.ndarray) -> None:
        """Refuse targets that the loss is not defined for, before anything trains.

        Args:
            y: targets (N, D) of a part of the data; one-hot for classes.

        Raises:
            HarnessError: what was expected, what was got, and the fix.
        """

    @abstractmethod
    def per_sample(self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]) -> Tensor:
        """Return the loss of every sample.

        It is what evaluation reports, what autograd differentiates, and the reference for
        :meth:`value_and_gradient`. A member's losses depend on its own outputs alone.

        Args:
            out_KBD: the network's outputs; left as they are.
            y_KBD: targets; for classes one-hot, or mixtures of classes that sum to 1.
            hyper: the loss's numeric fields by name, (K,) each.

        Returns:
            (K, B).
        """

    def value_and_gradient(
        self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Return each member's mean loss L = Σ_b ℓ_b / B and its gradient ∂L/∂out.

        Hand-written backward passes start from it; with autograd it is not called.

        Args:
            out_KBD: the network's outputs; left as they are.
            y_KBD: targets, as in :meth:`per_sample`.
            hyper: the loss's numeric fields by name, (K,) each.

        Returns:
            L (K,) and the gradient (K, B, D), in memory of its own that the caller may write into.
        """
        # the engine trains in inference mode, whose tensors autograd refuses: copies made outside
        # of it are ordinary tensors
        with torch.inference_mode(False), torch.enable_grad():
            leaf_KBD = out_KBD.clone().requires_grad_()
            loss_K = self.per_sample(leaf_KBD, y_KBD.clone(), hyper).mean(1)
            # members do not touch each other: the gradient of their sum is each one's own
            (gradient_KBD,) = torch.autograd.grad(loss_K.sum(), leaf_KBD)
        return loss_K.detach(), gradient_KBD
