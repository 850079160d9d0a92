"""How much each class counts in a loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from harness.core.errors import HarnessError

if TYPE_CHECKING:
    from torch import Tensor

ClassWeights = Literal["balanced"] | tuple[Annotated[float, Field(ge=0)], ...]
"""A number for each class, or those that make every class count alike."""


def counts_of(y: np.ndarray, classes: int) -> np.ndarray:
    """Return how many targets are of each class, (C,).

    Args:
        y: targets (N, C), one-hot or shares; or whole numbers (N, *S), of which those below 0 are
            of no class.
        classes: C of whole numbers.

    >>> counts_of(np.eye(3)[[0, 0, 2]], 0), counts_of(np.array([[0, 1], [1, -100]]), 2)
    (array([2., 0., 1.]), array([1., 2.]))
    """
    if y.dtype.kind in "iu":
        return np.bincount(y[y >= 0].ravel(), minlength=classes).astype(float)
    return np.asarray(y.sum(0), dtype=float)


def balanced(counts: np.ndarray) -> np.ndarray:
    """Return w_c = N / (C n_c), by which every class counts alike (King & Zeng 2001).

    Args:
        counts: n_c (C,), N in all; a class without any sample has the weight 0.

    >>> balanced(np.array([90.0, 10.0]))
    array([0.55555556, 5.        ])
    """
    present = counts > 0
    weights = counts.sum() / (len(counts) * np.where(present, counts, 1))
    return np.where(present, weights, 0.0)


def check_weights(field: str, weights: tuple[float, ...], y: np.ndarray) -> None:
    """Refuse weights that are not one for each class.

    Args:
        field: that holds them, for the error.
        weights: by class.
        y: targets (N, C) or whole numbers.

    Raises:
        HarnessError: there are more or fewer classes, or all weights are 0.
    """
    whole = y.dtype.kind in "iu"
    classes = (int(y.max(initial=-1)) + 1) if whole else y.shape[1]
    if len(weights) < classes or (not whole and len(weights) > classes):
        raise HarnessError(
            f"recipe.loss: expected one number for each of {classes} classes in {field}, got "
            f"{len(weights)}"
        )
    if not any(weights):
        raise HarnessError(f"recipe.loss: expected a class that counts in {field}, got zeros alone")


def of_tokens(weight_KC: Tensor, y_KB: Tensor) -> Tensor:
    """Return the weight of each token's class, (K, B, *S); that of class 0 where it has none.

    Args:
        weight_KC: weights by class.
        y_KB: classes (K, B, *S); below 0 for none.
    """
    return weight_KC.gather(1, y_KB.clamp(min=0).flatten(1)).view(y_KB.shape)
