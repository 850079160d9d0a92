"""What the hidden layers give out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.lazy import Lazy
from harness.probes.base import Memory, Probe, Scene, Values

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")

NEAR = 0.05
"""A bounded output is saturated within this share of its range from a bound."""


class Activations(Probe):
    """Mean, spread, root mean square, dead units and saturation of every hidden layer's output over the update's batch.

    ``activation/<layer>/mean``, ``…/std``, ``…/rms``; ``…/dead``: the share of units that give the same number for all
    samples, to 1e-6 of the layer's scale; ``…/saturated``: the share of outputs within 5 % of the range from a bound, where
    the nonlinearity has bounds (tanh, sigmoid). ``activation/dead`` and ``activation/saturated`` are means over layers,
    ``activation/ratio`` the last layer's rms over the first's.
    """

    prefix = "activation"

    def measure(self, scene: Scene, memory: Memory) -> Values:
        hidden = {name: h.flatten(1, -2) for name, h in scene.hidden().items()}
        if not hidden:
            return {}
        rows = [_layer(h_KNF, scene.limits) for h_KNF in hidden.values()]
        found = {
            f"{name}/{kind}": v_K
            for name, row in zip(hidden, rows, strict=True)
            for kind, v_K in row.items()
        }
        found["ratio"] = rows[-1]["rms"] / rows[0]["rms"]
        means = {
            kind: torch.stack([row[kind] for row in rows]).mean(0)
            for kind in ("dead", "saturated")
            if kind in rows[0]
        }
        return found | means


def _layer(h_KNF: Tensor, limits: tuple[float, float] | None) -> Values:
    flat_KN = h_KNF.flatten(1)
    mean_K, rms_K = (
        flat_KN.mean(1),
        torch.linalg.vector_norm(flat_KN, dim=1).div_(flat_KN.shape[1] ** 0.5),
    )
    still_KF = h_KNF.amax(1).sub_(h_KNF.amin(1)) <= (1e-6 * rms_K)[:, None]
    std_K = torch.addcmul(rms_K.square(), mean_K, mean_K, value=-1).clamp_(min=0).sqrt_()
    found = {
        "mean": mean_K,
        "std": std_K,
        "rms": rms_K,
        "dead": still_KF.sum(1) / still_KF.shape[1],
    }
    if limits is not None:
        bottom, top = limits
        margin = NEAR * (top - bottom)
        near = (h_KNF < bottom + margin) | (h_KNF > top - margin)
        found["saturated"] = near.mean((1, 2), dtype=h_KNF.dtype)
    return found
