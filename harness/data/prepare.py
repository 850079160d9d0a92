"""From raw arrays to train, validation and test parts: one pipeline for every data set.

Options act in this order, which decides what they can see of each other:

1. split off the test part (a fifth, if the source has none of its own), then validation, then cut
   to ``train_size`` (:mod:`harness.data.splitting`);
2. replace training labels (``label_noise``), which leaves validation and test as they are;
3. permute features (``shuffle_pixels``), the same way in every part;
4. add products of features (``polynomial``);
5. scale features (``standardize``) by the training samples' mean and deviation, so that nothing
   leaks from the others. Columns of a table are scaled before they are permuted and multiplied, as
   they are turned into numbers (:mod:`harness.data.columns`).

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
from harness.core.streams import numpy_stream
from harness.data.columns import encode
from harness.data.dataset import Dataset, OtherSplits, Part, Raw, Task
from harness.data.labels import Labels, as_classes, check_numbers, unseen_classes
from harness.data.options import DataOptions
from harness.data.splitting import split_samples
from harness.data.tokens import ONE_HOT, count_classes, vocabulary_of


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
    labels, y, (valid_y, test_y), tokens = _encoded(data, raw, task)
    classes = labels.classes if labels else 0
    if classes > ONE_HOT:
        task, tokens = "tokens", classes
    _check_inputs(raw.x, task, data)
    own = split_samples(data, raw, y if labels else None)
    valid = (raw.x[own.valid], y[own.valid])
    test = (raw.x[own.test], y[own.test])
    if raw.valid is not None and valid_y is not None:
        valid = (raw.valid[0], valid_y)
    if raw.test is not None and test_y is not None:
        test = (raw.test[0], test_y)
    notes = _notes(data, labels, y[own.train], (valid[1], test[1])) if labels else ()
    # for all samples, before the parts are taken: a sample's noise does not depend on the split
    train = (raw.x[own.train], _with_label_noise(y, classes, data)[own.train])
    parts = (train, valid, test)
    inputs, said = _inputs(data, raw, [part[0] for part in parts], own.pool)
    # classes of tokens stay whole numbers
    targets = [part[1] if tokens else _targets(part[1], classes) for part in parts]
    if raw.scale_targets:
        targets, scaled = _scaled_targets(data.name, targets)
        said = (*said, scaled)
    train_part, valid_part, test_part = map(Part, inputs, targets)
    return Dataset(
        train_part,
        valid_part,
        test_part,
        task,
        (*raw.notes, *said, *notes),
        splits_of_source(raw),
        tokens,
        vocabulary_of(inputs, tokens),
    )


def splits_of_source(raw: Raw) -> OtherSplits:
    """Return what other numbers of ``split`` give, from what the source gives."""
    if raw.valid is not None or raw.order is not None:
        return "one"
    return "alike" if raw.groups is None else "sizes differ"


def _inputs(
    data: DataOptions, raw: Raw, parts: list[np.ndarray], pool: np.ndarray
) -> tuple[list[np.ndarray], tuple[str, ...]]:
    """Return the parts' inputs, and what should be known of them.

    Args:
        data: the spec.
        raw: says what the columns of a table are.
        parts: inputs of training, validation and test as the source gives them.
        pool: indices of the samples that are trained or validated on in any split.
    """
    if raw.columns is None:
        return _transformed(parts, data, scale=data.standardize), ()
    every = [raw.x[pool]] if raw.valid is None else [raw.x[pool], raw.valid[0]]
    encoded = encode(data.name, parts, np.concatenate(every), raw.columns, scale=data.standardize)
    # what is 0 or 1 stays so; products of inputs are not
    scale = data.standardize and data.polynomial > 1
    return _transformed(encoded.inputs, data, scale=scale), encoded.notes


def _scaled_targets(source: str, targets: list[np.ndarray]) -> tuple[list[np.ndarray], str]:
    """Return (y − μ)/σ, μ and σ those of the first part (training), and a note that tells them."""
    mean, deviation = targets[0].mean(0), targets[0].std(0)
    deviation = np.where(deviation > 0, deviation, 1)
    numbers = ", ".join(f"({m:.6g}, {d:.6g})" for m, d in zip(mean, deviation, strict=True))
    note = (
        f"data {source}: targets are scaled by the training part's mean and deviation {numbers}: "
        "a squared error of 1 is that of guessing the mean"
    )
    return [(y - mean) / deviation for y in targets], note


def _encoded(
    data: DataOptions, raw: Raw, task: Task
) -> tuple[Labels | None, np.ndarray, tuple[np.ndarray | None, np.ndarray | None], int]:
    """Return the labels, the targets of all samples and of the source's own validation and test
    part, and how many classes tokens have.

    Raises:
        HarnessError: the targets are not what the task needs.
    """
    others = {name: pair[1] for name, pair in (("valid", raw.valid), ("test", raw.test)) if pair}
    labels, y, tokens = None, raw.y, 0
    if task == "tokens":
        y, others, tokens = count_classes(data.name, raw.y, others, raw.classes)
    elif task == "classification":
        labels = as_classes(data.name, raw.y, others)
        y, others = labels.y, labels.others
    elif task != "structured":
        check_numbers(data.name, raw.y, others)
    return labels, y, (others.get("valid"), others.get("test")), tokens


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
        if labels.classes > ONE_HOT:  # of a vocabulary some words are always rare
            seen = labels.classes - len(unseen)
            return (*notes, f"data {data.name}: training samples are of {seen} of the classes")
        if data.train_size is None:
            raise HarnessError(
                f"{said}; expected every class in training: set data.stratify, take another "
                "data.seed or data.split, more samples of these classes, or leave them out"
            )
        notes.append(f"{said}; data.train_size keeps {len(train_y)} samples")
    return tuple(notes)


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


def _transformed(inputs: list[np.ndarray], data: DataOptions, *, scale: bool) -> list[np.ndarray]:
    """Return the parts' inputs permuted, multiplied and scaled, as the spec says.

    Args:
        inputs: (N, *shape) of each part, the training part's first: scaling measures on it.
        data: the spec.
        scale: whether each is scaled.
    """
    if data.shuffle_pixels:
        inputs = _permuted(inputs, data)
    if data.polynomial > 1:
        inputs = [_products(x, data.polynomial) for x in inputs]
    if scale:
        inputs = _standardized(inputs)
    # indexing and permuting may have left other orders in memory; the device gets rows in order
    return [np.ascontiguousarray(x) for x in inputs]


def _check_inputs(x: np.ndarray, task: Task, data: DataOptions) -> None:
    """Refuse options that compute with inputs which are tokens, or several arrays.

    Raises:
        HarnessError: one of them is set.
    """
    tokens = task == "tokens" and x.dtype.kind in "iu"
    if not (tokens or x.dtype.fields):
        return
    for field, plain in {"shuffle_pixels": False, "polynomial": 1, "standardize": False}.items():
        if (got := getattr(data, field)) != plain:
            what = "tokens" if tokens else "several arrays"
            raise HarnessError(
                f"data.{field}: expected {plain}, since inputs of {data.name} are {what}, got "
                f"{got}; change them where they are made"
            )


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
    """Return targets (N, D): one-hot where there are classes, else float64 numbers, of any shape
    where they have more axes."""
    if y.dtype.fields:  # several arrays
        return y
    if classes:
        return np.asarray(np.eye(classes)[y.astype(int)])
    return np.asarray(y[:, None] if y.ndim == 1 else y, dtype=float)
