"""The way of the weights, in the plane of its first two principal directions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, final

from pydantic import Field

from harness.core.lazy import Lazy
from harness.probes.base import Memory, Probe, Scene, Values

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")

MARGIN = 0.2
"""How far the plane of losses reaches beyond the way, in lengths of its sides."""
NARROWEST = 1e-3
"""Sides of a plane whose way has no length at all, in the units of the weights."""


@final
class Trajectory(Probe):
    """The way of the weights to their last place θ_T, in the plane that most of it lies in.

    The plane is spanned by the first two principal directions v₁ and v₂ of the differences θ_t −
    θ_T between snapshots and the last weights (Li et al. 2018). Arrays, all of the last update:
    ``trajectory/path`` (3, snapshots + 1), the updates made and the places along v₁ and v₂, the
    last of them as often as it takes;
    ``trajectory/plane`` (n, n), the training loss over the plane, rows by v₂ and columns by v₁, at
    the places ``trajectory/sides`` (2, n). ``trajectory/first`` and ``trajectory/second``: the
    shares σ²/Σσ² of the differences' squared lengths that lie along v₁ and v₂. A run that ends
    before its last update has none of them.

    The signs: the way begins at a negative place along v₁, and its furthest place along v₂ is
    positive. A random walk, too, has most of its way in two directions: a large share alone shows
    no narrow valley (Antognini & Sohl-Dickstein 2018).
    """

    prefix = "trajectory"
    every: int | Literal["log", "ends"] = Field(default=1, union_mode="left_to_right")
    """Distance of two snapshots; where there would be more than ``snapshots``, every second one is
    dropped, and from there on the distance is twice as long."""
    snapshots: int = Field(default=64, ge=2)
    """Snapshots kept at most: the memory it takes is that of so many copies of the weights."""
    plane: int = Field(default=17, ge=0)
    """Points of each side of the plane of losses; 0, none."""
    samples: int = Field(default=256, ge=1)
    """Training samples of each member's own that the loss is taken over."""

    def measure(self, scene: Scene, memory: Memory) -> Values:
        """Keep a snapshot; return path, shares and plane after the last update.

        It costs a copy of the weights each time, and plane² losses at the end.

        Returns:
            {} before the last update.
        """
        self._keep(scene, memory)
        if not scene.last:
            return {}
        ways = [
            _principal_way(kept_SP[: len(steps_N)], end_P)
            for kept_SP, steps_N, end_P in zip(
                memory["kept"], memory["steps"], scene.moved_KP, strict=True
            )
        ]
        places_K2T, axes_K2P, shares_K2 = (torch.stack(parts) for parts in zip(*ways, strict=True))
        # runs of an arm may differ in length: what is left stands where the way ends, at 0
        left = self.snapshots - memory["steps"].shape[1]
        ends = memory["steps"].new_full((len(ways), 1 + left), scene.step + 1)
        steps_KS = torch.cat([memory["steps"], ends], 1).to(places_K2T)
        places_K2S = torch.nn.functional.pad(places_K2T, (0, left))
        values = {
            "path": torch.cat([steps_KS[:, None], places_K2S], 1),
            "first": shares_K2[:, 0],
            "second": shares_K2[:, 1],
        }
        return values | (self._losses(scene, axes_K2P, places_K2T) if self.plane else {})

    def _keep(self, scene: Scene, memory: Memory) -> None:
        """Copy the weights before the update, if they are a snapshot; thin the others out if need
        be."""
        if not memory:
            rows, width = scene.w_KP.shape
            memory["kept"] = scene.w_KP.new_zeros(rows, self.snapshots, width)
            memory["steps"] = torch.zeros(rows, 0, dtype=torch.long, device=scene.w_KP.device)
            # what came so far, and which of them are kept: every how manieth
            start = torch.tensor([0, 1], device=scene.w_KP.device)
            memory["seen"] = start.repeat(rows, 1)
        # all members have come the same way
        seen, stride = memory["seen"][0].tolist()
        memory["seen"][:, 0] += 1
        if seen % stride:
            return
        count = memory["steps"].shape[1]
        if count == self.snapshots:
            memory["steps"] = memory["steps"][:, ::2].contiguous()
            count = memory["steps"].shape[1]
            memory["kept"][:, :count] = memory["kept"][:, ::2].clone()
            memory["seen"][:, 1] *= 2
            if seen % (2 * stride):
                return
        memory["kept"][:, count] = scene.w_KP
        now_K1 = memory["steps"].new_full((len(scene.w_KP), 1), scene.step)
        memory["steps"] = torch.cat([memory["steps"], now_K1], 1)

    def _losses(self, scene: Scene, axes_K2P: Tensor, places_K2T: Tensor) -> Values:
        """Return the losses L(θ_T + a v₁ + b v₂) (K, b, a), and the a and b (K, 2, n)."""
        x, y = scene.samples(self.samples, "trajectory")
        low_K2, high_K2 = places_K2T.amin(2), places_K2T.amax(2)
        margin_K2 = MARGIN * (high_K2 - low_K2).clamp(min=NARROWEST)
        share_n = torch.linspace(0, 1, self.plane, dtype=torch.float64).to(places_K2T)
        low_K21, high_K21 = (low_K2 - margin_K2)[..., None], (high_K2 + margin_K2)[..., None]
        sides_K2n = torch.lerp(low_K21, high_K21, share_n)
        losses = []
        for b_K in sides_K2n[:, 1].unbind(1):
            row_KP = scene.moved_KP + b_K[:, None] * axes_K2P[:, 1]
            places = (row_KP + a_K[:, None] * axes_K2P[:, 0] for a_K in sides_K2n[:, 0].unbind(1))
            losses.append(torch.stack([scene.losses(w_KP, x, y) for w_KP in places], 1))
        return {"plane": torch.stack(losses, 1), "sides": sides_K2n}


