"""What takes a gradient in a way of its own, and leaves every other derivative to another form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from torch import Tensor

from harness.engine.differentiate.base import Differentiator, TrainingPass
from harness.engine.hyperparameters import Hyperparameters
from harness.engine.training_loss import Minibatch
from harness.engine.workspace import Workspace
from harness.models.base import Buffers


class Around(Differentiator):
    """A differentiator around another one; whoever is derived from it says what is its own.

    Args:
        inner: differentiates the same loss.
    """

    def __init__(self, inner: Differentiator) -> None:
        self.inner, self.loss, self.writes_apart = inner, inner.loss, inner.writes_apart

    def mode(self) -> AbstractContextManager[object]:
        return self.inner.mode()

    def workspace(self, w_KP: Tensor, columns: Sequence[slice] = ()) -> Workspace | None:
        return self.inner.workspace(w_KP, columns)

    def hessian_product(
        self, w_KP: Tensor, buffers: Buffers, batch: Minibatch, hyper: Hyperparameters
    ) -> Callable[[Tensor], Tensor]:
        return self.inner.hessian_product(w_KP, buffers, batch, hyper)

    def sample_norms(
        self, w_KP: Tensor, buffers: Buffers, record: TrainingPass, hyper: Hyperparameters
    ) -> Tensor | None:
        return self.inner.sample_norms(w_KP, buffers, record, hyper)

    def grams(
        self, w_KP: Tensor, buffers: Buffers, batch: Minibatch, hyper: Hyperparameters
    ) -> Tensor | None:
        return self.inner.grams(w_KP, buffers, batch, hyper)
