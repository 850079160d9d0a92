"""Arrays and in-memory data sets as a user has them, as arrays by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.core.errors import HarnessError
from harness.data.arrays import Pair
from harness.data.dataset import PART_NAMES

READ_TWICE = 3
"""Samples that are read twice, to find out whether a data set gives them as they are."""
EXPECTED = (
    "expected (x, y) or (x, y, x_test, y_test), a mapping with these names, or a map-style Dataset,"
    " a pair of them (training and test) or a mapping of train, valid and test"
)


def named_arrays(source: str, given: object) -> Mapping[str, Any]:
    """Return by name the arrays that a user gave, or that a user's function returned.

    Args:
        source: name of the data, for errors.
        given: (x, y) or (x, y, x_test, y_test), or a mapping of arrays; a map-style
            ``torch.utils.data.Dataset`` of pairs, which is read into memory; a pair of them, for
            training and test, or a mapping of them by their parts.

    Returns:
        Arrays as :func:`harness.data.given.raw_of_arrays` takes them.

    Raises:
        HarnessError: it is none of these, or a sample is another each time it is read.
    """
    if any(hasattr(part, "batch_sampler") for part in _each(given)):
        raise HarnessError(
            f"data {source}: {EXPECTED}, got a loader; with stream: {{}} beside the name samples"
            " are read when they are trained on, in batches that the recipe makes (batch_size)"
        )
    if is_dataset(given):
        given = {"train": given}
    elif isinstance(given, (tuple, list)) and len(given) == 2 and all(map(is_dataset, given)):
        given = {"train": given[0], "test": given[1]}
    elif isinstance(given, (tuple, list)) and len(given) in (2, 4):
        given = dict(zip(("x", "y", "x_test", "y_test"), given, strict=False))
    if not isinstance(given, Mapping):
        raise HarnessError(f"data {source}: {EXPECTED}, got {_in_words(given)}")
    if given and all(map(is_dataset, given.values())):
        return _arrays_of_parts(source, given)
    return {name: _detached(value) for name, value in given.items()}


def _each(given: object) -> list[object]:
    """Return the parts of what was given, or itself."""
    if isinstance(given, Mapping):
        return list(given.values())
    return list(given) if isinstance(given, (tuple, list)) else [given]


def _arrays_of_parts(source: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arrays of data sets by the parts' names.

    Raises:
        HarnessError: a part has another name, or there is none to train on.
    """
    parts = {PART_NAMES.get(name.lower(), ""): dataset for name, dataset in given.items()}
    if "train" not in parts or "" in parts:
        raise HarnessError(
            f"data {source}: expected data sets by the names train, valid and test, got "
            f"{', '.join(given)}"
        )
    arrays = {}
    for part, dataset in parts.items():
        suffix = "" if part == "train" else f"_{part}"
        arrays[f"x{suffix}"], arrays[f"y{suffix}"] = _samples_of(source, dataset)
    return arrays


def is_dataset(value: object) -> bool:
    """Return whether a value is a map-style data set, as torch means it: samples by number."""
    plain = isinstance(value, (tuple, list, Mapping, str, type)) or hasattr(value, "__array__")
    return not plain and hasattr(value, "__getitem__") and hasattr(value, "__len__")


def _samples_of(source: str, dataset: Any) -> Pair:
    """Return all samples of a data set as two arrays.

    Raises:
        HarnessError: a sample is no pair, or is drawn anew each time it is read.
    """
    if len(dataset) == 0:
        raise HarnessError(f"data {source}: expected samples, got a data set without any")
    samples = []
    for index in range(len(dataset)):
        sample = dataset[index]
        if not isinstance(sample, (tuple, list)) or len(sample) != 2:
            raise HarnessError(
                f"data {source}: expected samples (x, y), got sample {index} as {_in_words(sample)}"
            )
        samples.append([np.asarray(_detached(value)) for value in sample])
    for index in range(min(READ_TWICE, len(samples))):
        again = [np.asarray(_detached(value)) for value in dataset[index]]
        if not all(map(np.array_equal, samples[index], again)):
            raise HarnessError(
                f"data {source}: expected the same sample each time it is read, got sample {index}"
                " drawn anew; leave out random transforms, which would be drawn once for all epochs"
            )
    xs, ys = zip(*samples, strict=True)
    return _stacked(source, "x", xs), _stacked(source, "y", ys)


def _stacked(source: str, name: str, values: tuple[np.ndarray, ...]) -> np.ndarray:
    """Return samples as one array.

    Raises:
        HarnessError: they are of several shapes.
    """
    if len(shapes := {value.shape for value in values}) > 1:
        raise HarnessError(
            f"data {source}: expected {name} of one shape, got {sorted(shapes)[:4]}; resize, pad or"
            " cut the samples"
        )
    return np.stack(values)


def _detached(value: Any) -> Any:
    """Return a tensor as NumPy takes it: on the host, without a graph."""
    return value.detach().cpu() if hasattr(value, "detach") else value


def _in_words(value: object) -> str:
    if isinstance(value, (tuple, list)):
        return f"{len(value)} values"
    return f"a {type(value).__name__}"
