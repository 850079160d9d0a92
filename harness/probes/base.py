"""What a probe sees of an update, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from pydantic import Field

from harness.core.lazy import Lazy
from harness.core.parameter_layout import Layout
from harness.core.streams import derive
from harness.spec.component import Component

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")

Memory = dict[str, "Tensor"]
"""What a probe keeps from one update to a later one; every tensor has the members first."""
Values = dict[str, "Tensor"]
"""Metrics by name, (K,) each; of an array (K, …) a run keeps the last."""


class Norms(NamedTuple):
    """Norms of rows."""

    places: Mapping[str, int]
    """Each layer's place among the tensors."""
    each_TK: Tensor
    """Norm of each tensor."""
    whole_K: Tensor
    """Norm of all parameters."""

    def layers(self, over: Norms | None = None) -> dict[str, Tensor]:
        """Return the norms (K,) of each layer's weights, or their ratios to others."""
        rows = (self.each_TK if over is None else self.each_TK / over.each_TK).unbind()
        return {name: rows[place] for name, place in self.places.items()}


@dataclass(frozen=True)
class Scene:
    """One update of all members of a cohort, with means to ask further; nothing a probe does changes the training.

    Everything asked of it is computed without dropout and other noise, with the statistics of the batch where the
    network normalises by them.
    """

    step: int
    """Updates made before this one."""
    last: bool
    """Whether it is the run's last."""
    layout: Layout
    room_2KP: Tensor
    """Weights before the update, and room for the update."""
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
    """Gradients (K, P) of the mean losses of weights (K, P) on inputs and targets; the next call uses their memory again."""
    quiet: tuple[Tensor, Tensor] | None
    """Loss (K,) and gradient (K, P) of the update's batch, where the update itself was made without noise."""
    products: Callable[[Tensor, Tensor, Tensor], Callable[[Tensor], Tensor]]
    """Products v ↦ Hv (K, P) with the Hessians of these losses."""
    stability_threshold: Callable[[], Tensor]
    """Curvature (K,) at which each member's rule stops being stable on a quadratic; NaN where it is not known."""
    preconditioner: Callable[[], Tensor | None]
    """What each rule divides the gradient by (K, P), number by number; None where no rule does."""
    hidden: Callable[[], dict[str, Tensor]]
    """Outputs (K, B, …) of every hidden layer before the update, for its batch."""
    held: Callable[[], tuple[Tensor, Tensor] | None]
    """Outputs (K, N, D) before the update and targets (N, D) of the held-out samples, as in evaluation: with running
    statistics; None where there are none, or no classes."""
    samples: Callable[[int, str], tuple[Tensor, Tensor]]
    """A number of training samples of each member's own, drawn anew for each update and purpose."""
    sample_norms: Callable[[], Tensor | None]
    """Squared norms (K, B) of the gradients of the batch's samples one by one, as they were trained on, noise and all; None
    for networks that don't tell."""
    grams: Callable[[Tensor, Tensor], Tensor]
    """Products (K, B, B) of the gradients of single samples with each other."""
    evaluated: Callable[[], dict[str, dict[str, Tensor]]]
    """Loss and accuracy (K,) before the update on samples of "train" and "valid", as every evaluation measures them."""

    limits: tuple[float, float] | None
    """Bounds of the hidden units' nonlinearity, where it has any."""

    @property
    def w_KP(self) -> Tensor:  # noqa: N802
        """Weights before the update; the next one's take their place."""
        return self.room_2KP[0]

    def own_gradient(self) -> Tensor:
        """Return the gradient (K, P) of the update's batch without noise."""
        return (
            self.quiet[1]
            if self.quiet
            else self.gradients(self.w_KP, self.x_KB, self.y_KBD).clone()
        )

    def own_loss(self) -> Tensor:
        """Return the loss (K,) of the update's batch without noise."""
        return self.quiet[0] if self.quiet else self.losses(self.w_KP, self.x_KB, self.y_KBD)

    @cached_property
    def gradient_norms(self) -> Norms:
        """Norms of the batch's gradient."""
        return self.norms(self.g_KP)

    @cached_property
    def update_norms(self) -> tuple[Norms, Norms]:
        """Norms of the weights before the update, and of the update."""
        both_2KP = self.room_2KP.flatten(0, 1)
        torch.sub(self.moved_KP, self.w_KP, out=self.room_2KP[1])
        places, each_T2K, whole_2K = self.norms(both_2KP)
        weights, update = zip(each_T2K.chunk(2, 1), whole_2K.chunk(2), strict=True)
        return Norms(places, *weights), Norms(places, *update)

    def norms(self, rows_KP: Tensor) -> Norms:
        """Return the norms of the rows."""
        pieces = rows_KP.split_with_sizes(self.layout.cuts, 1)[::2]
        each_TK = torch.stack([torch.linalg.vector_norm(piece, dim=1) for piece in pieces])
        return Norms(self.layout.layers, each_TK, torch.linalg.vector_norm(each_TK, dim=0))


class Probe(Component):
    """A quantity measured while a run trains; it never changes what is trained."""

    kind = "probe"
    prefix: ClassVar[str] = ""
    """First part of the names of the metrics it records."""
    every: int | Literal["log", "ends"] = Field(default=1, union_mode="left_to_right")
    """Distance of two measurements; "log" measures at updates 0, 1, 2, 4, 8, …, "ends" at the first and the last."""
    unit: Literal["epochs", "steps"] = "epochs"
    """What ``every`` counts."""
    span: ClassVar[int] = 1
    """Updates in a row that a measurement needs; it is given to the last of them."""
    repeatable: ClassVar[bool] = True
    """Whether the same run gives the same numbers again."""

    def timing(self, per_epoch: int, steps: int) -> Callable[[int], bool]:
        """Return whether it measures the update after so many others; the first and the last are always measured.

        Args:
            per_epoch: updates in an epoch.
            steps: updates in the run.

        >>> due = Probe.parse({"name": "GradientNorm", "every": 2}).timing(per_epoch=10, steps=32)
        >>> [step for step in range(32) if due(step)]
        [0, 20, 31]
        """
        last = steps - 1
        if self.every == "ends":
            return lambda step: step in (0, last)
        if self.every == "log":
            return lambda step: step & (step - 1) == 0 or step == last
        stride = self.every * (per_epoch if self.unit == "epochs" else 1)
        return lambda step: step % stride == 0 or step == last

    def measure(self, scene: Scene, memory: Memory) -> Values:
        """Return the metrics of one update, by name without the prefix; ``memory`` lives as long as the run."""
        raise NotImplementedError


def random_row(scene: Scene, *purpose: str | int) -> Tensor:
    """Return one row (1, P) from N(0, 1), the same for every member; zero between tensors."""
    shapes = {name: slot.shape for name, slot in scene.layout.slots.items()}
    stream = _torch_stream(scene.step, *purpose)
    drawn = {
        name: torch.randn(1, *shape, generator=stream, dtype=torch.float64)
        for name, shape in shapes.items()
    }
    like_1P = scene.w_KP[:1]
    return scene.layout.pack(
        {name: v.to(like_1P.device, like_1P.dtype) for name, v in drawn.items()}, like_1P
    )


def probes_of(parts: Iterable[Component]) -> tuple[Probe, ...]:
    """Return the parts of a spec that are probes, as such."""
    return tuple(part for part in parts if isinstance(part, Probe))


def _torch_stream(seed: int, *purpose: str | int) -> torch.Generator:
    """Return a fresh torch generator on the CPU for the named stream."""
    return torch.Generator().manual_seed(derive(seed, *purpose))
