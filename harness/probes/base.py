"""What a probe sees of an update, and what it gives back.

To write a probe, subclass :class:`Probe`, name its ``prefix``, and compute metrics (K,) in
``measure`` from what the :class:`Scene` holds or can be asked; what it needs later goes into
``memory``.

:mod:`harness.engine.probing` calls ``measure`` after each update that a probe is due at, with the
scene that :mod:`harness.engine.probe_scenes` makes. What is cheap is a field of the scene; what
costs a pass over the network is a callable, so that it is computed only if a probe asks.
"""

from __future__ import annotations

from abc import abstractmethod
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
"""What a probe keeps from one update to a later one, by names of its own.

Every tensor has the members first, since members leave the cohort and the run may go on elsewhere.
"""
Values = dict[str, "Tensor"]
"""Metrics by name without the probe's prefix: numbers (K,), which make a curve, or arrays (K, …),
of which a run keeps the last.
"""


Slopes = Callable[["Tensor"], "Tensor"]
"""Points (…, F, R, D) ↦ gradients of F functions there, of the same shape."""


class PathsElsewhere(NamedTuple):
    """Where optimizers go on functions that are no network's loss."""

    points_KFRTD: Tensor
    """T places, the start the first of them, of each member, function and learning rate. A path
    that leaves every bound stays at its last place within."""
    lr_KR: Tensor
    """The learning rates."""


class Norms(NamedTuple):
    """Norms of rows of weights, gradients or updates: of every tensor, and of the whole."""

    places: Mapping[str, int]
    """Each layer's place among the tensors, by its name: that of its weights."""
    each_TK: Tensor
    """Norm of each tensor, in the order of the layout."""
    whole_K: Tensor
    """Norm of all parameters."""

    def layers(self, over: Norms | None = None) -> dict[str, Tensor]:
        """Return the norms (K,) of each layer's weights by name, or their ratios to ``over``'s.

        Args:
            over: norms to divide by, tensor by tensor; None for the norms themselves.

        Returns:
            Layers' weights alone: biases and normalizations' parameters have no entry.
        """
        rows = (self.each_TK if over is None else self.each_TK / over.each_TK).unbind()
        return {name: rows[place] for name, place in self.places.items()}


