"""The gradient against finite differences, weight by weight."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, final

from pydantic import Field

from harness.core.lazy import Lazy
from harness.core.streams import numpy_stream
from harness.probes.base import Memory, Probe, Scene, Values, random_row

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


@final
class GradientCheck(Probe):
    """|g − d|/max(|g|, |d|) of the derivative g and d = (L(θ + εu) − L(θ − εu))/2ε.

    ``gradcheck/error``: the median over single weights, u along one at a time, of those that the
    loss depends on. ``gradcheck/direction``: along g/‖g‖ + a random direction of unit length, where
    a fault in any weight shows. About 1e-9 is right in float64 (Bishop 2006, 5.3.3); an error that
    stays as the step gets smaller is a wrong gradient. Where differences over ε and ε/10 disagree
    by more than rounding explains, a kink (of ReLU, of an absolute error) lies between the ends and
    there is no derivative to compare with: such a weight or direction is left out of the errors,
    and ``gradcheck/kinks`` is the share of weights that it happened to.
    """

    prefix = "gradcheck"
    step: float = Field(default=1e-5, gt=0)
    """Length ε of a step: the error has ε² of the third derivative and 1e-16/ε of rounding."""
    weights: int = Field(default=16, ge=1)
    """Weights that are checked, drawn anew for each update."""

    def measure(self, scene: Scene, memory: Memory) -> Values:
        """Return the errors (K,) of weights and of a direction, and the share of kinks.

        It costs four losses for each weight and for the direction, and one gradient where training
        is noisy. Nothing is kept in memory.
        """
        g_KP = scene.own_gradient()

        def losses(w_KP: Tensor) -> Tensor:
            return scene.losses(w_KP, scene.x_KB, scene.y_KBD)

        checks = [
            self._compare(losses, scene.w_KP, g_KP, unit)
            for unit in _single_weights(scene, self.weights)
        ]
        error_KN = torch.stack([check.error_K for check in checks], 1)
        kink_KN = torch.stack([check.kink_K for check in checks], 1)
        # along g alone errors at right angles to it would go unseen; along a random direction alone
        # g·u would be small, and rounding large beside it
        random_1P = random_row(scene, "gradcheck direction")
        u_KP = g_KP / g_KP.norm(dim=1, keepdim=True) + random_1P / random_1P.norm()
        return {
            "error": error_KN.nanmedian(1).values,
            "direction": self._compare(losses, scene.w_KP, g_KP, u_KP).error_K,
            "kinks": kink_KN.to(g_KP.dtype).mean(1),
        }

    def _compare(
        self, losses: Callable[[Tensor], Tensor], w_KP: Tensor, g_KP: Tensor, u_KP: Tensor
    ) -> DerivativeCheck:
        """Return the error of the derivative g·u; NaN across a kink, and where both are 0.

        Args:
            losses: w ↦ losses (K,).
            w_KP: where the derivative is taken.
            g_KP: the gradient there.
            u_KP: the direction, of each member or (1, P) of all.
        """
        slope_K = (g_KP * u_KP).sum(1)
        wide_K, rounding_K = _central(losses, w_KP, u_KP, self.step)
        narrow_K, more_rounding_K = _central(losses, w_KP, u_KP, self.step / 10)
        # a smooth loss lets them differ by O(ε²), far below this share
        allowed_K = _SMOOTH * torch.maximum(wide_K.abs(), narrow_K.abs())
        kink_K = (wide_K - narrow_K).abs() > allowed_K + rounding_K + more_rounding_K
        error_K = (slope_K - wide_K).abs() / torch.maximum(slope_K.abs(), wide_K.abs())
        return DerivativeCheck(error_K.masked_fill(kink_K, torch.nan), kink_K)


class DerivativeCheck(NamedTuple):
    """A derivative beside its finite difference."""

    error_K: Tensor
    """Relative error; NaN where there is nothing to compare."""
    kink_K: Tensor
    """Whether a kink lies between the ends of the difference."""


_SMOOTH = 1e-4
"""Relative difference of two finite differences from which a kink lies between them."""


def _central(
    losses: Callable[[Tensor], Tensor], w_KP: Tensor, u_KP: Tensor, step: float
) -> tuple[Tensor, Tensor]:
    """Return the central difference (K,) over ±ε, and a bound of its rounding."""
    ahead_K, back_K = losses(w_KP + step * u_KP), losses(w_KP - step * u_KP)
    # each loss is a mean of many terms, wrong by some units in the last place
    unit = 16 * torch.finfo(w_KP.dtype).eps
    return (ahead_K - back_K) / (2 * step), unit * (ahead_K.abs() + 1e-3) / step


def _single_weights(scene: Scene, count: int) -> list[Tensor]:
    """Return unit rows (1, P), each along one weight; all different, the same for every member."""
    columns = [
        column
        for slot in scene.layout.slots.values()
        for column in range(slot.offset, slot.offset + slot.size)
    ]
    drawn = numpy_stream(scene.step, "gradcheck weights").permutation(columns)[:count]
    units = []
    for column in drawn.tolist():
        unit_1P = scene.w_KP.new_zeros(1, scene.w_KP.shape[1])
        unit_1P[0, column] = 1.0
        units.append(unit_1P)
    return units
