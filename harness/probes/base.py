"""What a probe sees of an update, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from harness.layout import Layout
from harness.spec.probe import Probe

if TYPE_CHECKING:
    from torch import Tensor

Memory = dict[str, "Tensor"]
"""What a probe keeps from one update to a later one; every tensor has the members first."""
Values = dict[str, "Tensor"]
"""Metrics by name, (K,) each."""


@dataclass(frozen=True)
class Scene:
    """One update of all members of a cohort, with means to ask further; nothing a probe does changes the training.

    Everything asked of it is computed without dropout and other noise, with the statistics of the batch where the
    network normalises by them.
    """

    step: int
    """Updates made before this one."""
    layout: Layout
    w_KP: Tensor
    """Weights before the update."""
    moved_KP: Tensor
    """Weights after it."""
    g_KP: Tensor
    """Gradient of the batch's loss, before clipping and penalties."""
    lr_K: Tensor
    """Learning rates of this update."""
    x_KB: Tensor
    y_KBD: Tensor
    """The update's batch."""
    losses: Callable[[Tensor, Tensor, Tensor], Tensor]
    """Mean losses (K,) of weights (K, P) on inputs and targets."""
    gradients: Callable[[Tensor, Tensor, Tensor], Tensor]
    """Gradients (K, P) of the mean losses of weights (K, P) on inputs and targets."""
    products: Callable[[Tensor, Tensor, Tensor], Callable[[Tensor], Tensor]]
    """Products v ↦ Hv (K, P) with the Hessians of these losses."""
    edge: Callable[[], Tensor]
    """Curvature (K,) at which each member's rule stops being stable on a quadratic; NaN where it is not known."""
    scale: Callable[[], Tensor | None]
    """What each rule divides the gradient by (K, P), number by number; None where no rule does."""
    activations: Callable[[Tensor, Tensor], dict[str, Tensor]]
    """Outputs (K, B, …) of every hidden layer for weights (K, P) and inputs."""
    outputs: Callable[[Tensor, Tensor], Tensor]
    """Outputs (K, N, D) for weights (K, P) and inputs, as in evaluation: with running statistics."""
    held: tuple[Tensor, Tensor] | None
    """Held-out inputs (1, N, …) and targets (N, D), where there are classes; else None."""
    samples: Callable[[int, str], tuple[Tensor, Tensor]]
    """A number of training samples of each member's own, drawn anew for each update and purpose."""

    def layers(self, rows_KP: Tensor) -> dict[str, Tensor]:
        """Return the weight tensors of the rows, biases and norms left out, flat (K, n) by layer."""
        views = self.layout.views(rows_KP)
        return {n.removesuffix(".weight"): v.flatten(1) for n, v in views.items() if n.endswith(".weight") and v.ndim > 2}


class Measure(Probe):
    """A probe of the harness."""

    span: ClassVar[int] = 1
    """Updates in a row that a measurement needs; it is given to the last of them."""

    def measure(self, scene: Scene, memory: Memory) -> Values:
        """Return the metrics of one update, by name without the prefix; ``memory`` lives as long as the run."""
        raise NotImplementedError
