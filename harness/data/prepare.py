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
order: its first samples are no random sample. A change of the order of draws below changes every
data set.
"""

from __future__ import annotations

import math
from itertools import combinations_with_replacement

import numpy as np

from harness.core.errors import HarnessError
from harness.core.streams import Name, numpy_stream
from harness.data.dataset import Dataset, Part, Raw, Task
from harness.data.labels import Labels, as_classes, check_numbers, unseen_classes
from harness.data.options import DataOptions

TEST_SHARE = 0.2
"""Share of the samples split off for the test where the source has no test part of its own."""


def prepare(data: DataOptions, raw: Raw, task: Task) -> Dataset:
    """Split, corrupt, permute and scale as the spec says, in the order of this module's docstring.

    Args:
        data: the spec, whose options act and whose seed names the streams.
        raw: the source's arrays, which are finite numbers; left as they are.
        task: what is learnt from them.

    Returns:
        Training, validation and test part. Validation is empty for a ``valid_fraction`` of 0.

    Raises:
        HarnessError: the targets are not what the task needs, ``train_size`` asks for more
            samples than there are, or ``label_noise`` for noise without classes.
    """
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
    data: DataOptions, raw: Raw, task: Task
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
    data: DataOptions, labels: Labels, train_y: np.ndarray, others: tuple[np.ndarray, ...]
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
    indices: np.ndarray, share: float, data: DataOptions, *purpose: Name, size: int | None = None
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


def _with_label_noise(y: np.ndarray, classes: int, data: DataOptions) -> np.ndarray:
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


def _transformed(inputs: list[np.ndarray], data: DataOptions) -> list[np.ndarray]:
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


def _permuted(inputs: list[np.ndarray], data: DataOptions) -> list[np.ndarray]:
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
