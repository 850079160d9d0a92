"""From raw arrays to train, validation and test parts: one pipeline for every data set.

Options act in this order, which decides what they can see of each other:

1. split off the test part (a fifth, if the source has none of its own), then validation, then cut
   to ``train_size``;
2. replace training labels (``label_noise``), which leaves validation and test as they are;
3. permute features (``shuffle_pixels``), the same way in every part;
4. add products of features (``polynomial``);
5. scale features (``standardize``) by the training samples' mean and deviation, so that nothing
   leaks from the others.

Every random choice has a stream of its own, named by the data's seed and its purpose, so that no
option but ``split`` changes the split, and ``split`` never the test part. A part keeps the source's
order: its first samples are no random sample.

:func:`load_data` is what the engine calls; :func:`fingerprint` becomes part of every run's key, so
that a change of any array trains anew. A change of the order of draws below changes every data set.
"""

from __future__ import annotations

import hashlib
import math
import traceback
from abc import abstractmethod
from functools import lru_cache
from itertools import combinations_with_replacement
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import Field

from harness.core.errors import HarnessError
from harness.core.recent import keep_recent
from harness.core.streams import Name, numpy_stream
from harness.data.arrays import check_arrays
from harness.data.labels import Labels, as_classes, check_numbers, unseen_classes
from harness.spec.component import Component, as_a, parse_part

Task = Literal["classification", "regression", "function"]

TEST_SHARE = 0.2
"""Share of the samples split off for the test where the source has no test part of its own."""

KEPT = 2**32
"""Bytes of data sets that a process keeps in memory once they are loaded: 18 of Fashion-MNIST, as
a search on eight splits of two versions of it needs them again and again."""


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


class Data(Component):
    """A data set and what is done to it; the same spec always gives the same arrays.

    A subclass gives the raw arrays (:meth:`raw`); splitting and the options below are done for it.
    """

    kind = "data"
    task: ClassVar[Task] = "classification"
    """What is learnt. For a "function" there is nothing to predict: the model's parameters are
    moved to its minimum."""
    seed: int = 0
    """Names the streams of the split, the noise and the shuffle. It is the data's own: runs with
    different seeds see the same data set."""
    train_size: int | None = Field(default=None, ge=1)
    """Number of training samples kept (smaller sets are nested in larger ones); all by default."""
    valid_fraction: float = Field(default=0.2, ge=0, lt=1)
    """Share of the training part held out for validation."""
    split: int = Field(default=0, ge=0)
    """Which random split of the samples that the test part leaves into training and validation:
    each number names another one of the same sizes, so that searches can be repeated on several.
    The test part does not depend on it."""
    label_noise: float = Field(default=0.0, ge=0, le=1)
    """Share of training labels replaced by ones drawn from all classes, the true one included."""
    shuffle_pixels: bool = False
    """Permute the features by one fixed permutation."""
    polynomial: int = Field(default=1, ge=1)
    """Degree up to which products of the features are added to them."""
    standardize: bool = False
    """Scale each feature to mean 0 and deviation 1, as measured on the training samples."""

    @abstractmethod
    def raw(self) -> Raw:
        """Return the arrays before any option acts, always the same for the same fields.

        They must not depend on ``split``: runs on several splits train together.

        Random sources draw from :func:`~harness.core.streams.numpy_stream` with the data's seed and
        never from a global generator.

        Raises:
            HarnessError: the data are not on this machine.
        """

    def task_of(self, raw: Raw) -> Task:
        """Return what is learnt from the arrays; for most sources whatever the arrays are.

        Args:
            raw: what :meth:`raw` returned.
        """
        return self.task

    def default_loss(self) -> Component:
        """Return the loss used when the recipe names none, from the task of the loaded data."""
        classes = load_data(self).task == "classification"
        return parse_part("loss", "CrossEntropy" if classes else "MSE")

    def default_model(self) -> Component | None:
        """Return the model used when the recipe names none; None where it must name one."""
        return None


# every run of an arm asks again; small data sets are kept for every split that a study compares
@keep_recent(KEPT)
def load_data(data: Component) -> Dataset:
    """Return the data set that ``data`` describes; the last few are kept in memory.

    Args:
        data: a :class:`Data`; equal ones, which hash alike, share one data set.

    Returns:
        Its parts, which are shared: nobody may write into their arrays.

    Raises:
        HarnessError: the data are not on this machine, or an option does not fit them.
    """
    source = as_a(Data, data)
    return prepare(source, _raw_of(source))


