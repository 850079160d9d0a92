"""The contract of a loss: one number for each sample of each member.

Shapes: K members of a cohort, B samples, D outputs of the network. Targets are numbers (K, B, D),
one-hot for classes; or whole numbers (K, B, *S), one for each token or pixel, with outputs
(K, B, *S, V) over V classes (see :mod:`harness.losses.tokens`).
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from harness.core.lazy import Lazy
from harness.losses.tokens import are_tokens, sum_by_sample, weighted_mean
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
    least: ClassVar[float] = -math.inf
    """The smallest loss that a sample can have, with any outputs."""

    def check_targets(self, y: np.ndarray) -> None:
        """Refuse targets that the loss is not defined for, before anything trains.

        Args:
            y: targets of a part of the data: (N, D), one-hot for classes; or whole numbers (N, *S).

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
            (K, B); of tokens the mean over those of the sample that count.
        """

    def measured(self, y: np.ndarray, classes: int) -> dict[str, np.ndarray]:
        """Return what the loss takes from the training targets, such as weights of classes.

        Args:
            y: targets of the training part; (N, C), one-hot for classes, or whole numbers (N, *S).
            classes: how many classes whole numbers have.

        Returns:
            Arrays by name, found under it in ``hyper`` with a row for each member: members on other
            splits of the data have their own.
        """
        return {}

    def counted(self, y_KB: Tensor) -> Tensor:
        """Return which tokens count, as booleans: those from 0 on.

        Args:
            y_KB: targets (K, B, *S) that are whole numbers.
        """
        return y_KB >= 0

    def weights(self, y_KB: Tensor, hyper: Mapping[str, Tensor]) -> Tensor | None:
        """Return how much each sample counts in a mean, (K, B); None where all count alike.

        A sample of tokens counts as many times as it has tokens that count, so that a mean is over
        the tokens of all samples, however they are spread over them.

        Args:
            y_KB: targets.
            hyper: the loss's numeric fields by name, (K,) each.
        """
        return sum_by_sample(self.counted(y_KB)) if are_tokens(y_KB) else None

    def mean(self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]) -> Tensor:
        """Return each member's mean loss L = Σ_b c_b ℓ_b / Σ_b c_b, (K,).

        The weights c are those of :meth:`weights`, 1 by default; where all are 0, L is 0.

        Args:
            out_KBD: the network's outputs; left as they are.
            y_KBD: targets, as in :meth:`per_sample`.
            hyper: the loss's numeric fields by name, (K,) each.
        """
        loss_KB, weights_KB = self.per_sample(out_KBD, y_KBD, hyper), self.weights(y_KBD, hyper)
        return loss_KB.mean(1) if weights_KB is None else weighted_mean(loss_KB, weights_KB)

    def value_and_gradient(
        self, out_KBD: Tensor, y_KBD: Tensor, hyper: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Return each member's mean loss L, as of :meth:`mean`, and its gradient ∂L/∂out.

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
            loss_K = self.mean(leaf_KBD, y_KBD.clone(), hyper)
            # members do not touch each other: the gradient of their sum is each one's own
            (gradient_KBD,) = torch.autograd.grad(loss_K.sum(), leaf_KBD)
        return loss_K.detach(), gradient_KBD
