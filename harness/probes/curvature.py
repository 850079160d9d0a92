"""The Hessian of the loss: its largest eigenvalues, its trace, and how near they are to the edge of stability."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from pydantic import Field

from harness.lazy import Lazy
from harness.probes.base import Measure, Memory, Scene, Values
from harness.seeds import torch_stream

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")

Product = Callable[["Tensor"], "Tensor"]
"""v ↦ Hv, row by row (K, P)."""


class Curvature(Measure):
    """λ₁ ≥ λ₂ ≥ … of H = ∂²L/∂θ² by Lanczos' method, tr H by Hutchinson's, on training samples of each member's own.

    ``curvature/top``, ``curvature/top2``, …; ``curvature/trace``; ``curvature/edge``: the curvature at which the rule
    stops being stable on a quadratic, 2/η for gradient descent, 2(1+β)/η for heavy-ball momentum (Cohen et al. 2021);
    ``curvature/sharpness``: the top eigenvalue over the edge. For Adam, RMSprop and Adagrad, which rescale the gradient
    by P⁻¹, the edge holds for ``curvature/preconditioned``, the top eigenvalue of P^(−½) H P^(−½) (Cohen et al. 2022).

    Lanczos 1950; Hutchinson 1989; full reorthogonalisation, started from the last measurement's eigenvector.
    """

    prefix = "curvature"
    top: int = Field(default=1, ge=1)
    """Eigenvalues from the top."""
    iterations: int = Field(default=20, ge=2)
    """Lanczos steps: products with the Hessian for the eigenvalues."""
    vectors: int = Field(default=0, ge=0)
    """Random vectors for the trace; none, no trace."""
    samples: int = Field(default=512, ge=1)
    """Samples that the loss is taken over, at most the training set."""

    def measure(self, scene: Scene, memory: Memory) -> Values:
        product = scene.products(scene.w_KP, *scene.samples(self.samples, "curvature"))
        found = self._eigenvalues(product, "vector", scene, memory)
        values = {f"top{i + 1 if i else ''}": found[:, i] for i in range(self.top)}
        sharpest_K = found[:, 0]
        edge_K, scale_KP = scene.edge(), scene.scale()
        if scale_KP is not None:
            root_KP = torch.where(scale_KP > 0, scale_KP.rsqrt(), 0)
            scaled = self._eigenvalues(lambda v: root_KP * product(root_KP * v), "scaled vector", scene, memory)
            values["preconditioned"] = sharpest_K = scaled[:, 0]
        if self.vectors:
            values["trace"] = self._trace(product, scene)
        return {**values, "edge": edge_K, "sharpness": sharpest_K / edge_K}

    def _eigenvalues(self, product: Product, name: str, scene: Scene, memory: Memory) -> Tensor:
        start_KP = memory.get(name)
        if start_KP is None:
            start_KP = _random(scene, "lanczos").expand_as(scene.w_KP).clone()
        found = lanczos(product, start_KP, self.iterations)
        memory[name] = found.vector_KP
        return found.values_KM[:, : self.top]

    def _trace(self, product: Product, scene: Scene) -> Tensor:
        signs = (_random(scene, "trace", i).sign().expand_as(scene.w_KP) for i in range(self.vectors))
        traces = [(v_KP * product(v_KP)).sum(1) for v_KP in signs]
        found: Tensor = torch.stack(traces).mean(0)
        return found


class Spectrum(NamedTuple):
    """Ritz values from the top, and the top Ritz vector, of each member."""

    values_KM: Tensor
    vector_KP: Tensor


def lanczos(product: Product, start_KP: Tensor, iterations: int) -> Spectrum:
    """Return the Ritz values of a symmetric operator on the Krylov space of ``start_KP``, each row by itself.

    Args:
        product: v ↦ Hv.
        start_KP: where to start; any length but 0.
        iterations: products made.

    >>> spectrum = lanczos(lambda v: v * torch.tensor([3.0, 1.0, -2.0]), torch.ones(1, 3), 3)
    >>> [round(float(v), 4) for v in spectrum.values_KM[0]]
    [3.0, 1.0, -2.0]
    """
    basis = [start_KP / start_KP.norm(dim=1, keepdim=True)]
    tridiagonal = start_KP.new_zeros(len(start_KP), iterations, iterations, dtype=torch.float64)
    for i in range(iterations):
        w_KP = product(basis[i])
        tridiagonal[:, i, i] = (w_KP * basis[i]).sum(1)
        q_KMP = torch.stack(basis, 1)
        for _ in range(2):
            w_KP = w_KP - torch.einsum("kmp,km->kp", q_KMP, torch.einsum("kmp,kp->km", q_KMP, w_KP))
        length_K = w_KP.norm(dim=1)
        if i + 1 < iterations:
            tridiagonal[:, i, i + 1] = tridiagonal[:, i + 1, i] = length_K
            basis.append(torch.where(length_K[:, None] > 1e-30, w_KP / length_K[:, None], 0))
    values, vectors = torch.linalg.eigh(tridiagonal)
    top_KP = torch.einsum("kmp,km->kp", torch.stack(basis, 1), vectors[..., -1].to(start_KP.dtype))
    return Spectrum(values.flip(1), top_KP)


def _random(scene: Scene, *purpose: str | int) -> Tensor:
    """Return one random row, the same for every member; zero between tensors."""
    shapes = {name: slot.shape for name, slot in scene.layout.slots.items()}
    stream = torch_stream(scene.step, *purpose)
    drawn = {name: torch.randn(1, *shape, generator=stream, dtype=torch.float64) for name, shape in shapes.items()}
    like_KP = scene.w_KP[:1]
    return scene.layout.pack({name: v.to(like_KP.device, like_KP.dtype) for name, v in drawn.items()}, like_KP)
