"""Columns of a table to numbers, by what the training part shows.

Whatever is measured (medians, means, deviations, which levels are known) is measured on the
training part alone. How many inputs a column becomes is the same for every split of the data: it
goes by the samples of the training and validation part together. An input that is the same for all
training samples, such as a level that none of them has, says nothing and is 0 everywhere: a network
would else multiply it with weights that nothing has trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from harness.core.errors import HarnessError

LISTED_COLUMNS = 8
"""Columns that a note lists at most."""


class Column(NamedTuple):
    """A column of a table, which is kept as float64, NaN where it is missing."""

    name: str
    kind: Literal["number", "boolean", "category"]
    """A boolean is 0 or 1 and is not scaled; a category is the number of its level."""
    levels: tuple[str, ...] = ()
    """What the table calls the levels of a category."""


class EncodedParts(NamedTuple):
    """Inputs of each part."""

    inputs: list[np.ndarray]
    """(N, F) float64 of each part."""
    notes: tuple[str, ...]
    """What a user should know of them, in sentences."""


def encode(
    source: str,
    parts: Sequence[np.ndarray],
    pool: np.ndarray,
    columns: Sequence[Column],
    *,
    scale: bool,
) -> EncodedParts:
    """Return a table's parts as inputs.

    Numbers: missing ones become the median, with an input of their own that is 1 where one was
    missing; then (x − μ)/σ, with the mean and deviation of the filled training samples. Categories:
    an input for each level, and one for missing.

    Args:
        source: name of the data, for notes and errors.
        parts: (N, C) of training, validation and test, in this order.
        pool: (M, C) the samples that are trained or validated on in any split.
        columns: what each of the C columns is.
        scale: whether numbers are scaled.

    Raises:
        HarnessError: no input differs between training samples.
    """
    blocks: list[list[np.ndarray]] = []
    notes: list[str] = []
    for j, column in enumerate(columns):
        own = [part[:, j] for part in parts]
        if column.kind == "category":
            blocks.append(_one_hot(own, pool[:, j]))
            notes += _unknown_levels(source, column, own)
        else:
            blocks.append(_filled(own, pool[:, j], scale=scale and column.kind == "number"))
    inputs = [np.concatenate(each, axis=1) for each in zip(*blocks, strict=True)]
    train = inputs[0]
    told_nothing = (train == train[:1]).all(0)
    if told_nothing.all():
        raise HarnessError(
            f"data {source}: expected columns that differ between training samples, got none among "
            f"{_listed([column.name for column in columns])}"
        )
    for part in inputs:
        part[:, told_nothing] = 0
    return EncodedParts(inputs, (_summary(source, columns, train.shape[1]), *notes))


def _filled(parts: list[np.ndarray], pool: np.ndarray, *, scale: bool) -> list[np.ndarray]:
    """Return numbers with the missing ones filled in, (N, 1), or (N, 2) with what was missing."""
    known = parts[0][~np.isnan(parts[0])]
    median = np.median(known) if len(known) else 0.0
    filled = [np.where(np.isnan(part), median, part) for part in parts]
    if scale:
        mean, deviation = filled[0].mean(), filled[0].std()
        filled = [(part - mean) / (deviation or 1.0) for part in filled]
    if not np.isnan(pool).any():
        return [part[:, None] for part in filled]
    pairs = zip(filled, parts, strict=True)
    return [np.stack([values, np.isnan(part)], axis=1) for values, part in pairs]


def _one_hot(parts: list[np.ndarray], pool: np.ndarray) -> list[np.ndarray]:
    """Return an input for each level in the pool, and one for missing where any is."""
    levels = np.unique(pool[~np.isnan(pool)])
    some_missing = np.isnan(pool).any()
    encoded = []
    for part in parts:
        inputs = (part[:, None] == levels).astype(float)
        missing = np.isnan(part)[:, None].astype(float)
        encoded.append(np.concatenate([inputs, missing], axis=1) if some_missing else inputs)
    return encoded


def _unknown_levels(source: str, column: Column, parts: list[np.ndarray]) -> list[str]:
    """Return a note for validation or test samples whose level no training sample has."""
    known = set(np.unique(parts[0][~np.isnan(parts[0])]).tolist())
    notes = []
    for part, values in zip(("validation", "test"), parts[1:], strict=True):
        unknown = [v for v in values[~np.isnan(values)].tolist() if v not in known]
        if unknown:
            names = _listed([column.levels[int(level)] for level in sorted(set(unknown))])
            notes.append(
                f"data {source}: {len(unknown)} of {len(values)} {part} samples have levels of "
                f"{column.name!r} that no training sample has ({names}); they are 0 in all of its "
                "inputs"
            )
    return notes


def _summary(source: str, columns: Sequence[Column], width: int) -> str:
    """Return which columns became inputs, in words."""
    kinds = {"number": "numbers", "boolean": "booleans", "category": "categories"}
    said = [
        f"{kinds[kind]} {_listed(names)}"
        for kind in kinds
        if (names := [column.name for column in columns if column.kind == kind])
    ]
    return f"data {source}: {len(columns)} columns became {width} inputs: {'; '.join(said)}"


def _listed(names: Sequence[str]) -> str:
    """Return some names in words, the first few of many."""
    shown = ", ".join(repr(name) for name in names[:LISTED_COLUMNS])
    return shown if len(names) <= LISTED_COLUMNS else f"{shown}, … ({len(names)} in all)"
