"""What a user should know of an arm's search before it trains: trials that are left out, and trials
that are the same recipe again."""

from __future__ import annotations

from collections.abc import Iterator

from harness.data.base import load_data
from harness.protocol.search_space import grid_size
from harness.spec.arms import Arm
from harness.spec.search import Search
from harness.spec.space import Choice, IntUniform, Space


def search_notes(arm: Arm, search: Search) -> Iterator[str]:
    """Yield what should be known of an arm's search, in sentences.

    Args:
        arm: its data are loaded where batch sizes are searched.
        search: how it is tuned.
    """
    spaces = arm.recipe.spaces()
    if spaces and search.sampler == "grid":
        points = grid_size(spaces, search)
        if points > search.trials:
            yield (
                f"arm {arm.name!r}: {search.trials} of the grid's {points:,} points are trained, "
                "chosen at random; raise search.trials to train them all"
            )
    if "batch_size" in spaces:
        note = batch_size_note(spaces["batch_size"], len(load_data(arm.recipe.data).train.x))
        if note:
            yield f"arm {arm.name!r}: {note}"


def batch_size_note(space: Space, samples: int) -> str:
    """Return a sentence on batch sizes that are the same recipe, or nothing.

    A batch has no more samples than there are: every larger size, and "full", trains on all.

    Args:
        space: of the batch size.
        samples: in the training part.

    >>> batch_size_note(Choice(32, 64), 100), batch_size_note(IntUniform(8, 100), 100)
    ('', '')
    """
    if isinstance(space, IntUniform) and space.high > samples:
        return (
            f"batch sizes of {space} above the {samples:,} training samples train on all of them, "
            f"the same recipe again and again; end the space at {samples}"
        )
    if not isinstance(space, Choice):
        return ""
    whole = [size for size in space.options if size == "full" or _reaches(size, samples)]
    if len(whole) < 2:
        return ""
    listed = ", ".join(map(str, whole))
    return (
        f"batch sizes {listed} of {space} are the same recipe, a batch of all {samples:,} training "
        "samples; keep one of them"
    )


def _reaches(size: object, samples: int) -> bool:
    return isinstance(size, int) and size >= samples
