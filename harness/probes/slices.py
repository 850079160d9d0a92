"""The loss along a line and over a plane through the weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, final

from pydantic import Field

from harness.core.lazy import Lazy
from harness.probes.base import Memory, Probe, Scene, Values, random_row

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")

LINE_ENDS = (-0.25, 1.5)
"""Where the line begins and ends; 0 is the initial weights, 1 the final ones."""


@final
class LossSlice(Probe):
    """L(θ₀ + α(θ − θ₀)) from the initial to the final weights, and L(θ + αd₁ + βd₂) around these.

    Arrays, both of the last update: ``slice/line`` (2, points), α ∈ [−0.25, 1.5] and the losses
    (Goodfellow, Vinyals & Saxe 2015); ``slice/plane`` (n, n), rows by β and columns by α ∈ [−1, 1],
    with random directions whose every filter is as long as the weights' own (Li et al. 2018).
    ``slice/barrier`` = max over α ∈ [0, 1] of L(α) − (1 − α)L(0) − αL(1), in units of the loss: 0
    if the way lies nowhere above the straight line between its ends, as it does for most networks.
    A run that ends before its last update has none of them.
    """

    prefix = "slice"
    every: int | Literal["log", "ends"] = Field(default="ends", union_mode="left_to_right")
    """Distance of two measurements; only that of the last update gives the slices."""
    points: int = Field(default=29, ge=3)
    """Points of the line."""
    plane: int = Field(default=15, ge=0)
    """Points of each side of the plane; 0, no plane."""
    samples: int = Field(default=512, ge=1)
    """Training samples of each member's own that the loss is taken over."""

    def measure(self, scene: Scene, memory: Memory) -> Values:
        """Return line (K, 2, points), plane (K, n, n) and barrier (K,) after the last update.

        It costs a loss for each point of line and plane. The initial weights (K, P) are kept in
        memory.

        Returns:
            {} before the last update.
        """
        # the first measurement is before the first update: its weights are θ₀
        start_KP = memory.setdefault("start", scene.w_KP.clone())
        if not scene.last:
            return {}
        batch = scene.samples(self.samples, "slice")

        def loss(w_KP: Tensor) -> Tensor:
            return scene.losses(w_KP, *batch)

        values = self._line(start_KP, scene.moved_KP, loss)
        return values | ({"plane": self._plane(scene, loss)} if self.plane else {})

    def _line(self, start_KP: Tensor, end_KP: Tensor, loss: Callable[[Tensor], Tensor]) -> Values:
        """Return the losses on the line through two points, and the barrier between them.

        Args:
            start_KP: weights at α = 0.
            end_KP: weights at α = 1.
            loss: weights ↦ losses (K,), always on the same samples.
        """
        # one set of weights at a time: all points at once would take the memory of so many cohorts
        alphas = torch.linspace(*LINE_ENDS, self.points, dtype=torch.float64).tolist()
        line_KN = torch.stack([loss(torch.lerp(start_KP, end_KP, alpha)) for alpha in alphas], 1)
        # the ends need not be among the points of the line
        start_K, end_K = loss(start_KP), loss(end_KP)
        above = [
            line_KN[:, i] - torch.lerp(start_K, end_K, alpha)
            for i, alpha in enumerate(alphas)
            if 0 <= alpha <= 1
        ]
        return {
            "line": torch.stack([line_KN.new_tensor(alphas).expand_as(line_KN), line_KN], 1),
            "barrier": torch.stack(above, 1).amax(1).clamp(min=0),
        }

    def _plane(self, scene: Scene, loss: Callable[[Tensor], Tensor]) -> Tensor:
        """Return L(θ + αd₁ + βd₂), (K, β, α), for α and β from −1 to 1 and random filters d."""
        first_KP, second_KP = (_filterwise(scene, random_row(scene, "slice", i)) for i in range(2))
        side = torch.linspace(-1, 1, self.plane, dtype=torch.float64).tolist()
        rows = [[loss(scene.moved_KP + a * first_KP + b * second_KP) for a in side] for b in side]
        return torch.stack([torch.stack(row, 1) for row in rows], 1)


def _filterwise(scene: Scene, direction_1P: Tensor) -> Tensor:
    """Return the direction with every filter as long as the weights' own: d ← d ‖w‖/‖d‖.

    A filter is what one unit or channel weighs its inputs with. Without this, layers whose scale
    does not matter (behind them is a normalization or ReLU) would look flat or sharp by their scale
    alone. Biases and normalizations' parameters, (K, F) each, stay where they are.

    Args:
        scene: whose weights after the update the lengths are taken from.
        direction_1P: one random row for all members.

    Returns:
        (K, P), of each member's own lengths.
    """
    # (K, *shape) of the weights, and (1, *shape) of the direction, which all members share
    weights, drawn = scene.layout.views(scene.moved_KP), scene.layout.views(direction_1P)
    scaled = {}
    for name, w in weights.items():
        d = drawn[name]
        if w.ndim < 3:  # (K, F): no filters
            scaled[name] = torch.zeros_like(w)
            continue
        scaled[name] = d * _filter_norms(w) / _filter_norms(d)
    return scene.layout.pack(scaled, scene.moved_KP)


def _filter_norms(w: Tensor) -> Tensor:
    """Return the norms of weights (K, out, …) by their first two axes, as (K, out, 1, …)."""
    norms: Tensor = w.flatten(2).norm(dim=2)
    return norms.view(*w.shape[:2], *(1,) * (w.ndim - 2))
