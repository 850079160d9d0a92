"""The gradient against finite differences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from harness.core.lazy import Lazy
from harness.probes.base import Memory, Probe, Scene, Values

if TYPE_CHECKING:
    import torch
else:
    torch = Lazy("torch")


class GradientCheck(Probe):
    """|g·u − (L(θ+εu) − L(θ−εu))/2ε| / |g·u| along u = g/‖g‖ + a random direction of unit length.

    ``gradcheck/error``: the relative error of the directional derivative by central differences (Bishop 2006, 5.3.3).
    About 1e-9 is right in float64; in float32 rounding alone gives 1e-2.
    """

    prefix = "gradcheck"
    step: float = Field(default=1e-5, gt=0)
    """Length ε of a step."""

    def measure(self, scene: Scene, memory: Memory) -> Values:
        batch = scene.x_KB, scene.y_KBD
        g_KP = scene.own_gradient()
        stream = torch.Generator().manual_seed(scene.step)
        random_P = torch.randn(g_KP.shape[1], generator=stream, dtype=torch.float64).to(
            g_KP.device, g_KP.dtype
        )
        u_KP = g_KP / g_KP.norm(dim=1, keepdim=True) + random_P / random_P.norm()
        ahead, back = (
            scene.losses(scene.w_KP + side * self.step * u_KP, *batch) for side in (1, -1)
        )
        slope_K = (g_KP * u_KP).sum(1)
        return {"error": (slope_K - (ahead - back) / (2 * self.step)).abs() / slope_K.abs()}
