"""What a recipe says of data that are read while they are trained on, and never lie in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field

from harness.core.errors import HarnessError
from harness.spec.base import Spec
from harness.spec.objects import name_object


def _named(value: object) -> object:
    """Return the dotted name of a function, or of one that is given as such."""
    if value is None or isinstance(value, str):
        return value
    if not callable(value):
        raise HarnessError(f"expected a function of an input, got {value!r:.60}")
    return name_object(value)


class Streaming(Spec):
    """How samples are read: a batch at a time, by processes beside the one that trains."""

    workers: int = Field(default=0, ge=0)
    """Processes that read samples ahead; 0 reads them where they are trained on. The numbers of a
    run are the same with any number."""
    shards: int = Field(default=1, ge=1, exclude_if=lambda shards: shards == 1)
    """Of samples that only come one after the other (an ``IterableDataset``, or a function that
    returns an iterator): parts that are read apart, batches of each by turns. An
    ``IterableDataset`` is told by ``get_worker_info``, a function by arguments ``shard`` and
    ``shards``; so many workers read at a time at most."""
    transform: Annotated[str | None, BeforeValidator(_named)] = None
    """A function of your own that changes the inputs of training samples, one at a time (a dotted
    name, or in Python the function itself). It may draw from ``torch``, NumPy's and Python's global
    generators, which are seeded for each sample and epoch from the run's own streams; the arms of a
    seed see the same draws."""
    classes: int | None = Field(default=None, ge=2)
    """How many classes whole-numbered targets have: no pass over the data counts them. Not needed
    where the training data set has ``classes``, as torchvision's have."""
    version: str = ""
    """Changed by you when the data have changed in a way that their number and first samples do not
    show: runs are then trained again."""


def without_workers(data: object) -> object:
    """Return the plain form of data without the number of workers, which changes no number."""
    assert isinstance(data, Mapping)
    stream = data.get("stream")
    if not isinstance(stream, Mapping):
        return data
    kept = {name: value for name, value in stream.items() if name != "workers"}
    return {**data, "stream": kept}