@dataclass(frozen=True)
class Scene:
    """One update of all members of a cohort, and means to ask further. Looking changes nothing.

    K are the members, B the samples of the batch, P the numbers of a row of weights (with gaps
    between tensors, see ``layout``), D the outputs. The tensors are the training's own: read them,
    clone what is kept, and write into none. A row for every member goes in, and one comes out.

    Losses, gradients and products that are asked for are of the plain loss: without dropout, other
    noise, penalties and clipping, and with the statistics of the batch where the network normalises
    by them. Each says when it is not so.
    """

    # --- which update ---
    step: int
    """Updates made before this one."""
    last: bool
    """Whether it is the run's last."""

    # --- the update as it was made ---
    layout: Layout
    """Where each tensor lies in a row: ``layout.views(rows)`` gives them by name."""
    workspace_2KP: Tensor
    """Weights before the update, and memory that :attr:`update_norms` writes the update into."""
    moved_KP: Tensor
    """Weights after it."""
    g_KP: Tensor
    """Gradient of the batch's loss as trained on, noise and all; before clipping and penalties."""
    lr_K: Tensor
    """Learning rates of this update, the schedule's factor included."""
    x_KB: Tensor
    """Inputs (K, B, *shape) of the update's batch, or (1, B, *shape) where members share them."""
    y_KBD: Tensor
    """Its targets."""
    hidden: Callable[[], dict[str, Tensor]]
    """() ↦ outputs (K, B, …, F) of every hidden layer by name, before the update, on its batch."""
    hidden_bounds: tuple[float, float] | None
    """Bounds of the hidden units' nonlinearity, where it saturates."""
    sample_norms_at_hand: bool
    """Whether ``sample_norms`` follows from the update's own pass, rather than from a gradient for
    each sample of the batch."""
    sample_norms: Callable[[], Tensor | None]
    """() ↦ squared norms (K, B) of the gradients of the batch's samples one by one, as they were
    trained on, noise and all; None where a sample alone is another function: with statistics of
    the batch, or a module's own random draws."""

    # --- loss and derivatives at any weights (K, P), on any inputs and targets ---
    losses: Callable[[Tensor, Tensor, Tensor], Tensor]
    """(w, x, y) ↦ mean losses (K,)."""
    gradients: Callable[[Tensor, Tensor, Tensor], Tensor]
    """(w, x, y) ↦ gradients (K, P) of the mean losses; the next call overwrites them."""
    products: Callable[[Tensor, Tensor, Tensor], Callable[[Tensor], Tensor]]
    """(w, x, y) ↦ (v ↦ Hv), products (K, P) with the Hessians of the mean losses."""
    grams: Callable[[Tensor, Tensor], Tensor | None]
    """(x, y) ↦ inner products (K, B, B) of single samples' gradients, at the weights before; None
    for modules that refuse batches of one, as those with torch's batch normalization do."""
    noise_free: tuple[Tensor, Tensor] | None
    """Loss (K,) and gradient (K, P) of the update's batch, where the update itself was made without
    noise; else None, and :meth:`own_loss` and :meth:`own_gradient` compute them."""

    # --- other samples ---
    samples: Callable[[int, str], tuple[Tensor, Tensor]]
    """(count, purpose) ↦ training samples of each member's own, drawn anew for each update and
    purpose; at most the training set."""
    held: Callable[[], tuple[Tensor, Tensor] | None]
    """() ↦ outputs (K, N, D) before the update and targets (N, D) of the held-out samples, as in
    evaluation: with running statistics; None where there are none, or no classes. The targets are
    (K, N, D) where members are on several splits of the data."""
    evaluated: Callable[[], dict[str, dict[str, Tensor]]]
    """() ↦ ``loss`` and ``accuracy`` (K,) before the update on samples of "train" and "valid", as
    every evaluation measures them."""

    # --- the optimizer ---
    stability_threshold: Callable[[], Tensor]
    """() ↦ curvature (K,) at which each member's optimizer stops being stable on a quadratic; NaN
    where it is not known."""
    preconditioner: Callable[[], Tensor | None]
    """() ↦ what each optimizer divides the gradient by (K, P); None where none does."""
    paths_elsewhere: Callable[[Slopes, Tensor, Tensor | None, int], PathsElsewhere | None]
    """(gradient, starts (F, D), rates (R,), steps) ↦ where each member's optimizer, begun afresh,
    goes on F other functions of D numbers at each of the learning rates; without rates at its own.
    ``gradient`` takes points (…, F, R, D). None for another library's optimizer."""

    @property
    def w_KP(self) -> Tensor:  # noqa: N802
        """Weights before the update; clone them to keep them: the next scene overwrites them."""
        return self.workspace_2KP[0]

    def own_gradient(self) -> Tensor:
        """Return the gradient (K, P) of the update's batch without noise; do not write into it."""
        if self.noise_free is not None:
            return self.noise_free[1]
        # a copy: the memory of ``gradients`` is overwritten by whoever asks next
        return self.gradients(self.w_KP, self.x_KB, self.y_KBD).clone()

    def own_loss(self) -> Tensor:
        """Return the loss (K,) of the update's batch without noise."""
        if self.noise_free is not None:
            return self.noise_free[0]
        return self.losses(self.w_KP, self.x_KB, self.y_KBD)

    @cached_property
    def gradient_norms(self) -> Norms:
        """Norms of the batch's gradient ``g_KP``; computed once for all probes."""
        return self.norms(self.g_KP)

    @cached_property
    def update_norms(self) -> tuple[Norms, Norms]:
        """Norms of the weights before the update, and of the update; computed once for all."""
        # the update is written beside the weights, so that one pass takes the norms of both
        torch.sub(self.moved_KP, self.w_KP, out=self.workspace_2KP[1])
        places, each_T2K, whole_2K = self.norms(self.workspace_2KP.flatten(0, 1))
        weights, update = zip(each_T2K.chunk(2, 1), whole_2K.chunk(2), strict=True)
        return Norms(places, *weights), Norms(places, *update)

    def norms(self, rows_KP: Tensor) -> Norms:
        """Return the norms of the rows, tensor by tensor and of the whole.

        Args:
            rows_KP: rows in the scene's layout, such as weights or gradients.
        """
        # cuts are the sizes of tensors and of the gaps behind them by turns; gaps are left out
        tensors = rows_KP.split_with_sizes(self.layout.cuts, 1)[::2]
        each_TK = torch.stack([torch.linalg.vector_norm(tensor, dim=1) for tensor in tensors])
        # ‖θ‖ = √Σ_t ‖θ_t‖²: the norm of the norms, without a second pass over the rows
        return Norms(self.layout.layers, each_TK, torch.linalg.vector_norm(each_TK, dim=0))


