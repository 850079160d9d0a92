"""Data sets as plain values: what a source gives, and what is trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from harness.data.columns import Column

if TYPE_CHECKING:
    from harness.data.endless import EndlessStream
    from harness.data.streams import SampleStream

Task = Literal["classification", "regression", "function", "tokens", "structured"]
"""What is learnt: one of some classes, numbers, the minimum of a function, a class for each token
(or pixel, or of very many classes), or several things at once, which the user's own loss knows."""

TaskChoice = Literal["auto", "classification", "regression"]
"""What a user may choose for data of their own; "auto" goes by the targets."""
OtherSplits = Literal["alike", "sizes differ", "one"]
"""What the splits of a data set are: others of the same sizes; of other sizes, as whole groups make
them; or one alone, by time or as the source gives it."""

PART_NAMES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("valid", "val", "validation", "dev"), "valid"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""What a user's column or folders may call the parts, in small letters."""


class Raw(NamedTuple):
    """Arrays as a source gives them."""

    x: np.ndarray
    """(N, *shape) inputs."""
    y: np.ndarray
    """(N,) labels, which become classes 0 … K − 1, (N,) or (N, D) numbers, or (N, *S) tokens."""
    test: tuple[np.ndarray, np.ndarray] | None = None
    """The source's own test part, x and y; None where a fifth is to be split off."""
    valid: tuple[np.ndarray, np.ndarray] | None = None
    """The source's own validation part; None where it is to be split off the training part."""
    groups: np.ndarray | None = None
    """(N,) which group each sample of ``x`` is of, where parts must not share any."""
    order: np.ndarray | None = None
    """(N,) times or numbers, where later samples are validated and tested on."""
    columns: tuple[Column, ...] | None = None
    """What each column of ``x`` (N, C) is, of a table whose missing values and categories are still
    to be turned into numbers; None where ``x`` is numbers already."""
    scale_targets: bool = False
    """Whether numbers to be predicted are scaled to mean 0 and deviation 1 over the training part.
    """
    notes: tuple[str, ...] = ()
    """What a user should know of what the source did, in sentences."""
    classes: int = 0
    """Classes of tokens, where the source knows them: 0 where the largest token tells."""


class Part(NamedTuple):
    """Inputs and targets of some samples, in the source's order."""

    x: np.ndarray
    """(N, *shape) inputs; (N,) with a field for each array where an input is several."""
    y: np.ndarray
    """(N, D) targets in float64: one-hot for classes. (N, *S) tokens in int64. (N,) with a field
    for each array where a target is several."""


class Streams(NamedTuple):
    """The parts of data whose samples are read when they are needed."""

    train: SampleStream | EndlessStream
    valid: SampleStream
    test: SampleStream


class Dataset(NamedTuple):
    """A data set ready to train on. It is cached and shared: nobody may write into its arrays."""

    train: Part
    valid: Part
    test: Part
    task: Task
    notes: tuple[str, ...] = ()
    """What a user should know of it, in sentences: labels that became other classes, and classes
    that no training sample has."""
    splits: OtherSplits = "alike"
    """What other numbers of ``split`` give."""
    classes: int = 0
    """Classes of tokens, V."""
    vocabulary: int | dict[str, int] | None = None
    """Values that inputs which are whole numbers take, from 0 on, by name where an input is several
    arrays; None for other inputs."""

    streams: Streams | None = None
    """Where all samples are read from, of data that do not lie in memory: the parts above are the
    first samples then, untransformed."""

    def count(self, part: Literal["train", "valid", "test"]) -> int:
        """Return the number of samples of a part; ``ENDLESS`` where nobody knows.

        Args:
            part: its name.
        """
        own: SampleStream | EndlessStream | None = self.streams and getattr(self.streams, part)
        return own.size if own is not None else len(getattr(self, part).x)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return tuple(self.train.x.shape[1:])

    @property
    def outputs(self) -> int:
        """Numbers that a model must give for one input: D of the targets; of tokens V for each,
        and 0 where a target is several arrays."""
        if self.task in ("tokens", "structured"):
            return self.classes
        return int(self.train.y.shape[1])

    @property
    def nbytes(self) -> int:
        """Memory of all arrays."""
        return sum(x.nbytes + y.nbytes for x, y in (self.train, self.valid, self.test))
