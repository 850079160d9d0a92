"""What a user should know of an arm's search before it trains: trials that are left out, and trials
that are the same recipe again."""

from __future__ import annotations

from collections.abc import Iterator

from harness.data.base import load_data
from harness.protocol.search_space import grid_size
from harness.spec.arms import Arm
from harness.spec.search import Search
from harness.spec.space import Choice, Space


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
        note = batch_size_note(spaces["batch_size"], load_data(arm.recipe.data).count("train"))
        if note:
            yield f"arm {arm.name!r}: {note}"


def batch_size_note(space: Space, samples: int) -> str:
    """Return a sentence where a choice has all samples twice, by number and as "full", or nothing.

    Larger numbers are refused (:func:`harness.protocol.check.check_study`).

    Args:
        space: of the batch size.
        samples: in the training part.

    >>> batch_size_note(Choice(32, 96, "full"), 100), batch_size_note(Choice(32, 100), 100)
    ('', '')
    """
    if not isinstance(space, Choice) or not {"full", samples} <= {*space.options}:
        return ""
    return f"batch sizes {samples} and 'full' of {space} are one recipe; keep one of them"
