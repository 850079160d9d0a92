"""The contract of a data set, and the arrays of one.

:func:`load_data` is what the engine calls; :func:`fingerprint` becomes part of every run's key, so
that a change of any array trains anew.
"""

from __future__ import annotations

import hashlib
import traceback
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np

from harness.core.errors import HarnessError
from harness.core.recent import keep_recent
from harness.data.array_notes import notes_of_inputs, notes_of_targets
from harness.data.arrays import check_arrays
from harness.data.dataset import Dataset, Raw, Task
from harness.data.options import DataOptions
from harness.data.prepare import prepare
from harness.spec.component import Component, as_a, parse_part

KEPT = 2**32
"""Bytes of data sets that a process keeps in memory once they are loaded: 18 of Fashion-MNIST, as
a search on eight splits of two versions of it needs them again and again."""


class Data(DataOptions):
    """A data set and what is done to it; the same spec always gives the same arrays.

    A subclass gives the raw arrays (:meth:`raw`); splitting and the options are done for it.
    """

    task: ClassVar[Task]
    """What is learnt, "classification" where it is not said. For a "function" there is nothing to
    predict: the model's parameters are moved to its minimum."""

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
        # no value here: a subclass may have a field of this name, as users choose
        return getattr(type(self), "task", "classification")

    def streamed(self) -> Dataset | None:
        """Return the data with their samples left where they are, to be read when they are needed;
        None of data that are arrays."""
        return None

    def default_loss(self) -> Component:
        """Return the loss used when the recipe names none, from the task of the loaded data."""
        task = load_data(self).task
        if task == "structured":
            raise HarnessError(
                f"recipe.loss: expected a loss, since targets of {self.name} are several arrays; "
                "name a function of your own (out, y) → losses (B,)"
            )
        classes = task in ("classification", "tokens")
        return _loss_of_name("CrossEntropy" if classes else "MSE")

    def default_model(self) -> Component | None:
        """Return the model used when the recipe names none; None where it must name one."""
        return None

    def sample_tokens(self) -> int | None:
        """Return how many tokens a sample has, which lengths in tokens go by.

        None where samples are no sequences of tokens.
        """
        return None


@lru_cache  # every member asks at every evaluation
def _loss_of_name(name: str) -> Component:
    """Return a loss as it is by default; all who ask share it."""
    return parse_part("loss", name)


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
    if (streamed := source.streamed()) is not None:
        return streamed
    raw = _raw_of(source)
    task = source.task_of(raw)
    notes = (*raw.notes, *notes_of_targets(source.name, raw.y, task))
    return prepare(source, raw._replace(notes=notes), task)


def _raw_of(data: Data) -> Raw:
    """Return the source's arrays.

    Raises:
        HarnessError: the source raises anything, and the message has the error and the line; or
            its arrays can't be trained on.
    """
    with own_errors(data.name):
        raw = data.raw()
    raw = raw._replace(
        x=np.asarray(raw.x), y=np.asarray(raw.y), test=_pair(raw.test), valid=_pair(raw.valid)
    )
    own = {name: pair for name, pair in (("valid", raw.valid), ("test", raw.test)) if pair}
    check_arrays(data.name, (raw.x, raw.y), own, missing=raw.columns is not None)
    return raw._replace(notes=(*raw.notes, *notes_of_inputs(data.name, raw)))


@contextmanager
def own_errors(source: str) -> Iterator[None]:
    """Say in one sentence what a source raises, which may be a user's.

    Args:
        source: name of the data.

    Raises:
        HarnessError: it raises anything; the message has the error and the line.
    """
    try:
        yield
    except HarnessError:
        raise
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        raise HarnessError(
            f"data {source}: expected arrays, got {type(error).__name__}: {error} "
            f"({Path(last.filename).name}:{last.lineno})"
        ) from error


def _pair(pair: tuple[np.ndarray, np.ndarray] | None) -> tuple[np.ndarray, np.ndarray] | None:
    """Return a part of a source's own as arrays: a user's function may give lists."""
    return None if pair is None else (np.asarray(pair[0]), np.asarray(pair[1]))


@lru_cache(maxsize=1024)
def fingerprint(data: Component, again: bool = False) -> str:
    """Return the SHA-256 over shape, type and bytes of all parts' arrays; part of a run's key.

    Of data that are read when they are needed it is over the first samples and the number of each
    part. It tells apart what a spec cannot, such as a user's function that has come to give other
    arrays.

    Args:
        data: a :class:`Data`.
        again: whether they are made once more, even where they are kept in memory.

    Raises:
        HarnessError: the data are not on this machine, or an option does not fit them.
    """
    digest = hashlib.sha256()
    dataset = load_data.__wrapped__(data) if again else load_data(data)
    for part in (dataset.train, dataset.valid, dataset.test):
        for array in part:
            # bytes alone would not tell (2, 3) from (3, 2), nor integers from floats
            digest.update(f"{array.shape}{array.dtype}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
    if dataset.streams is not None:
        digest.update(str([stream.size for stream in dataset.streams]).encode())
    return digest.hexdigest()
