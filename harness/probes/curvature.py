"""The Hessian of the loss: its largest eigenvalues, its trace, and the optimizer's stability."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, final

from pydantic import Field

from harness.core.lazy import Lazy
from harness.probes.base import Memory, Probe, Scene, Values, random_row

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")

Operator = Callable[["Tensor"], "Tensor"]
"""A symmetric matrix of each member, as v ↦ Hv on rows (K, P)."""


@final
class Curvature(Probe):
    """λ₁ ≥ λ₂ ≥ … of H = ∂²L/∂θ², and tr H, on training samples of each member's own.

    ``curvature/top``, ``curvature/top2``, …: the eigenvalues, in units of the loss by those of the
    weights squared (Lanczos 1950); ``curvature/trace`` (Hutchinson 1989);
    ``curvature/stability_threshold``: the curvature at which the optimizer stops being stable on a
    quadratic, 2/η for gradient descent, 2(1+β)/η for heavy-ball momentum; ``curvature/sharpness``:
    the top eigenvalue over the threshold. With full batches it rises to 1 and stays there, the edge
    of stability (Cohen et al. 2021); far below 1 a larger learning rate is possible, and lastingly
    above 1 the run is about to diverge. For Adam, RMSprop and Adagrad, which divide the gradient by
    P, the threshold holds for ``curvature/preconditioned``, the top eigenvalue of P^(−½) H P^(−½)
    (Cohen et al. 2022).
    """

    prefix = "curvature"
    top: int = Field(default=1, ge=1)
    """Eigenvalues from the top."""
    iterations: int = Field(default=20, ge=2)
    """Lanczos steps at most: products with the Hessian for the eigenvalues."""
    tolerance: float = Field(default=0.05, ge=0)
    """A member's iteration ends when ‖Hv − λv‖ ≤ tolerance |λ₁| for all eigenvalues asked for; λ's
    error is of the order of the tolerance's square."""
    vectors: int = Field(default=0, ge=0)
    """Random vectors for the trace; none, no trace."""
    samples: int = Field(default=128, ge=1)
    """Samples that the loss is taken over, at most the training set."""

    def measure(self, scene: Scene, memory: Memory) -> Values:
        """Return eigenvalues, stability threshold and sharpness, and what else is asked, (K,) each.

        It costs at most ``iterations`` products with the Hessian, the same again for an optimizer
        that has a preconditioner, and one for each of the ``vectors``. The top eigenvectors (K, P)
        are kept in memory, to start from the next time.
        """
        hessian = scene.products(scene.w_KP, *scene.samples(self.samples, "curvature"))
        eigenvalues_KT = self._eigenvalues(hessian, "vector", scene, memory)
        values = {f"top{i + 1 if i else ''}": eigenvalues_KT[:, i] for i in range(self.top)}
        sharpest_K = eigenvalues_KT[:, 0]
        threshold_K, divisor_KP = scene.stability_threshold(), scene.preconditioner()
        if divisor_KP is not None:
            # P^(−½); gaps between tensors may have the divisor 0, and stay 0
            root_KP = torch.where(divisor_KP > 0, divisor_KP.rsqrt(), 0)

            def preconditioned(v_KP: Tensor) -> Tensor:
                return root_KP * hessian(root_KP * v_KP)

            scaled_KT = self._eigenvalues(preconditioned, "scaled vector", scene, memory)
            values["preconditioned"] = sharpest_K = scaled_KT[:, 0]
        if self.vectors:
            values["trace"] = self._trace(hessian, scene)
        return {**values, "stability_threshold": threshold_K, "sharpness": sharpest_K / threshold_K}

    def _eigenvalues(self, operator: Operator, name: str, scene: Scene, memory: Memory) -> Tensor:
        """Return the top eigenvalues (K, top), and keep the top eigenvector for the next time.

        Args:
            operator: the symmetric matrix.
            name: what its eigenvector is kept under in ``memory``.
            scene: names the random start of the first time.
            memory: the probe's own; written into.
        """
        start_KP = memory.get(name)
        if start_KP is None:
            # one random row for all members: who is in the cohort must not matter
            start_KP = random_row(scene, "lanczos").expand_as(scene.w_KP).clone()
        # from the last measurement's eigenvector on: the Hessian changes slowly, so that a few
        # products are enough where a random start would need twenty
        spectrum = lanczos(operator, start_KP, self.iterations, self.top, self.tolerance)
        memory[name] = spectrum.vector_KP
        return spectrum.values_KT

    def _trace(self, hessian: Operator, scene: Scene) -> Tensor:
        """Return the mean of vᵀHv (K,) over random signs v, whose expectation is tr H.

        E vᵀHv = Σ_ij H_ij E vᵢvⱼ = Σᵢ H_ii, since the signs are independent. (Gaps between tensors
        have the sign 0 and add nothing.)
        """
        signs = (
            random_row(scene, "trace", i).sign().expand_as(scene.w_KP) for i in range(self.vectors)
        )
        estimates = [(v_KP * hessian(v_KP)).sum(1) for v_KP in signs]
        trace_K: Tensor = torch.stack(estimates).mean(0)
        return trace_K


