"""Targets as a user has them, to the classes 0 … K − 1 or the numbers that are trained on.

Labels may be any integers, booleans or texts; which class each became is told. Where targets may be
meant either way, such as whole numbers kept as floats, nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from harness.core.errors import HarnessError
from harness.data.arrays import NUMBERS, check_finite

LISTED = 10
"""Labels that a message lists at most."""
LABEL_LIKE = 20
"""Floats (N,) that are whole numbers, of at most so many values, look like classes."""


class Labels(NamedTuple):
    """Targets as classes."""

    y: np.ndarray
    """(N,) integers from 0 to K − 1."""
    others: dict[str, np.ndarray]
    """Those of the source's own parts, by their names (valid, test)."""
    classes: int
    """K."""
    values: tuple[object, ...]
    """What the source calls each class."""
    note: str
    """Which label became which class; empty where they had these numbers already."""


def are_classes(source: str, y: np.ndarray) -> bool:
    """Return whether targets of a user's function are classes rather than numbers.

    Integers, booleans and texts of shape (N,) are classes, and rows of a single 1 among zeros;
    other arrays are numbers to be predicted.

    Args:
        source: name of the data, for errors.
        y: targets (N,) or (N, D).

    Raises:
        HarnessError: they may be meant either way: whole numbers of few values kept as floats,
            integers in one column, or rows of integers of which most have a single 1 and the others
            none. The message has both fixes.
    """
    if y.ndim == 1 and y.dtype.kind != "f":
        return True
    if _are_one_hot(y):
        return True
    _refuse_empty_rows(source, y)
    whole = y.dtype.kind in "iub" if y.ndim == 2 and y.shape[1] == 1 else _few_whole_numbers(y)
    if whole:
        raise HarnessError(
            f"data {source}: expected y as integers (N,) for classes, or floats (N, 1) for numbers "
            f"to be predicted; got {y.dtype} of shape {y.shape} with whole numbers alone; "
            "give y.ravel().astype(int), or y.reshape(-1, 1).astype(float)"
        )
    return False


def _refuse_empty_rows(source: str, y: np.ndarray) -> None:
    """Refuse integers (N, K) that are one-hot but for rows of zeros.

    Raises:
        HarnessError: so they are; no model is trained on classes of which some samples have none.
    """
    if y.ndim != 2 or y.shape[1] < 2 or y.dtype.kind not in "iub" or not y.any():
        return
    empty = ~y.any(1)
    if _are_one_hot(y[~empty]):
        raise HarnessError(
            f"data {source}: expected rows of a single 1 in y for classes, or floats for numbers to"
            f" be predicted; got {y.dtype} of shape {y.shape} with {empty.sum()} rows of zeros, the"
            f" first in sample {empty.argmax()}; leave such samples out or give them a class of "
            "their own, or give y.astype(float)"
        )


