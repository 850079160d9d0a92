"""The Hessian of DeepOBS's noisy quadratic, as its authors' generator makes it.

Only NumPy, since the numbers have to be those of the published problem to the last draw.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np


@lru_cache(maxsize=1)
def quadratic_deep_hessian() -> np.ndarray:
    """Return H = RᵀΛR (100, 100), with R a random rotation.

    Of the eigenvalues 90 are from U(0, 1) and 10 from U(30, 60). Drawn from NumPy's legacy
    generator with seed 42, in this order, as in the published problem (Schneider et al. 2019). The
    array is kept and shared: nobody may write into it.
    """
    stream = np.random.RandomState(42)
    eigenvalues = np.concatenate([stream.uniform(0.0, 1.0, 90), stream.uniform(30.0, 60.0, 10)])
    rotation = random_rotation(stream, 100)
    hessian: np.ndarray = rotation.T @ np.diag(eigenvalues) @ rotation
    return hessian


def random_rotation(stream: np.random.RandomState, size: int) -> np.ndarray:
    """Return a rotation (size, size) from the Haar measure (Diaconis & Shahshahani 1987).

    The subgroup algorithm makes a rotation of n dimensions from one, R, of n − 1:
    (I − 2mmᵀ) · diag(1, R), with m ∝ e₁ − x. This mirror takes e₁ to x, a point drawn uniformly
    from the sphere.

    Args:
        stream: the generator; its draws decide the result.
        size: dimensions, 2 at least.
    """
    # two dimensions: a uniform angle
    angle = 2 * np.pi * stream.uniform()
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    for dimension in range(3, size + 1):
        point = stream.normal(size=(dimension, 1))
        # m ∝ e₁ − x, with x a normal vector scaled to the sphere, where it is uniform
        mirror = np.eye(dimension)[:, :1] - point / np.linalg.norm(point)
        mirror /= np.linalg.norm(mirror)
        # (I − 2mmᵀ) · diag(1, R)
        larger = np.eye(dimension)
        larger[1:, 1:] = rotation
        rotation = larger - 2 * mirror @ (mirror.T @ larger)
    # n − 2 reflections, each of determinant −1, make (−1)ⁿ; so does the sign of n axes: a rotation,
    # not a mirror image
    return -rotation
