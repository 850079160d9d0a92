"""The gradient against finite differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pydantic import Field

from harness.core.lazy import Lazy
from harness.probes.base import Memory, Probe, Scene, Values

if TYPE_CHECKING:
    import torch
else:
    torch = Lazy("torch")


@final
class GradientCheck(Probe):
    """|g·u − (L(θ+εu) − L(θ−εu))/2ε| / |g·u| along u = g/‖g‖ + a random direction of unit length.

    ``gradcheck/error``: the relative error of the directional derivative by central differences
    (Bishop 2006, 5.3.3). About 1e-9 is right in float64; in float32 rounding alone gives 1e-2. An
    error that stays as the step gets smaller is a wrong gradient.
    """

    prefix = "gradcheck"
    step: float = Field(default=1e-5, gt=0)
    """Length ε of a step: the error has ε² of the third derivative and 1e-16/ε of rounding."""

    def measure(self, scene: Scene, memory: Memory) -> Values:
        """Return the error (K,) of the gradient along one direction, drawn anew for each update.

        It costs two losses, and one gradient where training is noisy. Nothing is kept in memory.
        """
        batch = scene.x_KB, scene.y_KBD
        g_KP = scene.own_gradient()
        # drawn on the CPU in float64, so that every device and precision has the same direction; it
        # may have numbers in the gaps between tensors, where no loss looks and g is 0
        stream = torch.Generator().manual_seed(scene.step)
        random_P = torch.randn(g_KP.shape[1], generator=stream, dtype=torch.float64)
        random_P = random_P.to(g_KP.device, g_KP.dtype)
        # along g alone errors at right angles to it would go unseen; along a random direction alone
        # g·u would be small, and rounding large beside it
        u_KP = g_KP / g_KP.norm(dim=1, keepdim=True) + random_P / random_P.norm()
        # g·u against (L(θ + εu) − L(θ − εu))/2ε, whose error is O(ε²)
        ahead_K = scene.losses(scene.w_KP + self.step * u_KP, *batch)
        back_K = scene.losses(scene.w_KP - self.step * u_KP, *batch)
        slope_K = (g_KP * u_KP).sum(1)
        return {"error": (slope_K - (ahead_K - back_K) / (2 * self.step)).abs() / slope_K.abs()}
