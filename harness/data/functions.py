"""Functions to be minimised: the parameters themselves are the model."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from harness.data.base import Data, Raw
from harness.spec.component import Component, parse_part


class Function(Data):
    """A function of a few parameters; every sample is the same."""

    task = "function"
    valid_fraction: float = 0.0
    start: tuple[float, ...]
    """Where the parameters start."""

    def raw(self) -> Raw:
        x = np.zeros((1, len(self.start)))
        return Raw(x, x, (x, x))

    def default_loss(self) -> Component:
        return parse_part("loss", {"name": "Objective", "function": self.name.lower()})

    def default_model(self) -> Component:
        return parse_part("model", {"name": "Parameters", "start": self.start})


class Rosenbrock(Function):
    """f(x, y) = (1 − x)² + 100 (y − x²)², minimum 0 at (1, 1) (Rosenbrock 1960)."""

    start: tuple[float, ...] = (-1.2, 1.0)


class Beale(Function):
    """f(x, y) = (1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)², minimum 0 at (3, 0.5) (Beale 1958)."""

    start: tuple[float, ...] = (1.0, 1.0)


class Branin(Function):
    """f(x, y) = (y − 5.1x²/4π² + 5x/π − 6)² + 10 (1 − 1/8π) cos x + 10, minimum 0.397887 (Branin 1972)."""

    start: tuple[float, ...] = (0.0, 5.0)


class QuadraticDeep(Function):
    """DeepOBS's noisy quadratic ½(θ−x)ᵀH(θ−x) of 100 dimensions with 10 large eigenvalues (Schneider et al. 2019)."""

    start: tuple[float, ...] = (1.0,) * 100

    def raw(self) -> Raw:
        train, test = (
            np.random.RandomState(seed).normal(0.0, 0.6, (1000, 100)) for seed in (42, 43)
        )
        return Raw(train, train, (test[:896], test[:896]))

    def default_loss(self) -> Component:
        return parse_part("loss", {"name": "Objective", "function": "quadraticdeep"})


@lru_cache(maxsize=1)
def quadratic_deep_hessian() -> np.ndarray:
    """Return H = RᵀΛR (100, 100): eigenvalues 90 from U(0, 1) and 10 from U(30, 60), R a rotation, RandomState(42)."""
    stream = np.random.RandomState(42)
    eigenvalues = np.concatenate([stream.uniform(0.0, 1.0, 90), stream.uniform(30.0, 60.0, 10)])
    rotation = random_rotation(stream, 100)
    hessian: np.ndarray = rotation.T @ np.diag(eigenvalues) @ rotation
    return hessian


def random_rotation(stream: np.random.RandomState, size: int) -> np.ndarray:
    """Return a rotation (size, size) from the Haar measure, by the subgroup algorithm (Diaconis & Shahshahani 1987).

    Each round embeds the rotation so far in one more dimension and reflects e₁ onto a random point of the sphere.
    """
    angle = 2 * np.pi * stream.uniform()
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    for dimension in range(3, size + 1):
        point = stream.normal(size=(dimension, 1))
        mirror = np.eye(dimension)[:, :1] - point / np.linalg.norm(point)
        mirror /= np.linalg.norm(mirror)
        larger = np.eye(dimension)
        larger[1:, 1:] = rotation
        rotation = larger - 2 * mirror @ (mirror.T @ larger)
    return -rotation
