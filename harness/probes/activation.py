"""What the hidden layers put out."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from harness.core.lazy import Lazy
from harness.probes.base import Memory, Probe, Scene, Values

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")

SATURATION_MARGIN = 0.05
"""An output is saturated within this share of the nonlinearity's range from one of its bounds."""
DEAD_SPREAD = 1e-6
"""A unit is dead if its outputs spread no wider than this times the layer's root mean square: some
ten roundings of float32."""


@final
class Activations(Probe):
    """Mean, spread, dead and saturated units of every hidden layer's output over a batch.

    For each layer ``activation/<layer>/mean``, ``…/std`` and ``…/rms`` = √(mean h²), over units and
    samples, in the units of h; ``…/dead``: the share of units that give the same number for all
    samples, to 1e-6 of the layer's rms; ``…/saturated``: the share of outputs within 5 % of the
    range from a bound of the nonlinearity, if it has bounds (tanh, sigmoid).
    ``activation/dead`` and ``activation/saturated`` are means over layers;
    ``activation/ratio`` is the last layer's rms over the first's. About 1 is healthy: far below,
    signals die out on their way up; far above, they explode (Glorot & Bengio 2010; He et al. 2015).
    A dead unit learns nothing more; ReLU networks live well with a few.
    """

    prefix = "activation"

    def measure(self, scene: Scene, memory: Memory) -> Values:
        """Return the statistics of each hidden layer, and what they give together, (K,) each.

        It costs nothing but the statistics where the update's own pass was without noise, and one
        forward pass more where it was not. Nothing is kept in memory.

        Returns:
            {} for networks without hidden layers, and for torch modules, which show none.
        """
        # positions of convolutions and tokens count as samples: (K, N, F)
        layers = {name: h.flatten(1, -2) for name, h in scene.hidden().items()}
        if not layers:
            return {}
        rows = {name: _statistics(h_KNF, scene.hidden_bounds) for name, h_KNF in layers.items()}
        values = {
            f"{name}/{statistic}": value_K
            for name, row in rows.items()
            for statistic, value_K in row.items()
        }
        ordered = list(rows.values())
        values["ratio"] = ordered[-1]["rms"] / ordered[0]["rms"]
        for statistic in ("dead", "saturated"):
            if statistic in ordered[0]:
                values[statistic] = torch.stack([row[statistic] for row in ordered]).mean(0)
        return values


def _statistics(h_KNF: Tensor, bounds: tuple[float, float] | None) -> Values:
    """Return the statistics of one layer's outputs, (K,) each.

    Args:
        h_KNF: outputs, N samples (and positions) of F units; left as they are.
        bounds: of the nonlinearity; None where it does not saturate, and no share is returned.
    """
    flat_KN = h_KNF.flatten(1)
    mean_K = flat_KN.mean(1)
    rms_K = torch.linalg.vector_norm(flat_KN, dim=1).div_(flat_KN.shape[1] ** 0.5)
    # Var h = E h² − (E h)², from the two that are there already; rounding may leave it below 0
    std_K = torch.addcmul(rms_K.square(), mean_K, mean_K, value=-1).clamp_(min=0).sqrt_()
    # relative to the layer's size, since rounding alone spreads the outputs of a constant unit
    spread_KF = h_KNF.amax(1).sub_(h_KNF.amin(1))
    dead_KF = spread_KF <= (DEAD_SPREAD * rms_K)[:, None]
    values = {
        "mean": mean_K,
        "std": std_K,
        "rms": rms_K,
        "dead": dead_KF.sum(1) / dead_KF.shape[1],
    }
    if bounds is not None:
        low, high = bounds
        margin = SATURATION_MARGIN * (high - low)
        saturated = (h_KNF < low + margin) | (h_KNF > high - margin)
        values["saturated"] = saturated.mean((1, 2), dtype=h_KNF.dtype)
    return values
