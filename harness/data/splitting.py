"""Which samples are trained on, validated on and tested on.

Samples are arranged in an order of which the first are taken: at random, group by group, with the
same share of every class, or the latest first.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from harness.core.errors import HarnessError
from harness.core.streams import Name, numpy_stream
from harness.data.dataset import Raw
from harness.data.options import DataOptions

TEST_SHARE = 0.2
"""Share of the samples split off for the test where the source has no test part of its own."""


class SplitSamples(NamedTuple):
    """Indices of a source's samples by part, each in the source's order."""

    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray
    """Empty where the source has a test part of its own; so is ``valid`` for one of validation."""
    pool: np.ndarray
    """What the test part leaves, whether it is trained on or not; the same for every split."""


class Arranged(NamedTuple):
    """Samples in an order of which some are taken and the rest stays."""

    order: np.ndarray
    """Indices; of those that stay the first are kept where not all are wanted."""
    taken: int
    """How many are taken."""


def split_samples(data: DataOptions, raw: Raw, classes_N: np.ndarray | None) -> SplitSamples:
    """Return which samples are in which part.

    Args:
        data: says how it is split, and its seed names the streams.
        raw: the source's arrays, with its groups or times where it is split by them.
        classes_N: class of each sample; None where the task has none.

    Raises:
        HarnessError: there is nothing to split by, or ``train_size`` is more than there are.
    """
    check_split(data, raw, classes_N)
    # the test part first, so that neither validation's share nor train_size changes which samples
    # are tested on
    pool, test = np.arange(len(raw.y)), np.arange(0)
    if raw.test is None:
        arranged = _arranged(data, raw, classes_N, pool, TEST_SHARE, "test")
        test, pool = np.sort(arranged.order[: arranged.taken]), arranged.order[arranged.taken :]
        pool = np.sort(pool)
    # number 0 has the stream that splits had before they were numbered
    purpose = ("valid", data.split) if data.split else ("valid",)
    share = data.valid_fraction if raw.valid is None else 0.0
    order, taken = _arranged(data, raw, classes_N, pool, share, *purpose)
    available = len(order) - taken
    size = available if data.train_size is None else data.train_size
    if size > available:
        raise HarnessError(
            f"data.train_size: expected at most {available} (what {data.name} leaves for "
            f"training), got {size}"
        )
    # the first ``size`` of a random order, so that smaller training sets are part of larger ones;
    # sorted, since what is drawn is which samples, not how they are arranged
    train, valid = np.sort(order[taken : taken + size]), np.sort(order[:taken])
    return SplitSamples(train, valid, test, pool)


def check_split(data: DataOptions, raw: Raw, classes_N: np.ndarray | None) -> None:
    """Refuse a split by what the source does not give.

    Raises:
        HarnessError: so it is; the message has the fix.
    """
    if data.groups is not None and raw.groups is None:
        raise HarnessError(_no_column(data, "groups", data.groups))
    if data.order_by is not None and raw.order is None:
        raise HarnessError(_no_column(data, "order_by", data.order_by))
    if data.stratify and classes_N is None:
        raise HarnessError(
            f"data.stratify: expected classes, but {data.name} has numbers to be predicted; leave "
            "it out"
        )
    for what, values in (("groups", raw.groups), ("order_by", raw.order)):
        if values is not None and values.shape != (len(raw.y),):
            raise HarnessError(
                f"data.{what}: expected one value for each of the {len(raw.y)} samples, got an "
                f"array of shape {values.shape}"
            )
    for what, values in (("groups", raw.groups), ("order_by", raw.order)):
        if values is not None and (missing := _missing(values)).any():
            raise HarnessError(
                f"data.{what}: expected a value for each sample, got {missing.sum()} missing, the "
                f"first in sample {missing.argmax()}; leave such samples out"
            )


def _no_column(data: DataOptions, field: str, name: str) -> str:
    return (
        f"data.{field}: {data.name} has no column {name!r} to split by; Table, Arrays and functions"
        " of your own have"
    )


def _missing(values: np.ndarray) -> np.ndarray:
    """Return which of some values are missing, as booleans: None, NaN and NaT."""
    import pandas as pd  # slow to import, and few data sets are split by a column

    return np.asarray(pd.isna(values))


def _arranged(
    data: DataOptions,
    raw: Raw,
    classes_N: np.ndarray | None,
    indices: np.ndarray,
    share: float,
    *purpose: Name,
) -> Arranged:
    """Return some samples in the order in which they are taken.

    Args:
        data: how, and whose seed names the stream.
        raw: has the groups or times.
        classes_N: class of each sample, if there are any.
        indices: of the samples, in the source's order.
        share: fraction to take; nothing for 0.
        purpose: what is taken, and which of several splits, which name the stream too.

    Raises:
        HarnessError: there are too few groups or times to make two parts of them.
    """
    stream = numpy_stream(data.seed, "split", *purpose)
    count = round(len(indices) * share)
    if raw.order is not None:
        return _latest_first(indices, raw.order[indices], count)
    if raw.groups is not None:
        return _by_groups(indices, raw.groups[indices], count, stream)
    if data.stratify and classes_N is not None:
        return _stratified(indices, classes_N[indices], count, stream)
    return Arranged(stream.permutation(indices), count)


def _latest_first(indices: np.ndarray, times: np.ndarray, count: int) -> Arranged:
    """Return the latest samples first; all of one time go to the later part.

    Raises:
        HarnessError: all that would stay are of one time with those taken.
    """
    # the source's order within a time
    order = np.argsort(times, kind="stable")[::-1]
    latest = times[order]
    if count:
        count = int((latest >= latest[count - 1]).sum())
    if count == len(order):
        raise HarnessError(
            f"data.order_by: expected samples of several times, got {len(np.unique(times))} among "
            f"{len(times)}, which can't be split into earlier and later ones"
        )
    return Arranged(indices[order], count)


def _by_groups(
    indices: np.ndarray, groups: np.ndarray, count: int, stream: np.random.Generator
) -> Arranged:
    """Return whole groups in random order; those are taken first that bring the number taken nearer
    to what is wanted.

    Raises:
        HarnessError: there are fewer than two groups.
    """
    _, group_N, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    drawn = stream.permutation(len(sizes))
    chosen: list[int] = []
    taken = 0
    for group in drawn:
        if abs(taken + sizes[group] - count) < abs(taken - count):
            chosen.append(int(group))
            taken += int(sizes[group])
    if count and not chosen:  # every group is more than twice as large as what is wanted
        chosen = [int(drawn[sizes[drawn].argmin()])]
    if len(sizes) <= len(chosen):
        raise HarnessError(
            f"data.groups: expected several groups in every part, got {len(sizes)} to split in two"
        )
    place = np.empty(len(sizes), int)
    place[[*chosen, *(g for g in drawn if g not in set(chosen))]] = np.arange(len(sizes))
    order = np.argsort(place[group_N], kind="stable")
    return Arranged(indices[order], int(sizes[chosen].sum()) if chosen else 0)


def _stratified(
    indices: np.ndarray, classes: np.ndarray, count: int, stream: np.random.Generator
) -> Arranged:
    """Return samples so that those taken have each class's share, to one sample.

    Those that stay are arranged with their classes spread evenly, so that any number of the first
    has the shares as well.
    """
    shuffled = stream.permutation(len(indices))
    sizes = np.bincount(classes)
    quota = _whole_shares(sizes, count)
    # each sample's place within its class
    by_class = shuffled[np.argsort(classes[shuffled], kind="stable")]
    rank = np.empty(len(indices), int)
    rank[by_class] = np.concatenate([np.arange(size) for size in sizes])
    taken = rank < quota[classes]
    left = np.maximum(sizes - quota, 1)[classes]
    spread = (rank - quota[classes] + 0.5) / left
    # the samples taken first, each half in the order of its spread and else at random
    order = np.lexsort((np.argsort(shuffled), spread, ~taken))
    return Arranged(indices[order], count)


def _whole_shares(sizes: np.ndarray, count: int) -> np.ndarray:
    """Return how many of each class are taken: largest remainders (Hamilton's method).

    A class with a single sample is left to the training part, as long as there are others.

    >>> _whole_shares(np.array([50, 30, 20]), 10), _whole_shares(np.array([7, 2, 1]), 2)
    (array([5, 3, 2]), array([2, 0, 0]))
    """
    exact = sizes * (count / max(1, sizes.sum()))
    quota = np.floor(exact).astype(int)
    remainder = np.where(sizes > 1, exact - quota, -1)
    # the stable order makes equal remainders go to the first classes
    largest = np.argsort(-remainder, kind="stable")[: count - int(quota.sum())]
    quota[largest] += 1
    return np.asarray(quota)