class Probe(Component):
    """A quantity measured while a run trains; it never changes what is trained.

    Its fields say when and how it is measured; the class docstring is the caption of its figures.
    """

    kind = "probe"
    prefix: ClassVar[str] = ""
    """First part of the names of the metrics it records."""
    every: int | Literal["log", "ends"] = Field(default=1, union_mode="left_to_right")
    """Distance of two measurements; "log" measures at updates 0, 1, 2, 4, 8, …, "ends" at the first
    and the last."""
    unit: Literal["epochs", "steps"] = "epochs"
    """What ``every`` counts."""
    span: ClassVar[int] = 1
    """Updates in a row that a measurement needs; it is given to the last of them."""
    repeatable: ClassVar[bool] = True
    """Whether the same run gives the same numbers again."""

    def timing(self, per_epoch: int, steps: int) -> Callable[[int], bool]:
        """Return step ↦ whether it measures the update after so many others.

        The first and the last update are always measured.

        Args:
            per_epoch: updates in an epoch.
            steps: updates in the run.

        Returns:
            A function of the updates made before, 0 … steps − 1.

        >>> due = Probe.parse({"name": "GradientNorm", "every": 2}).timing(per_epoch=10, steps=32)
        >>> [step for step in range(32) if due(step)]
        [0, 20, 31]
        """
        # the last update in every case: a curve then ends where the run does
        last = steps - 1
        if self.every == "ends":
            return lambda step: step in (0, last)
        if self.every == "log":
            # step & (step − 1) clears the lowest bit: 0 for 0 and for powers of two, which have one
            return lambda step: step & (step - 1) == 0 or step == last
        stride = self.every * (per_epoch if self.unit == "epochs" else 1)
        return lambda step: step % stride == 0 or step == last

    @abstractmethod
    def measure(self, scene: Scene, memory: Memory) -> Values:
        """Return the metrics of one update, by name without the prefix.

        Args:
            scene: the update, and what can be asked about it.
            memory: what earlier calls have put there; empty at first. It lives as long as the run,
                across checkpoints, and loses the rows of members that leave the cohort.

        Returns:
            Numbers (K,) by name, or arrays (K, …). Names may be left out where there is nothing to
            measure, {} for all of them.
        """


def random_row(scene: Scene, *purpose: str | int) -> Tensor:
    """Return one row (1, P) from N(0, 1), the same for every member; zero between tensors.

    Args:
        scene: whose step names the stream, and whose layout the row has.
        purpose: names the stream too.

    Returns:
        (1, P) on the device and in the precision of the weights.
    """
    stream, like_1P, drawn = _torch_stream(scene.step, *purpose), scene.w_KP[:1], {}
    for name, slot in scene.layout.slots.items():
        # on the CPU and in float64 first, so that every device and precision has the same numbers
        number = torch.randn(1, *slot.shape, generator=stream, dtype=torch.float64)
        drawn[name] = number.to(like_1P.device, like_1P.dtype)
    return scene.layout.pack(drawn, like_1P)


def probes_of(parts: Iterable[Component]) -> tuple[Probe, ...]:
    """Return the parts of a spec that are probes, in their order and as what they are.

    Args:
        parts: components of any kind, as specs hold them.
    """
    return tuple(part for part in parts if isinstance(part, Probe))


def _torch_stream(seed: int, *purpose: str | int) -> torch.Generator:
    """Return a fresh torch generator on the CPU for the named stream.

    Args:
        seed: here the step, not a run's seed: all members see the same numbers.
        purpose: what they are for.
    """
    return torch.Generator().manual_seed(derive(seed, *purpose))
