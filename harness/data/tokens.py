"""Targets that are whole numbers of any shape, and samples of several arrays.

A token (or pixel) is one of V classes and stays a whole number: one-hot rows of a vocabulary would
take V times the memory. So do classes of single samples where there are very many.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness.core.errors import HarnessError

Vocabulary = int | dict[str, int] | None

ONE_HOT = 1000
"""Classes of single samples up to which targets are one-hot."""


def are_token_targets(x: np.ndarray, y: np.ndarray) -> bool:
    """Return whether targets are a class for each token or pixel, and not numbers to be predicted.

    They are where whole numbers have three axes or more, or the shape of tokens among the inputs.

    Args:
        x: inputs (N, *shape), or (N,) with a field for each array.
        y: targets (N, *S).
    """
    if y.dtype.kind not in "iu" or y.ndim < 2:
        return False
    arrays = [x[name] for name in x.dtype.names] if x.dtype.names else [x]
    return y.ndim > 2 or any(a.dtype.kind in "iu" and a.shape == y.shape for a in arrays)


def count_classes(
    source: str, y: np.ndarray, others: Mapping[str, np.ndarray], declared: int
) -> tuple[np.ndarray, dict[str, np.ndarray], int]:
    """Return tokens as int64, those of the source's own parts, and V.

    Args:
        source: name of the data, for errors.
        y: tokens (N, *S); those below 0 are none, such as −100 for what is left out.
        others: those of the source's own parts, by name.
        declared: V, or 0 where the largest token tells.

    Raises:
        HarnessError: they are no whole numbers, of another shape in one part, or not below V.
    """
    parts = {"y": y, **{f"y_{name}": part for name, part in others.items()}}
    for name, part in parts.items():
        if part.dtype.kind not in "iu":
            raise HarnessError(
                f"data {source}: expected whole numbers as classes in {name}, got {part.dtype}; "
                f"give {name}.astype(int)"
            )
        if part.shape[1:] != y.shape[1:]:
            raise HarnessError(
                f"data {source}: expected {name} of the same shape as y, {y.shape[1:]}, got "
                f"{part.shape[1:]}"
            )
    largest = 1 + max(int(part.max()) for part in parts.values())
    if declared and largest > declared:
        raise HarnessError(f"data {source}: expected tokens below {declared}, got {largest - 1}")
    whole = {name: part.astype(np.int64) for name, part in others.items()}
    return y.astype(np.int64), whole, max(declared or largest, 2)


def vocabulary_of(inputs: list[np.ndarray], shared: int) -> Vocabulary:
    """Return how many values tokens among the inputs take, from 0 on; None for other inputs.

    Args:
        inputs: (N, *shape) of each part of the data, or (N,) with fields; a part may be empty.
        shared: classes of the targets if they are tokens, else 0. Inputs that are tokens too have
            one vocabulary with them.

    Returns:
        A number, or one for each array of whole numbers by name.
    """
    names = inputs[0].dtype.names
    if not names:
        count = _values([*inputs])
        return None if count is None else max(count, shared)
    counts = {name: _values([x[name] for x in inputs]) for name in names}
    return {name: max(count, shared) for name, count in counts.items() if count is not None}


def _values(inputs: list[np.ndarray]) -> int | None:
    """Return 1 + the largest of whole numbers; None where they are others, or below 0."""
    filled = [x for x in inputs if x.size]
    if any(x.dtype.kind not in "iu" or int(x.min()) < 0 for x in filled):
        return None
    return 1 + max(int(x.max()) for x in filled)
