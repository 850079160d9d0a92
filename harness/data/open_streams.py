"""From what a user's function returns to parts whose samples are read when they are needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.core.errors import HarnessError
from harness.core.lazy import Lazy
from harness.data.dataset import PART_NAMES, Dataset, Part, Raw, Streams, Task, TaskChoice
from harness.data.endless import EndlessStream, check_shards
from harness.data.objects import is_dataset
from harness.data.options import DataOptions
from harness.data.splitting import split_samples
from harness.data.streams import ENDLESS, Encoding, ReadBatch, SampleStream
from harness.data.tokens import ONE_HOT
from harness.spec.calls import parameters_of
from harness.spec.streaming import Streaming

if TYPE_CHECKING:
    import torch
else:
    torch = Lazy("torch")

FIRST = 16
"""Samples of each part that are read to know shapes and types, and twice."""
IN_MEMORY = {
    "label_noise": 0.0,
    "shuffle_pixels": False,
    "polynomial": 1,
    "standardize": False,
    "groups": None,
    "stratify": False,
    "order_by": None,
}
"""Options that need all samples at once, and what they are where they do nothing."""


class _Given(NamedTuple):
    """A data set with what makes batches of it."""

    dataset: Any
    collate: Callable[[list[Any]], Any]
    endless: bool = False
    """Whether its samples only come one after the other."""


def open_streams(
    data: DataOptions,
    given: object,
    how: Streaming,
    transform: Callable[[Any], Any] | None,
    task: TaskChoice,
) -> Dataset:
    """Return data whose samples are read when they are needed; of each part the first are there.

    Args:
        data: the spec, by whose options it is split.
        given: data sets or loaders, as :func:`_parts_of` takes them.
        how: how samples are read.
        transform: changes inputs that are trained on.
        task: what is learnt, where the user says so.

    Raises:
        HarnessError: they are no such data; or a sample can't be read, or comes out another each
            time.
    """
    for field, plain in IN_MEMORY.items():
        if getattr(data, field) != plain:
            raise HarnessError(
                f"data.{field}: expected it to be left out beside data.stream, since it needs all "
                f"samples of {data.name} at once; do it in the data set"
            )
    parts = _parts_of(data.name, given)
    _check_shards(data, parts, how)
    rows = _rows_of(data, parts)
    learnt, encoding = _encoding(data.name, parts["train"], how, task, int(rows["train"][0]))

    def stream(part: str) -> SampleStream:
        source = parts.get(part, parts["train"])
        changed = transform if part == "train" else None
        return SampleStream(
            *(data.name, source.dataset, rows[part], source.collate, encoding, changed),
            *(data.seed, how.workers),
        )

    own = _endless(stream("train"), how) if parts["train"].endless else stream("train")
    streams = Streams(own, stream("valid"), stream("test"))
    first = [_first(own) for own in streams]
    train, valid, test = (_as_part(pair, first[0]) for pair in first)
    return Dataset(
        train=train,
        valid=valid,
        test=test,
        task=learnt,
        notes=(_note(data.name, streams, first[0], how),),
        splits="one" if "valid" in parts or parts["train"].endless else "alike",
        classes=encoding.tokens,
        vocabulary=_vocabulary(first[0], encoding),
        streams=streams,
    )


def _endless(like: SampleStream, how: Streaming) -> EndlessStream:
    """Return a training part whose samples come one after the other.

    Raises:
        HarnessError: its shards give the same samples.
    """
    made = EndlessStream(
        *(like.name, like.dataset, like.collate, like.encoding, like.transform),
        *(like.seed, how.workers, how.shards),
    )
    check_shards(made)
    return made


def _check_shards(data: DataOptions, parts: Mapping[str, _Given], how: Streaming) -> None:
    """Refuse what needs numbers of samples that come one after the other, and shards of others.

    Raises:
        HarnessError: nothing to validate on, options that choose samples, or shards that nobody
            reads.
    """
    train = parts["train"]
    if not train.endless and how.shards > 1:
        raise HarnessError(
            "data.stream.shards: expected 1 for samples that are read by their numbers, got"
            f" {how.shards}; workers share them without"
        )
    if not train.endless:
        return
    if "valid" not in parts:
        raise HarnessError(
            f"data {data.name}: expected validation samples beside training samples that come one"
            " after the other, since none can be split off; return a mapping with train, valid and"
            " test, such as valid: list(islice(samples(), 1000))"
        )
    if data.train_size is not None:
        raise HarnessError(
            "data.train_size: expected it to be left out, since samples come one after the other,"
            f" got {data.train_size}; let the iterator end there"
        )
    if how.shards > 1 and callable(train.dataset) and "shard" not in parameters_of(train.dataset):
        raise HarnessError(
            f"data.stream.shards: expected a function that takes shard and shards, got"
            f" {how.shards} shards and {parameters_of(train.dataset) or 'no parameters'}"
        )


def _parts_of(source: str, given: object) -> dict[str, _Given]:
    """Return the data sets by their parts.

    Args:
        source: name of the data, for errors.
        given: one data set or loader; two of them (training and test); three (training, validation
            and test); or a mapping by their parts.

    Raises:
        HarnessError: they are something else.
    """
    given = _of_arrays(given)
    if isinstance(given, (tuple, list)) and len(given) in (2, 3):
        names = ("train", "test") if len(given) == 2 else ("train", "valid", "test")
        given = dict(zip(names, given, strict=True))
    elif not isinstance(given, Mapping):
        given = {"train": given}
    parts = {PART_NAMES.get(str(name).lower(), ""): part for name, part in given.items()}
    if "train" not in parts or "" in parts:
        raise HarnessError(
            f"data {source}: expected data sets by the names train, valid and test, got "
            f"{', '.join(map(str, given))}"
        )
    return {part: _as_given(source, dataset, part) for part, dataset in parts.items()}


def _of_arrays(given: object) -> object:
    """Return arrays (x, y) or (x, y, x_test, y_test) as data sets; anything else as it is."""
    if not isinstance(given, (tuple, list)) or len(given) not in (2, 4):
        return given
    if not all(hasattr(array, "__array__") for array in given):
        return given
    from torch.utils.data import TensorDataset

    arrays = [torch.as_tensor(np.asarray(array)) for array in given]
    pairs = zip(arrays[::2], arrays[1::2], strict=True)
    return dict(zip(("train", "test"), (TensorDataset(*pair) for pair in pairs), strict=False))


def _as_given(source: str, value: Any, part: str) -> _Given:
    """Return a data set, or that of a loader with its collate function.

    Raises:
        HarnessError: it is neither; or a loader whose order is not the run's own; or samples that
            only come one after the other where a whole part is evaluated.
    """
    from torch.utils.data import (
        DataLoader,
        IterableDataset,
        RandomSampler,
        SequentialSampler,
        default_collate,
    )

    collate: Callable[[list[Any]], Any] = default_collate
    if isinstance(value, DataLoader):
        endless = isinstance(value.dataset, IterableDataset)
        if not endless and not isinstance(value.sampler, (RandomSampler, SequentialSampler)):
            raise HarnessError(
                f"data {source}: expected a loader in order or shuffled, since the order is the "
                f"run's own, got a {type(value.sampler).__name__}; weigh rare classes by the loss "
                "(weight), or leave samples out of the data set"
            )
        collate = value.collate_fn or collate
        value = value.dataset
    makes = callable(value) and not isinstance(value, type) and not is_dataset(value)
    if part == "train" and (isinstance(value, IterableDataset) or makes):
        return _Given(value, collate, endless=True)
    # a list of samples has numbers, too
    if isinstance(value, IterableDataset) or not (is_dataset(value) or isinstance(value, list)):
        raise HarnessError(
            f"data {source}: expected map-style data sets, with __len__ and __getitem__, or loaders"
            f" of such, got a {type(value).__name__} as {part} part; to train on, samples may come"
            " one after the other from an IterableDataset, or from a function that returns an"
            " iterator; to evaluate, give a list of them, such as list(islice(samples(), 1000))"
        )
    if len(value) == 0:
        raise HarnessError(f"data {source}: expected samples, got a data set without any")
    return _Given(value, collate)


def _rows_of(data: DataOptions, parts: Mapping[str, _Given]) -> dict[str, np.ndarray]:
    """Return which samples of its data set each part has; of endless ones nobody knows."""
    if parts["train"].endless:
        held = {name: parts.get(name) for name in ("valid", "test")}
        sizes = {name: len(part.dataset) if part else 0 for name, part in held.items()}
        return {"train": np.arange(1)} | {name: np.arange(size) for name, size in sizes.items()}
    count = len(parts["train"].dataset)
    # what is split is numbers of samples
    none = np.zeros(count)
    empty = (np.zeros(0), np.zeros(0))
    own = {part: empty if part in parts else None for part in ("valid", "test")}
    split = split_samples(data, Raw(none, none, own["test"], own["valid"]), None)
    rows = {"train": split.train, "valid": split.valid, "test": split.test}
    return rows | {
        part: np.arange(len(given.dataset)) for part, given in parts.items() if part != "train"
    }


def _encoding(
    source: str, train: _Given, how: Streaming, task: TaskChoice, row: int
) -> tuple[Task, Encoding]:
    """Return what is learnt and how targets are encoded, from a training sample.

    Raises:
        HarnessError: they are classes, and nobody says how many.
    """
    stream = (
        EndlessStream(source, train.dataset, train.collate, _Kept(), None, 0, 0, how.shards)
        if train.endless
        else SampleStream(
            *(source, train.dataset, np.array([row]), train.collate, _Kept(), None, 0, 0)
        )
    )
    y = stream.first(1).y
    if y.is_floating_point() or task == "regression":
        return "regression", Encoding()
    own = getattr(train.dataset, "classes", ())
    classes = how.classes or (len(own) if hasattr(own, "__len__") else 0)
    if classes < 2 and y.dtype != torch.bool:
        raise HarnessError(
            f"data {source}: expected the number of classes, which no pass over the data counts: "
            "set stream.classes (whole numbers to be predicted are task: regression)"
        )
    classes = classes or 2
    if y.ndim > 1 or classes > ONE_HOT:
        return "tokens", Encoding(tokens=classes)
    return "classification", Encoding(classes=classes)


class _Kept(Encoding):
    """Targets as they are read."""

    def __call__(self, y: Any) -> Any:
        return y


def _first(stream: SampleStream | EndlessStream) -> ReadBatch | None:
    """Return the first samples of a part; None of a part without any.

    Raises:
        HarnessError: they are others when they are read again.
    """
    if not stream.size:
        return None
    first = _twice(stream, train=False)
    if stream.transform is not None:
        changed = _twice(stream, train=True)
        forms = [(tuple(pair.x.shape[1:]), pair.x.dtype) for pair in (first, changed)]
        if forms[0] != forms[1]:
            raise HarnessError(
                f"data {stream.name}: expected stream.transform to keep the shape and type of an "
                f"input, {forms[0]}, got {forms[1]}; what changes them belongs into the data set, "
                "since validation and test samples need it too"
            )
    return first


def _twice(stream: SampleStream | EndlessStream, train: bool) -> ReadBatch:
    """Return the first samples of a part, read twice.

    Raises:
        HarnessError: they are others when they are read again.
    """
    first, again = (stream.first(FIRST, train) for _ in range(2))
    if not all(map(_same, first, again)):
        raise HarnessError(
            f"data {stream.name}: expected the same samples when they are read again, got others; "
            "draw from torch's, NumPy's or Python's global generators, which are seeded for each "
            "sample, and from no generator of your own"
        )
    return first


def _same(a: Any, b: Any) -> bool:
    # NaN is itself; whether it can be trained on is another question
    return np.array_equal(a.numpy(), b.numpy(), equal_nan=a.is_floating_point())


def _as_part(pair: ReadBatch | None, train: ReadBatch | None) -> Part:
    """Return first samples as arrays; of a part without any none, of the shape of training's."""
    assert train is not None, "there is no training part without samples"
    x, y = pair or ReadBatch(train.x[:0], train.y[:0])
    return Part(x.numpy(), y.numpy())


def _vocabulary(train: ReadBatch | None, encoding: Encoding) -> int | None:
    """Return how many values inputs take that are whole numbers beside tokens."""
    assert train is not None, "there is no training part without samples"
    return encoding.tokens if encoding.tokens and not train.x.is_floating_point() else None


def _note(source: str, streams: Streams, train: ReadBatch | None, how: Streaming) -> str:
    """Return what a user should know of the data: sizes, shapes and types."""
    assert train is not None, "there is no training part without samples"
    counts = ", ".join(
        f"{'endless' if part.size == ENDLESS else part.size} {name}"
        for name, part in zip(("training", "validation", "test"), streams, strict=True)
    )
    by = f"{how.workers} worker{'s' * (how.workers > 1)}" if how.workers else "who trains"
    shapes = " and ".join(f"{tuple(a.shape[1:])} {str(a.dtype)[6:]}" for a in train)
    return f"data {source}: {counts} samples of {shapes}, read by {by} as they are trained on"
