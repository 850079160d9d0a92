"""From raw arrays to train, validation and test parts: one pipeline for every data set."""

from __future__ import annotations

import hashlib
import math
from functools import lru_cache
from itertools import combinations_with_replacement
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from harness.core.errors import HarnessError
from harness.core.streams import numpy_stream
from harness.spec.component import Component, as_a, parse_part

Array = NDArray[Any]
Task = Literal["classification", "regression", "function"]


class Raw(NamedTuple):
    """Arrays as a source gives them."""

    x: Array
    """(N, *shape) inputs."""
    y: Array
    """(N,) integer classes, or (N, D) numbers."""
    test: tuple[Array, Array] | None = None
    """The source's own test part; otherwise a fifth is split off."""


class Part(NamedTuple):
    """Inputs (N, *shape) and targets (N, D): one-hot for classes."""

    x: Array
    y: Array


class Dataset(NamedTuple):
    """A data set ready to train on."""

    train: Part
    valid: Part
    test: Part
    task: Task

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return tuple(self.train.x.shape[1:])

    @property
    def outputs(self) -> int:
        """Numbers that a model must give for one input."""
        return int(self.train.y.shape[1])


class Data(Component):
    """A data set and what is done to it; the same spec always gives the same arrays. Subclasses give the raw ones."""

    kind = "data"
    task: ClassVar[Task] = "classification"
    seed: int = 0
    """Names the streams of the split, the noise and the shuffle."""
    train_size: int | None = Field(default=None, ge=1)
    """Number of training samples kept (a prefix: smaller sets are nested in larger ones); all by default."""
    valid_fraction: float = Field(default=0.2, ge=0, lt=1)
    """Share of the training part held out for validation."""
    label_noise: float = Field(default=0.0, ge=0, le=1)
    """Share of training labels replaced by random ones."""
    shuffle_pixels: bool = False
    """Permute the features by one fixed permutation."""
    polynomial: int = Field(default=1, ge=1)
    """Degree up to which products of the features are added to them."""
    standardize: bool = False
    """Scale each feature to mean 0 and deviation 1, as measured on the training samples."""

    def raw(self) -> Raw:
        """Return the arrays, always the same."""
        raise NotImplementedError

    def task_of(self, raw: Raw) -> Task:
        """Return what is learnt from the arrays."""
        return self.task

    def default_loss(self) -> Component:
        """Return the loss used when the recipe names none."""
        return parse_part("loss", "CrossEntropy" if load(self).task == "classification" else "MSE")

    def default_model(self) -> Component | None:
        """Return the model used when the recipe names none."""
        return None


@lru_cache(maxsize=16)
def load(data: Component) -> Dataset:
    """Return the data set that ``data`` describes; kept in memory while it is in use."""
    source = as_a(Data, data)
    return prepare(source, source.raw())


@lru_cache(maxsize=64)
def fingerprint(data: Component) -> str:
    """Return the SHA-256 over the arrays of all parts."""
    seen = hashlib.sha256()
    for part in load(data)[:3]:
        for array in part:
            seen.update(
                f"{array.shape}{array.dtype}".encode() + np.ascontiguousarray(array).tobytes()
            )
    return seen.hexdigest()


def prepare(data: Data, raw: Raw) -> Dataset:
    """Split, corrupt, permute and scale as the spec says.

    Raises:
        HarnessError: ``train_size`` asks for more samples than there are.
    """
    x, y = np.asarray(raw.x), np.asarray(raw.y)
    task = data.task_of(raw)
    classes = int(y.max()) + 1 if task == "classification" else 0
    pool, test = (np.arange(len(x)), None) if raw.test else _cut(len(x), 0.2, data.seed, "test")
    fit, held = _cut_pool(pool, data)
    test_x, test_y = raw.test if raw.test else (x[test], y[test])
    noisy = _noisy(y, pool, classes, data)
    parts = [(x[fit], noisy[fit]), (x[held], y[held]), (np.asarray(test_x), np.asarray(test_y))]
    parts = _permuted(parts, data) if data.shuffle_pixels else parts
    parts = [(_products(x, data.polynomial), y) for x, y in parts] if data.polynomial > 1 else parts
    parts = _scaled(parts) if data.standardize else parts
    train, valid, held_out = (Part(np.ascontiguousarray(a), _targets(b, classes)) for a, b in parts)
    return Dataset(train, valid, held_out, task)


def _cut(count: int, share: float, seed: int, purpose: str) -> tuple[Array, Array]:
    order = numpy_stream(seed, "split", purpose).permutation(count)
    taken = round(count * share)
    return np.sort(order[taken:]), np.sort(order[:taken])


def _cut_pool(pool: Array, data: Data) -> tuple[Array, Array]:
    order = numpy_stream(data.seed, "split", "valid").permutation(pool)
    taken = round(len(pool) * data.valid_fraction)
    available = len(pool) - taken
    size = data.train_size or available
    if size > available:
        raise HarnessError(
            f"data.train_size: expected at most {available} (what {data.name} leaves for training), got {size}"
        )
    return np.sort(order[taken : taken + size]), np.sort(order[:taken])


def _noisy(y: Array, pool: Array, classes: int, data: Data) -> Array:
    if not data.label_noise:
        return y
    if not classes:
        raise HarnessError(
            f"data.label_noise: expected 0, since {data.name} has no classes, got {data.label_noise}"
        )
    stream = numpy_stream(data.seed, "label noise")
    hit = stream.random(len(y)) < data.label_noise
    return np.where(hit, stream.integers(0, classes, len(y)), y)


def _permuted(parts: list[tuple[Array, Array]], data: Data) -> list[tuple[Array, Array]]:
    shape = parts[0][0].shape[1:]
    count = math.prod(shape)
    order = numpy_stream(data.seed, "pixels").permutation(count)
    return [(x.reshape(len(x), count)[:, order].reshape(len(x), *shape), y) for x, y in parts]


def _products(x: Array, degree: int) -> Array:
    """Return all products of 1 to ``degree`` features (N, C(F + degree, degree) − 1)."""
    flat = x.reshape(len(x), -1)
    chosen = (
        c
        for d in range(1, degree + 1)
        for c in combinations_with_replacement(range(flat.shape[1]), d)
    )
    return np.stack([flat[:, c].prod(axis=1) for c in chosen], axis=1)


def _scaled(parts: list[tuple[Array, Array]]) -> list[tuple[Array, Array]]:
    mean, deviation = parts[0][0].mean(0), parts[0][0].std(0)
    return [((x - mean) / np.where(deviation > 0, deviation, 1), y) for x, y in parts]


def _targets(y: Array, classes: int) -> Array:
    if classes:
        return np.asarray(np.eye(classes)[y.astype(int)])
    return np.asarray(y[:, None] if y.ndim == 1 else y, dtype=float)
