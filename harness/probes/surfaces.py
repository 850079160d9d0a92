"""The run's optimizer on functions of two numbers, where one can watch it move."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, final

from pydantic import Field

from harness.core.lazy import Lazy
from harness.core.surfaces import SURFACES
from harness.probes.base import Memory, Probe, Scene, Values

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")

RATE_EXPONENTS = (-4, 0)
"""Of 10: between which learning rates are tried."""


@final
class Surfaces(Probe):
    """The run's own update rule, from its start, on an ill-conditioned quadratic, on the functions
    of Rosenbrock and Beale, and beside a saddle.

    Arrays: ``surfaces/paths`` (functions, 2, steps + 1), in the order of
    :data:`harness.core.surfaces.SURFACES`, and ``surfaces/rates`` (functions,), the learning rates
    taken. A rate that suits a network says nothing on another function: by default each function
    has the one of ``rates`` whose mean value along the way is lowest. All other numbers of the
    optimizer are the run's; schedule and regularizers stay behind, and nothing depends on data or
    seed.
    """

    prefix = "surfaces"
    every: int | Literal["log", "ends"] = Field(default="ends", union_mode="left_to_right")
    """Distance of two measurements; only that of the first update gives the paths."""
    steps: int = Field(default=150, ge=1)
    """Updates that are made on each function."""
    rates: int = Field(default=25, ge=1)
    """Learning rates tried on each function, evenly in their logarithm from 1e-4 to 1; 1 for the
    run's own alone."""

    def measure(self, scene: Scene, memory: Memory) -> Values:
        """Return paths (K, F, 2, steps + 1) and rates (K, F).

        It costs ``steps`` updates of 4 ``rates`` rows of two numbers for each member.

        Returns:
            {} after the first update, and for another library's optimizer.
        """
        if scene.step > 0:
            return {}
        # on the CPU and in float64 first, so that every device has the same numbers
        starts = torch.tensor([f.start for f in SURFACES.values()], dtype=torch.float64)
        rates = torch.logspace(*RATE_EXPONENTS, self.rates, dtype=torch.float64)
        paths = scene.paths_elsewhere(
            _slopes, starts, rates if self.rates > 1 else None, self.steps
        )
        if paths is None:
            return {}
        best_KF = _values(paths.points_KFRTD).mean(3).argmin(2)
        best_KFT2 = paths.points_KFRTD.take_along_dim(best_KF[..., None, None, None], 2)[:, :, 0]
        return {"paths": best_KFT2.mT, "rates": paths.lr_KR.gather(1, best_KF)}


def _slopes(points_MFR2: Tensor) -> Tensor:
    """Return the gradients of all functions at points, of the same shape."""
    each = zip(SURFACES.values(), points_MFR2.unbind(1), strict=True)
    return torch.stack([torch.stack(f.gradient(*at.unbind(-1)), -1) for f, at in each], 1)


def _values(points_KFRT2: Tensor) -> Tensor:
    """Return the values (K, F, R, T) of all functions at points."""
    each = zip(SURFACES.values(), points_KFRT2.unbind(1), strict=True)
    return torch.stack([f.value(*at.unbind(-1)) for f, at in each], 1)