def _few_whole_numbers(y: np.ndarray) -> bool:
    """Return whether targets (N,) are floats that look like classes."""
    if y.ndim != 1 or not np.isfinite(y).all():
        return False
    values = np.unique(y)
    return len(values) <= min(LABEL_LIKE, len(y) // 2) and bool((values == values.round()).all())


def _are_one_hot(y: np.ndarray) -> bool:
    """Return whether targets (N, K) have a single 1 in each row and zeros elsewhere."""
    if y.ndim != 2 or y.shape[1] < 2 or y.dtype.kind not in NUMBERS:
        return False
    return bool(np.isin(y, (0, 1)).all() and (y.sum(1) == 1).all())


def check_numbers(source: str, y: np.ndarray, others: Mapping[str, np.ndarray]) -> None:
    """Refuse targets that are no numbers to be predicted.

    Args:
        source: name of the data, for errors.
        y: targets.
        others: those of the source's own parts, by their names.

    Raises:
        HarnessError: they are not finite numbers, or another part's are of another shape.
    """
    check_finite(source, "y", y)
    for part, own in others.items():
        check_finite(source, f"y_{part}", own)
        if own.shape[1:] != y.shape[1:]:
            raise HarnessError(
                f"data {source}: expected y_{part} of the same shape as y, {y.shape}, got "
                f"{own.shape}"
            )


def as_classes(source: str, y: np.ndarray, others: Mapping[str, np.ndarray]) -> Labels:
    """Return labels as classes 0 … K − 1, in the order of their values.

    Args:
        source: name of the data, for errors and the note.
        y: labels (N,), or (N, K) with a single 1 in each row.
        others: those of the source's own parts, by their names (valid, test).

    Raises:
        HarnessError: they are no labels, all are of one class, or another part has one that these
            lack.

    >>> labels = as_classes("mine", np.array([-1, 1, 1]), {})
    >>> labels.y.tolist(), labels.note
    ([0, 1, 1], 'data mine: labels -1, 1 became classes 0, 1')
    """
    if _are_one_hot(y):
        return _of_one_hot(source, y, others)
    _check_labels(source, "y", y)
    values, classes = np.unique(y, return_inverse=True)
    if len(values) < 2:
        raise HarnessError(
            f"data {source}: expected at least 2 classes in y, got {len(values)} "
            f"({_listed(values)}); numbers to be predicted are floats (N, 1)"
        )
    plain = y.dtype.kind in "iu" and np.array_equal(values, np.arange(len(values)))
    note = "" if plain else _mapping(source, values)
    known = {part: _classes_of(source, part, values, own) for part, own in others.items()}
    return Labels(classes.reshape(-1), known, len(values), tuple(values.tolist()), note)


def _of_one_hot(source: str, y: np.ndarray, others: Mapping[str, np.ndarray]) -> Labels:
    """Return rows of a single 1 as classes, the places of the ones.

    Raises:
        HarnessError: another part has no such rows.
    """
    for part, own in others.items():
        if not _are_one_hot(own):
            raise HarnessError(f"data {source}: expected rows of a single 1 in y_{part}, as in y")
    labels = as_classes(source, y.argmax(1), {part: own.argmax(1) for part, own in others.items()})
    return labels._replace(
        note=f"data {source}: rows of a single 1 became {labels.classes} classes"
    )


def _check_labels(source: str, what: str, y: np.ndarray) -> None:
    """Refuse what can't be a label: rows of numbers, broken numbers, missing texts."""
    if y.ndim != 1:
        raise HarnessError(
            f"data {source}: expected one label for each sample, {what} (N,), got {y.shape}"
        )
    if y.dtype.kind == "f":
        check_finite(source, what, y)
        if not (y == y.round()).all():
            raise HarnessError(
                f"data {source}: expected whole numbers, booleans or texts as labels in {what},"
                f" got {next(v for v in y if v != round(v))}"
            )
    elif y.dtype.kind == "O":
        # numpy's own texts are of kind U; lists and tables of them come as objects
        strange = [label for label in y if not isinstance(label, str)]
        if strange:
            raise HarnessError(
                f"data {source}: expected texts as labels in {what}, got {strange[0]!r} among them;"
                " leave such samples out, or give every label as a text"
            )
    elif y.dtype.kind not in "biuUS":
        raise HarnessError(
            f"data {source}: expected integers, booleans or texts as labels in {what}, got an"
            f" array of type {y.dtype}"
        )


def _classes_of(source: str, part: str, values: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the classes of the source's own validation or test part.

    Raises:
        HarnessError: a label is none of those that the rest of the data has.
    """
    _check_labels(source, f"y_{part}", y)
    unseen = np.setdiff1d(y, values)
    if len(unseen):
        raise HarnessError(
            f"data {source}: expected the labels of y in y_{part} ({_listed(values)}), got "
            f"{_listed(unseen)}, which no training sample has; leave such samples out, or train on "
            "some of them"
        )
    return np.searchsorted(values, y)


def _mapping(source: str, values: np.ndarray) -> str:
    """Return which label became which class, in words."""
    classes = np.arange(len(values))
    return f"data {source}: labels {_listed(values)} became classes {_listed(classes)}"


def _listed(values: np.ndarray) -> str:
    """Return some values in words, the first few of many.

    >>> _listed(np.array(["a", "b"])), _listed(np.arange(214))
    ("'a', 'b'", '0, 1, 2, 3, 4, 5, 6, 7, 8, 9, … (214 in all)')
    """
    shown = ", ".join(repr(value) for value in values[:LISTED].tolist())
    return shown if len(values) <= LISTED else f"{shown}, … ({len(values)} in all)"


def unseen_classes(train_y: np.ndarray, others: tuple[np.ndarray, ...], classes: int) -> list[int]:
    """Return the classes of validation or test samples that no training sample has.

    Args:
        train_y: classes of the training samples.
        others: classes of the samples of the other parts.
        classes: how many there are.
    """
    counts = np.bincount(train_y, minlength=classes)
    seen_elsewhere = sum(np.bincount(y, minlength=classes) for y in others)
    return np.flatnonzero((counts == 0) & (seen_elsewhere > 0)).tolist()
