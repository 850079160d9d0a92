"""What a source's arrays must be: numbers, finite, one target for each input.

A source may be a user's own function; what is wrong with its arrays is said here in one sentence,
before anything is split, placed on a device, or trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.core.errors import HarnessError
from harness.core.sample_fields import join_arrays

Pair = tuple[np.ndarray, np.ndarray]
"""Inputs (N, *shape) and as many targets."""

NUMBERS = "biuf"
"""numpy's kinds of arrays that are numbers: booleans, integers, unsigned integers, floats."""


def as_array(value: Any, what: str, source: str) -> np.ndarray:
    """Return what a user's function gave as an array; of a table every column must be numbers.

    Args:
        value: an array, a tensor, nested lists, or a pandas table or column; a mapping or tuple of
            arrays becomes one structured array (N,), with a field for each.
        what: ``x``, ``y``, ``x_test`` or ``y_test``, for errors.
        source: name of the data, for errors.

    Raises:
        HarnessError: a column holds something else beside numbers; the message has its name.
    """
    if several := _several(value):
        arrays = {name: as_array(a, f"{what}[{name!r}]", source) for name, a in several.items()}
        _check_lengths(source, what, arrays)
        return join_arrays(arrays)
    # a table's columns become one array of the type that holds all of them: "object" for texts, or
    # for booleans beside floats, which no longer says which column it was
    dtypes = dict(value.dtypes.items()) if hasattr(value, "columns") else {}
    kinds = {dtype.kind for dtype in dtypes.values()}
    for column, dtype in dtypes.items():
        if dtype.kind not in NUMBERS or (dtype.kind == "b" and kinds != {"b"}):
            raise HarnessError(
                f"data {source}: expected numbers in {what}, got column {column!r} of type {dtype};"
                " turn it into numbers (such as .astype(float), or a column for each category) or "
                "leave it out"
            )
    try:
        return np.asarray(value)
    except ValueError as error:  # rows of different lengths
        raise HarnessError(f"data {source}: expected an array as {what}, got {error}") from error


def _several(value: Any) -> dict[str, Any]:
    """Return arrays by name, of a mapping or a tuple of arrays; empty for anything else."""
    if isinstance(value, Mapping):
        return {str(name): array for name, array in value.items()}
    if isinstance(value, tuple) and all(getattr(array, "ndim", 0) for array in value):
        return {str(place): array for place, array in enumerate(value)}
    return {}


def _check_lengths(source: str, what: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Refuse arrays of different lengths, or without one.

    Raises:
        HarnessError: so they are.
    """
    lengths = {name: len(a) if a.ndim else 0 for name, a in arrays.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name}: {length}" for name, length in lengths.items())
        raise HarnessError(f"data {source}: expected arrays of one length in {what}, got {listed}")


def check_arrays(
    source: str, samples: Pair, others: Mapping[str, Pair], *, missing: bool = False
) -> None:
    """Refuse arrays that can't be trained on; targets are looked at by :mod:`harness.data.labels`.

    Args:
        source: name of the data, for errors.
        samples: what is trained and validated on.
        others: the source's own parts, by their names (valid, test).
        missing: whether inputs may be NaN where they are missing.

    Raises:
        HarnessError: inputs are no finite numbers of one shape, there are none, or there is not one
            target for each.
    """
    _check_pair(source, "", *samples, missing=missing)
    for part, pair in others.items():
        _check_pair(source, f"_{part}", *pair, missing=missing)
        shape, own = samples[0].shape[1:], pair[0].shape[1:]
        if own != shape:
            raise HarnessError(
                f"data {source}: expected x_{part} with inputs of the same shape as x, {shape}, got"
                f" {own}"
            )


def _check_pair(source: str, suffix: str, x: np.ndarray, y: np.ndarray, *, missing: bool) -> None:
    """Refuse one pair of inputs and targets; ``suffix`` is that of their names."""
    if x.ndim < 2 and not x.dtype.names:
        raise HarnessError(
            f"data {source}: expected x{suffix} of shape (N, features), got {x.shape}; one feature "
            "is x[:, None]"
        )
    if x.shape[0] != (len(y) if y.ndim else 0):
        raise HarnessError(
            f"data {source}: expected one y{suffix} for each x{suffix}, got {x.shape[0]} inputs"
            f" and {len(y) if y.ndim else 0} targets"
        )
    if not x.size:
        raise HarnessError(
            f"data {source}: expected samples with features, got x{suffix} of shape {x.shape}"
        )
    for array, what in ((x, f"x{suffix}"), (y, f"y{suffix}")):
        for name in array.dtype.names or ():
            check_finite(source, f"{what}[{name!r}]", array[name])
    if not missing and not x.dtype.names:
        check_finite(source, f"x{suffix}", x)


def check_finite(source: str, what: str, array: np.ndarray) -> None:
    """Refuse what is no finite number.

    Args:
        source: name of the data, for errors.
        what: name of the array, for errors.
        array: (N, …).

    Raises:
        HarnessError: the message has the type, or how many numbers are none and where the first is.
    """
    if array.dtype.kind not in NUMBERS:
        raise HarnessError(
            f"data {source}: expected numbers in {what}, got an array of type {array.dtype}, such "
            f"as {array.flat[0]!r}; turn it into numbers with {what}.astype(float)"
        )
    if array.dtype.kind == "f" and not (finite := np.isfinite(array)).all():
        sample, *feature = (int(i) for i in np.argwhere(~finite)[0])
        column = f", feature {', '.join(map(str, feature))}" if feature else ""
        raise HarnessError(
            f"data {source}: expected finite numbers in {what}, got {(~finite).sum()} that are not,"
            f" the first ({array[(sample, *feature)]}) in sample {sample}{column}; leave such"
            " samples out, or fill in what is missing"
        )