class Spectrum(NamedTuple):
    """What :func:`lanczos` knows of the top of each member's spectrum."""

    values_KT: Tensor
    """Ritz values, largest first, in float64; T of them."""
    vector_KP: Tensor
    """Unit Ritz vector of the largest."""


def lanczos(
    operator: Operator, start_KP: Tensor, iterations: int, top: int = 1, tolerance: float = 0.0
) -> Spectrum:
    """Return the top Ritz values of a symmetric operator, each row by itself (Lanczos 1950).

    Step i multiplies the newest basis vector q_i and takes its components along the basis out,

        w = H q_i − Σ_{m ≤ i} (q_m · H q_i) q_m,    q_{i+1} = w/‖w‖.

    In this basis H is tridiagonal, T, with α_i = q_i · H q_i and β_i = ‖w‖ beside the diagonal. The
    eigenvalues λ of T (Ritz values) converge to those of H from the outside in, and an eigenvector
    s of T says how far: ‖H v − λ v‖ = β_i |s_i| for v = Σ s_m q_m, without another product.

    All rows take the same steps; a row's result is that of the step at which it ended itself, so
    that it does not depend on who else is in the cohort.

    Args:
        operator: v ↦ Hv on rows (K, P).
        start_KP: where to start; any length but 0.
        iterations: products made at most; at least ``top``.
        top: how many values.
        tolerance: of the residuals ‖Hv − λv‖ relative to |λ₁|, at which a row has ended.

    Returns:
        values (K, top) in float64, largest first, and the unit vectors (K, P) of the largest.

    >>> spectrum = lanczos(lambda v: v * torch.tensor([3.0, 1.0, -2.0]), torch.ones(1, 3), 3, top=2)
    >>> [round(float(v), 4) for v in spectrum.values_KT[0]]
    [3.0, 1.0]
    """
    members = len(start_KP)
    # rows that have not ended yet
    going_K = torch.ones(members, dtype=torch.bool, device=start_KP.device)
    values_KT = start_KP.new_zeros(members, top, dtype=torch.float64)
    # T and its eigenvectors are small and in float64, whatever the weights are
    # weights: s, the top eigenvector of T, by which the basis adds up to the top Ritz vector
    weights_KM = start_KP.new_zeros(members, iterations, dtype=torch.float64)
    tridiagonal = start_KP.new_zeros(members, iterations, iterations, dtype=torch.float64)
    basis_KMP = start_KP.new_empty(members, iterations, start_KP.shape[1])
    basis_KMP[:, 0] = start_KP / start_KP.norm(dim=1, keepdim=True)
    for i in range(iterations):
        q_KMP = basis_KMP[:, : i + 1]
        w_KP, inner_KM = _without(operator(basis_KMP[:, i]), q_KMP)
        tridiagonal[:, i, i] = inner_KM[:, i]
        # In exact arithmetic w has components along q_i and q_{i−1} alone. Rounding lets the others
        # grow until eigenvalues turn up twice, so all are taken out, twice: once leaves errors as
        # large as the components were, and twice is enough (Parlett 1980).
        w_KP, _ = _without(w_KP, q_KMP)
        length_K = torch.linalg.vector_norm(w_KP, dim=1)
        if i + 1 >= top:  # T has as many eigenvalues as it has rows
            values, vectors = torch.linalg.eigh(tridiagonal[:, : i + 1, : i + 1])  # ascending
            values_KT[going_K] = values[going_K].flip(1)[:, :top]
            weights_KM[going_K, : i + 1] = vectors[going_K, :, -1]
            # ‖Hv − λv‖ = β_i |s_i|: the largest over the values asked for
            residual_K = length_K * vectors[:, -1, -top:].abs().amax(1)
            going_K = going_K & (residual_K > tolerance * values[:, -1].abs())
        if i + 1 == iterations or not going_K.any():
            break
        tridiagonal[:, i, i + 1] = tridiagonal[:, i + 1, i] = length_K
        # a row whose space is exhausted has w = 0, and goes on with 0 in the place of 0/0
        torch.div(w_KP, length_K.clamp(min=1e-30)[:, None], out=basis_KMP[:, i + 1])
    top_K1P = torch.bmm(weights_KM[:, None, : i + 1].to(start_KP.dtype), basis_KMP[:, : i + 1])
    return Spectrum(values_KT, top_K1P[:, 0])


def _without(w_KP: Tensor, q_KMP: Tensor) -> tuple[Tensor, Tensor]:
    """Return w − Σ_m (q_m·w) q_m, and the q_m·w (K, M).

    Args:
        w_KP: the vectors.
        q_KMP: M orthonormal vectors for each.
    """
    if len(w_KP) == 1:  # products of a matrix and a vector are faster than a batch of one of them
        w_P, q_MP = w_KP[0], q_KMP[0]
        inner_M = torch.mv(q_MP, w_P)
        return torch.addmv(w_P, q_MP.T, inner_M, alpha=-1)[None], inner_M[None]
    inner_K1M = torch.bmm(w_KP[:, None], q_KMP.mT)
    return torch.baddbmm(w_KP[:, None], inner_K1M, q_KMP, alpha=-1)[:, 0], inner_K1M[:, 0]
