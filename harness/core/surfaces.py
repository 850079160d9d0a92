"""Functions of two numbers, on which one can watch an optimizer move.

Each is written with operators alone, so that NumPy's arrays and torch's tensors both go in: probes
descend on them, and figures draw their contours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

Numbers = Any
"""A NumPy array, a torch tensor or a number: what has +, −, × and powers by whole numbers."""


class Surface(NamedTuple):
    """A function f(x, y) with a place to start from."""

    title: str
    """What people read above its picture."""
    value: Callable[[Numbers, Numbers], Numbers]
    """(x, y) ↦ f."""
    gradient: Callable[[Numbers, Numbers], tuple[Numbers, Numbers]]
    """(x, y) ↦ (∂f/∂x, ∂f/∂y)."""
    start: tuple[float, float]
    """Where every optimizer begins."""
    minimum: tuple[float, float]
    """Where it is lowest; of several such places, the one on the start's side."""
    box: tuple[tuple[float, float], tuple[float, float]]
    """What a picture shows: from and to along x, and along y."""


def _valley(x: Numbers, y: Numbers) -> Numbers:
    return 0.18 * x**2 + 9 * y**2


def _valley_gradient(x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
    return 0.36 * x, 18 * y


def _rosenbrock(x: Numbers, y: Numbers) -> Numbers:
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def _rosenbrock_gradient(x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
    return 2 * (x - 1) - 400 * x * (y - x**2), 200 * (y - x**2)


def _saddle(x: Numbers, y: Numbers) -> Numbers:
    return 4 * x**2 - 0.5 * y**2 + 0.25 * y**4


def _saddle_gradient(x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
    return 8 * x, y**3 - y


def _beale(x: Numbers, y: Numbers) -> Numbers:
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def _beale_gradient(x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
    a, b, c = 1.5 - x + x * y, 2.25 - x + x * y**2, 2.625 - x + x * y**3
    return (
        2 * (a * (y - 1) + b * (y**2 - 1) + c * (y**3 - 1)),
        2 * x * (a + 2 * b * y + 3 * c * y**2),
    )


SURFACES: dict[str, Surface] = {
    "valley": Surface(
        "Narrow valley",
        _valley,
        _valley_gradient,
        start=(-1.8, 0.7),
        minimum=(0.0, 0.0),
        box=((-2.2, 0.8), (-1.0, 1.0)),
    ),
    "rosenbrock": Surface(
        "Rosenbrock",
        _rosenbrock,
        _rosenbrock_gradient,
        start=(-1.2, 1.0),
        minimum=(1.0, 1.0),
        box=((-1.8, 1.8), (-0.6, 2.2)),
    ),
    "saddle": Surface(
        "Saddle",
        _saddle,
        _saddle_gradient,
        start=(-1.0, 0.01),
        minimum=(0.0, 1.0),
        box=((-1.3, 1.3), (-0.7, 1.5)),
    ),
    "beale": Surface(
        "Beale",
        _beale,
        _beale_gradient,
        start=(1.0, 1.5),
        minimum=(3.0, 0.5),
        box=((0.0, 4.2), (-1.0, 2.0)),
    ),
}
"""By name: an ill-conditioned quadratic, the functions of Rosenbrock (1960) and Beale (1958), and a
saddle that two minima lie beside."""
