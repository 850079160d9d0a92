"""The Hessian of the loss: its largest eigenvalues, its trace, and how near they are to the edge of stability."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from pydantic import Field

from harness.core.lazy import Lazy
from harness.probes.base import Memory, Probe, Scene, Values, random_row

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")

Product = Callable[["Tensor"], "Tensor"]
"""v ↦ Hv, row by row (K, P)."""


class Curvature(Probe):
    """λ₁ ≥ λ₂ ≥ … of H = ∂²L/∂θ² by Lanczos' method, tr H by Hutchinson's, on training samples of each member's own.

    ``curvature/top``, ``curvature/top2``, …; ``curvature/trace``; ``curvature/stability_threshold``: the curvature at
    which the optimizer stops being stable on a quadratic, 2/η for gradient descent, 2(1+β)/η for heavy-ball momentum
    (Cohen et al. 2021); ``curvature/sharpness``: the top eigenvalue over the threshold. For Adam, RMSprop and Adagrad,
    which rescale the gradient by P⁻¹, the threshold holds for ``curvature/preconditioned``, the top eigenvalue of
    P^(−½) H P^(−½) (Cohen et al. 2022).

    Lanczos 1950; Hutchinson 1989; full reorthogonalisation, started from the last measurement's eigenvector.
    """

    prefix = "curvature"
    top: int = Field(default=1, ge=1)
    """Eigenvalues from the top."""
    iterations: int = Field(default=20, ge=2)
    """Lanczos steps at most: products with the Hessian for the eigenvalues."""
    tolerance: float = Field(default=0.05, ge=0)
    """A run's iteration ends when ‖Hv − λv‖ ≤ tolerance |λ₁| for all eigenvalues asked for; λ's error is of the order of the
    tolerance's square."""
    vectors: int = Field(default=0, ge=0)
    """Random vectors for the trace; none, no trace."""
    samples: int = Field(default=128, ge=1)
    """Samples that the loss is taken over, at most the training set."""

    def measure(self, scene: Scene, memory: Memory) -> Values:
        product = scene.products(scene.w_KP, *scene.samples(self.samples, "curvature"))
        found = self._eigenvalues(product, "vector", scene, memory)
        values = {f"top{i + 1 if i else ''}": found[:, i] for i in range(self.top)}
        sharpest_K = found[:, 0]
        threshold_K, divisor_KP = scene.stability_threshold(), scene.preconditioner()
        if divisor_KP is not None:
            root_KP = torch.where(divisor_KP > 0, divisor_KP.rsqrt(), 0)
            scaled = self._eigenvalues(
                lambda v: root_KP * product(root_KP * v), "scaled vector", scene, memory
            )
            values["preconditioned"] = sharpest_K = scaled[:, 0]
        if self.vectors:
            values["trace"] = self._trace(product, scene)
        return {**values, "stability_threshold": threshold_K, "sharpness": sharpest_K / threshold_K}

    def _eigenvalues(self, product: Product, name: str, scene: Scene, memory: Memory) -> Tensor:
        start_KP = memory.get(name)
        if start_KP is None:
            start_KP = random_row(scene, "lanczos").expand_as(scene.w_KP).clone()
        found = lanczos(product, start_KP, self.iterations, self.top, self.tolerance)
        memory[name] = found.vector_KP
        return found.values_KT

    def _trace(self, product: Product, scene: Scene) -> Tensor:
        signs = (
            random_row(scene, "trace", i).sign().expand_as(scene.w_KP) for i in range(self.vectors)
        )
        traces = [(v_KP * product(v_KP)).sum(1) for v_KP in signs]
        found: Tensor = torch.stack(traces).mean(0)
        return found


class Spectrum(NamedTuple):
    """Ritz values from the top, and the top Ritz vector, of each member."""

    values_KT: Tensor
    vector_KP: Tensor


def lanczos(
    product: Product, start_KP: Tensor, iterations: int, top: int = 1, tolerance: float = 0.0
) -> Spectrum:
    """Return the top Ritz values of a symmetric operator on the Krylov space of ``start_KP``, each row by itself.

    A row's result is that of its own last iteration, whatever the others still need.

    Args:
        product: v ↦ Hv.
        start_KP: where to start; any length but 0.
        iterations: products made at most; at least ``top``.
        top: how many values.
        tolerance: of the residuals ‖Hv − λv‖ relative to |λ₁|, at which a row has ended.

    >>> spectrum = lanczos(lambda v: v * torch.tensor([3.0, 1.0, -2.0]), torch.ones(1, 3), 3, top=2)
    >>> [round(float(v), 4) for v in spectrum.values_KT[0]]
    [3.0, 1.0]
    """
    members = len(start_KP)
    going_K = torch.ones(members, dtype=torch.bool, device=start_KP.device)
    values_KT = start_KP.new_zeros(members, top, dtype=torch.float64)
    weights_KM = start_KP.new_zeros(members, iterations, dtype=torch.float64)
    basis_KMP = start_KP.new_empty(members, iterations, start_KP.shape[1])
    basis_KMP[:, 0] = start_KP / start_KP.norm(dim=1, keepdim=True)
    tridiagonal = start_KP.new_zeros(members, iterations, iterations, dtype=torch.float64)
    for i in range(iterations):
        w_KP, q_KMP = product(basis_KMP[:, i]), basis_KMP[:, : i + 1]
        w_KP, inner_KM = _without(w_KP, q_KMP)
        tridiagonal[:, i, i] = inner_KM[:, i]
        w_KP, _ = _without(w_KP, q_KMP)  # twice is enough (Parlett 1980)
        length_K = torch.linalg.vector_norm(w_KP, dim=1)
        if i + 1 >= top:
            values, vectors = torch.linalg.eigh(tridiagonal[:, : i + 1, : i + 1])
            values_KT[going_K] = values[going_K].flip(1)[:, :top]
            weights_KM[going_K, : i + 1] = vectors[going_K, :, -1]
            residual_K = length_K * vectors[:, -1, -top:].abs().amax(1)
            going_K = going_K & (residual_K > tolerance * values[:, -1].abs())
        if i + 1 == iterations or not going_K.any():
            break
        tridiagonal[:, i, i + 1] = tridiagonal[:, i + 1, i] = length_K
        torch.div(w_KP, length_K.clamp(min=1e-30)[:, None], out=basis_KMP[:, i + 1])
    top_K1P = torch.bmm(weights_KM[:, None, : i + 1].to(start_KP.dtype), basis_KMP[:, : i + 1])
    return Spectrum(values_KT, top_K1P[:, 0])


def _without(w_KP: Tensor, q_KMP: Tensor) -> tuple[Tensor, Tensor]:
    """Return w − Σ_m (q_m·w) q_m, and q·w (K, M); a batch of one is slow to multiply as a batch."""
    if len(w_KP) == 1:
        w_P, q_MP = w_KP[0], q_KMP[0]
        inner_M = torch.mv(q_MP, w_P)
        return torch.addmv(w_P, q_MP.T, inner_M, alpha=-1)[None], inner_M[None]
    inner_K1M = torch.bmm(w_KP[:, None], q_KMP.mT)
    return torch.baddbmm(w_KP[:, None], inner_K1M, q_KMP, alpha=-1)[:, 0], inner_K1M[:, 0]
