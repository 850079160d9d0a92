"""Data sets as plain values: what a source gives, and what is trained on."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

Task = Literal["classification", "regression", "function"]


class Raw(NamedTuple):
    """Arrays as a source gives them."""

    x: np.ndarray
    """(N, *shape) inputs."""
    y: np.ndarray
    """(N,) labels, which become classes 0 … K − 1, or (N,) or (N, D) numbers."""
    test: tuple[np.ndarray, np.ndarray] | None = None
    """The source's own test part, x and y; None where a fifth is to be split off."""


class Part(NamedTuple):
    """Inputs and targets of some samples, in the source's order."""

    x: np.ndarray
    """(N, *shape) inputs."""
    y: np.ndarray
    """(N, D) targets in float64: one-hot for classes."""


class Dataset(NamedTuple):
    """A data set ready to train on. It is cached and shared: nobody may write into its arrays."""

    train: Part
    valid: Part
    test: Part
    task: Task
    notes: tuple[str, ...] = ()
    """What a user should know of it, in sentences: labels that became other classes, and classes
    that no training sample has."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return tuple(self.train.x.shape[1:])

    @property
    def outputs(self) -> int:
        """Numbers that a model must give for one input: D of the targets."""
        return int(self.train.y.shape[1])

    @property
    def nbytes(self) -> int:
        """Memory of all arrays."""
        return sum(x.nbytes + y.nbytes for x, y in (self.train, self.valid, self.test))