class PrincipalWay(NamedTuple):
    """One member's way in its plane."""

    places_2T: Tensor
    """Along v₁ and v₂; the last is θ_T, at 0."""
    axes_2P: Tensor
    """v₁ and v₂, of unit length."""
    shares_2: Tensor
    """Of the differences' squared lengths."""


def _principal_way(kept_NP: Tensor, end_P: Tensor) -> PrincipalWay:
    """Return the way of one member in the plane of its first two principal directions.

    With the differences D = θ_t − θ_T as rows, DDᵀ = Σ σᵢ² uᵢuᵢᵀ is a small matrix, and the
    principal directions are vᵢ = Dᵀuᵢ/σᵢ, along which the places are Dvᵢ = σᵢuᵢ: exact, without a
    matrix as large as the weights squared. One member at a time: in a batch of matrices its bits
    could depend on the others.

    Args:
        kept_NP: N snapshots.
        end_P: the last weights.

    Returns:
        NaN throughout where a weight is not finite.
    """
    rows_TP = torch.cat([kept_NP, end_P[None]]).double() - end_P.double()
    products_TT = rows_TP @ rows_TP.T
    if not products_TT.isfinite().all():  # it has diverged, which LAPACK would refuse
        nan = end_P.new_full
        return PrincipalWay(
            nan((2, len(rows_TP)), torch.nan), nan((2, len(end_P)), torch.nan), nan((2,), torch.nan)
        )
    squares, vectors = torch.linalg.eigh(products_TT)  # ascending
    # rounding leaves a direction that is not there a little below 0
    squares_2, u_T2 = squares.clamp(min=0)[-2:].flip(0), vectors[:, -2:].flip(1)
    lengths_2 = squares_2.sqrt()
    # LAPACK's signs are its own: v₁ points from the start to the end, v₂ to its furthest place
    furthest = u_T2[:, 1][u_T2[:, 1].abs().argmax()]
    signs_2 = torch.stack([-u_T2[0, 0], furthest]).sign()
    u_T2 = u_T2 * torch.where(signs_2 == 0, 1, signs_2)
    along_2 = torch.where(lengths_2 > 0, 1 / lengths_2, 0)
    axes_2P = along_2[:, None] * (u_T2.T @ rows_TP)
    shares_2 = squares_2 / squares.clamp(min=0).sum().clamp(min=1e-300)
    return PrincipalWay(*(part.to(end_P) for part in ((u_T2 * lengths_2).T, axes_2P, shares_2)))
