"""What a program asks of whatever differentiates its loss.

L_k is the mean loss of member k over its minibatch, θ_k its weights, and l_ki its loss on sample i.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import NamedTuple

from torch import Tensor

from harness.core.noise import Noise, RecordedNoise
from harness.engine.hyperparameters import Hyperparameters
from harness.engine.training_loss import Minibatch, TrainingLoss
from harness.engine.workspace import ParameterBlock, Workspace
from harness.models.base import Buffers, Seen


@dataclass
class TrainingPass:
    """What the pass that computes an update's gradient leaves for probes."""

    seen: Seen = field(default_factory=Seen)
    """Outputs of hidden layers, what dropout drew, and the layers' products where the network tells
    them."""
    batch: Minibatch | None = None
    """The minibatch as regularizers have changed it."""


class Gradient(NamedTuple):
    """The gradient of each member's mean loss; the workspace's next use writes over it."""

    loss_K: Tensor
    """The mean losses L_k."""
    g_KP: Tensor
    """The gradient's rows. Where a workspace has several blocks they are whole only if the pass was
    recorded."""
    blocks: tuple[ParameterBlock, ...]
    """The gradient beside the weights, block by block; always whole."""
    buffers: Buffers
    """The new running statistics."""


class Differentiator(ABC):
    """Derivatives of a :class:`~harness.engine.training_loss.TrainingLoss`, of all members at once.

    Every method works for every network. Rows of weights, gradients and vectors are (K, P), zero
    between parameters.
    """

    loss: TrainingLoss
    """What is differentiated."""
    writes_apart: bool
    """Whether parameters' gradients can be written into memory of their own, so that optimizers may
    move them apart."""

    @abstractmethod
    def mode(self) -> AbstractContextManager[object]:
        """Return the context that updates are made in."""

    @abstractmethod
    def workspace(self, w_KP: Tensor, columns: Sequence[slice] = ()) -> Workspace | None:
        """Return memory for the gradient at these weights; None where every call makes its own.

        Args:
            w_KP: weights.
            columns: the blocks that optimizers move; by default one of all columns.
        """

    @abstractmethod
    def gradient(
        self,
        w_KP: Tensor,
        buffers: Buffers,
        batch: Minibatch,
        hyper: Hyperparameters,
        noise: Noise | RecordedNoise | None = None,
        workspace: Workspace | None = None,
        record: TrainingPass | None = None,
    ) -> Gradient:
        """Return ∂L_k/∂θ_k.

        Args:
            w_KP: weights.
            buffers: running statistics, (K, *shape) each; not written into.
            batch: inputs and targets, as regularizers have changed them.
            hyper: the members' numbers.
            noise: streams for dropout; needed where ``hyper.dropout_K`` is not None.
            workspace: memory from :meth:`workspace` to write into, by default new memory.
            record: where the pass leaves what probes may ask for.

        Returns:
            Losses, gradients and new running statistics, none of them attached to a graph.
        """

    @abstractmethod
    def hessian_product(
        self, w_KP: Tensor, buffers: Buffers, batch: Minibatch, hyper: Hyperparameters
    ) -> Callable[[Tensor], Tensor]:
        """Return v ↦ (∂²L_k/∂θ_k²) v_k, from rows (K, P) to rows (K, P), without noise.

        What depends on the weights alone is computed once, for many products with other v.

        Args:
            w_KP: weights; they must not change while the function is used.
            buffers: running statistics, (K, *shape) each; not written into.
            batch: inputs and targets.
            hyper: the members' numbers; the dropout rates are not used.
        """

    @abstractmethod
    def sample_norms(
        self, w_KP: Tensor, buffers: Buffers, record: TrainingPass, hyper: Hyperparameters
    ) -> Tensor | None:
        """Return ‖∂l_ki/∂θ_k‖² (K, B) of a recorded pass's samples, with that pass's noise.

        Where the loss weighs samples, l_ki is the sample's part in the batch's mean, times B: the
        mean over samples is the batch's gradient.

        Args:
            w_KP: the weights of that pass.
            buffers: the running statistics before it.
            record: what the pass left.
            hyper: the members' numbers.

        Returns:
            (K, B), or None where a sample alone is another function: with statistics of the batch,
            or a module's own random draws.
        """

    @abstractmethod
    def grams(
        self, w_KP: Tensor, buffers: Buffers, batch: Minibatch, hyper: Hyperparameters
    ) -> Tensor | None:
        """Return the inner products (K, B, B) of the gradients of single samples, without noise.

        Args:
            w_KP: weights.
            buffers: running statistics, (K, *shape) each; not written into.
            batch: inputs and targets.
            hyper: the members' numbers; the dropout rates are not used.

        Returns:
            (K, B, B); where the network normalises by the batch, of gradients of batches of one.
            None where it refuses such batches.
        """
