"""The calibrated clock: seconds of one update of each frozen recipe, trained alone while nothing else runs."""

from __future__ import annotations

import os
import statistics
from typing import NamedTuple

from harness.engine.cohort import advance, start
from harness.engine.update import kind_of
from harness.execution.jobs import one_thread
from harness.spec.arms import Run
from harness.spec.keys import digest, shape_key
from harness.spec.resolved import ResolvedRecipe

BLOCKS = 5
"""Timings of which the fastest counts: whatever disturbs a timing makes it longer."""
LEAST = 0.02
"""Seconds that a timed block takes at least."""


class Reading(NamedTuple):
    """What the clock says of one recipe."""

    of: str
    """What was timed, as :func:`work_of` names it."""
    seconds: float
    """Of one update, evaluation apart: the fastest of several blocks."""
    spread: float
    """The median block over the fastest: how much the machine was disturbed."""
    load: float
    """Processes that wanted the machine beside this one, for each of its cores, over the minute before."""


def work_of(recipe: ResolvedRecipe) -> str:
    """Return a hash of what an update of the recipe costs: its shape and rule, and which of its numbers are not 0."""
    used = sorted(path for path, number in recipe.numbers().items() if number)
    return digest([shape_key(recipe), kind_of(recipe), used])


@one_thread()
def read_clock(recipe: ResolvedRecipe) -> Reading:
    """Time single updates of a recipe on one thread; what is trained is thrown away."""
    load = max(0.0, (os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0) - 1) / (
        os.cpu_count() or 1
    )
    updates = 4
    while (took := _timed(recipe, updates)) < LEAST and updates < 4096:
        updates *= 2 if took > LEAST / 4 else 4
    blocks = sorted(_timed(recipe, updates) / updates for _ in range(BLOCKS))
    return Reading(
        work_of(recipe), blocks[0], statistics.median(blocks) / blocks[0], round(load, 3)
    )


def _timed(recipe: ResolvedRecipe, updates: int) -> float:
    """Return the seconds of so many updates, evaluations before and after left out."""
    short = recipe.with_values({"steps": updates, "eval_every": updates})
    return advance(start([Run(short, 0)], test=False)).outcomes[0].summary["cost/seconds"]