def _raw_of(data: Data) -> Raw:
    """Return the source's arrays.

    Raises:
        HarnessError: the source raises anything; the message has the error and the line.
    """
    try:
        raw = data.raw()
    except HarnessError:
        raise
    except Exception as error:  # any: the source may be a user's
        last = traceback.extract_tb(error.__traceback__)[-1]
        raise HarnessError(
            f"data {data.name}: expected arrays, got {type(error).__name__}: {error} "
            f"({Path(last.filename).name}:{last.lineno})"
        ) from error
    test = None if raw.test is None else (np.asarray(raw.test[0]), np.asarray(raw.test[1]))
    return Raw(np.asarray(raw.x), np.asarray(raw.y), test)


@lru_cache(maxsize=1024)
def fingerprint(data: Component) -> str:
    """Return the SHA-256 over shape, type and bytes of all parts' arrays; part of a run's key.

    It tells apart what a spec cannot, such as a user's function that has come to give other arrays.

    Args:
        data: a :class:`Data`.

    Raises:
        HarnessError: the data are not on this machine, or an option does not fit them.
    """
    digest = hashlib.sha256()
    dataset = load_data(data)
    for part in (dataset.train, dataset.valid, dataset.test):
        for array in part:
            # bytes alone would not tell (2, 3) from (3, 2), nor integers from floats
            digest.update(f"{array.shape}{array.dtype}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def prepare(data: Data, raw: Raw) -> Dataset:
    """Split, corrupt, permute and scale as the spec says, in the order of this module's docstring.

    Args:
        data: the spec, whose options act and whose seed names the streams.
        raw: the source's arrays; left as they are.

    Returns:
        Training, validation and test part. Validation is empty for a ``valid_fraction`` of 0.

    Raises:
        HarnessError: the arrays can't be trained on, ``train_size`` asks for more samples than
            there are, or ``label_noise`` for noise without classes.
    """
    check_arrays(data.name, (raw.x, raw.y), raw.test)
    task = data.task_of(raw)
    labels, (y, own_test_y) = _encoded(data, raw, task)
    classes = labels.classes if labels else 0
    # the test part first, so that neither validation's share nor train_size changes which samples
    # are tested on
    if raw.test is None or own_test_y is None:
        pool, test = _split(np.arange(len(y)), TEST_SHARE, data, "test")
        test_x, test_y = raw.x[test], y[test]
    else:
        pool, test_x, test_y = np.arange(len(y)), raw.test[0], own_test_y
    # number 0 has the stream that splits had before they were numbered
    purpose = ("valid", data.split) if data.split else ("valid",)
    train, valid = _split(pool, data.valid_fraction, data, *purpose, size=data.train_size)
    notes = _notes(data, labels, y[train], (y[valid], test_y)) if labels else ()
    # for all samples, before the parts are taken: a sample's noise does not depend on the split
    noisy_y = _with_label_noise(y, classes, data)
    parts = [(raw.x[train], noisy_y[train]), (raw.x[valid], y[valid]), (test_x, test_y)]
    inputs = _transformed([part[0] for part in parts], data)
    targets = [_targets(part[1], classes) for part in parts]
    train_part, valid_part, test_part = map(Part, inputs, targets)
    return Dataset(train_part, valid_part, test_part, task, notes)


def _encoded(
    data: Data, raw: Raw, task: Task
) -> tuple[Labels | None, tuple[np.ndarray, np.ndarray | None]]:
    """Return the labels, and the targets of all samples and of the source's own test part.

    Raises:
        HarnessError: the targets are not what the task needs.
    """
    test_y = None if raw.test is None else raw.test[1]
    if task != "classification":
        check_numbers(data.name, raw.y, test_y)
        return None, (raw.y, test_y)
    labels = as_classes(data.name, raw.y, test_y)
    return labels, (labels.y, labels.test_y)


def _notes(
    data: Data, labels: Labels, train_y: np.ndarray, others: tuple[np.ndarray, ...]
) -> tuple[str, ...]:
    """Return what should be known of the classes.

    Args:
        data: the spec.
        labels: of all samples.
        train_y: classes of the training samples, before any noise.
        others: classes of the validation and test samples.

    Raises:
        HarnessError: a class of these has no training sample, and nobody asked for so few.
    """
    notes = [labels.note] if labels.note else []
    if unseen := unseen_classes(train_y, others, labels.classes):
        names = ", ".join(repr(labels.values[c]) for c in unseen)
        said = f"data {data.name}: no training sample is of class {names}, but others are"
        if data.train_size is None:
            raise HarnessError(
                f"{said}; expected every class in training: take another data.seed or data.split, "
                "more samples of these classes, or leave them out"
            )
        notes.append(f"{said}; data.train_size keeps {len(train_y)} samples")
    return tuple(notes)


def _split(
    indices: np.ndarray, share: float, data: Data, *purpose: Name, size: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Split indices at random; return those that stay and those that are taken, both sorted.

    Args:
        indices: of the samples, in the source's order.
        share: fraction to take.
        data: whose seed names the stream.
        purpose: what is taken, and which of several splits, which name the stream too.
        size: how many of those that stay are kept; all by default.

    Raises:
        HarnessError: ``size`` is more than stay.
    """
    order = numpy_stream(data.seed, "split", *purpose).permutation(indices)
    taken = round(len(order) * share)
    available = len(order) - taken
    if size is not None and size > available:
        raise HarnessError(
            f"data.train_size: expected at most {available} (what {data.name} leaves for "
            f"training), got {size}"
        )
    # the first ``size`` of a random order, so that smaller training sets are part of larger ones
    kept = order[taken : taken + (available if size is None else size)]
    # in the source's order: what is drawn is which samples, not how they are arranged
    return np.sort(kept), np.sort(order[:taken])


def _with_label_noise(y: np.ndarray, classes: int, data: Data) -> np.ndarray:
    """Return labels with a share of them drawn anew from all classes, the true one included.

    Args:
        y: (N,) classes of all samples; left as they are.
        classes: how many there are; 0 where the task has none.
        data: whose ``label_noise`` is the share, and whose seed names the stream.

    Raises:
        HarnessError: noise is asked for where there are no classes.
    """
    if not data.label_noise:
        return y
    if not classes:
        raise HarnessError(
            f"data.label_noise: expected 0, since {data.name} has no classes, "
            f"got {data.label_noise}"
        )
    stream = numpy_stream(data.seed, "label noise")
    # which samples is drawn first, so that with more noise the same ones are hit, and some more
    replaced = stream.random(len(y)) < data.label_noise
    return np.where(replaced, stream.integers(0, classes, len(y)), y)


def _transformed(inputs: list[np.ndarray], data: Data) -> list[np.ndarray]:
    """Return the parts' inputs permuted, multiplied and scaled, as the spec says.

    Args:
        inputs: (N, *shape) of each part, the training part's first: scaling measures on it.
        data: the spec.
    """
    if data.shuffle_pixels:
        inputs = _permuted(inputs, data)
    if data.polynomial > 1:
        inputs = [_products(x, data.polynomial) for x in inputs]
    if data.standardize:
        inputs = _standardized(inputs)
    # indexing and permuting may have left other orders in memory; the device gets rows in order
    return [np.ascontiguousarray(x) for x in inputs]


def _permuted(inputs: list[np.ndarray], data: Data) -> list[np.ndarray]:
    """Return inputs whose numbers are permuted, all by one permutation, in the shape they had."""
    shape = inputs[0].shape[1:]
    count = math.prod(shape)
    order = numpy_stream(data.seed, "pixels").permutation(count)
    return [x.reshape(len(x), count)[:, order].reshape(len(x), *shape) for x in inputs]


def _products(x: np.ndarray, degree: int) -> np.ndarray:
    """Return all products of 1 to ``degree`` features, (N, C(F + degree, degree) − 1).

    A feature may be in a product more than once. The features themselves come first.
    """
    flat = x.reshape(len(x), -1)
    columns = [
        flat[:, chosen].prod(axis=1)
        for size in range(1, degree + 1)
        for chosen in combinations_with_replacement(range(flat.shape[1]), size)
    ]
    return np.stack(columns, axis=1)


def _standardized(inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Return (x − μ)/σ, μ and σ those of the first part (training); constant features become 0."""
    mean, deviation = inputs[0].mean(0), inputs[0].std(0)
    scale = np.where(deviation > 0, deviation, 1)  # a constant feature is 0/1, not 0/0
    return [(x - mean) / scale for x in inputs]


def _targets(y: np.ndarray, classes: int) -> np.ndarray:
    """Return targets (N, D): one-hot where there are classes, else float64 numbers."""
    if classes:
        return np.asarray(np.eye(classes)[y.astype(int)])
    return np.asarray(y[:, None] if y.ndim == 1 else y, dtype=float)
