"""How long a recipe's updates take: the clock of frozen recipes, and the forecast of a plan.

Workers import this file, which needs neither MLflow nor Optuna; the driver names its functions to
them, and does without the engine, which imports torch. What is trained here is thrown away.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from harness.core.study_record import ClockReading
from harness.execution.jobs import one_thread
from harness.execution.remote import here
from harness.execution.together import advance_together
from harness.execution.watch import Allowed, watched
from harness.optimizers.base import Optimizer
from harness.spec.arms import Run
from harness.spec.keys import digest, shape_key
from harness.spec.resolved import ResolvedRecipe

BLOCKS = 5
"""Timings of which the fastest counts: whatever disturbs a timing makes it longer."""
BLOCK_SECONDS = 0.02
"""Seconds that a timed block takes, about, and half of it at least: far above what the clock itself
can tell apart."""
MOST_UPDATES = 4096
"""Updates of a timed block at most: an update that takes next to nothing is not timed forever."""
MOST_ALTOGETHER = 2 * (BLOCKS + 1) * MOST_UPDATES
"""Updates of all blocks at most: their sizes at least double from one to the next."""
FORECAST_UPDATES = 8
"""Updates that a forecast is made from."""


def work_of(recipe: ResolvedRecipe) -> str:
    """Return a hash of what an update costs: its shape, optimizer, and numbers that are not 0.

    A momentum or decay of 0 is left out of the update, and so costs less; any other costs the same.

    Recipes of the same hash share one reading of the clock. It is stored with the reading: another
    hash reads every clock again.
    """
    used = sorted(path for path, number in recipe.numbers().items() if number)
    return digest([shape_key(recipe), _optimizer_kind(recipe), used])


def _optimizer_kind(recipe: ResolvedRecipe) -> str:
    """Return the optimizer's form, and its settings that are no numbers, as text.

    Stores have hashes of this text: it must stay as it is.
    """
    optimizer = recipe.optimizer
    form = optimizer.form() if isinstance(optimizer, Optimizer) else ""
    numbers = optimizer.numbers()
    rest = {name: value for name, value in optimizer.dump().items() if name not in numbers}
    return form + json.dumps(rest, sort_keys=True)


@one_thread()
@watched(Allowed())
def read_clock(recipe: ResolvedRecipe) -> ClockReading:
    """Time single updates of a recipe on one thread; what is trained is thrown away.

    Blocks of n updates are timed, n so large that a clock's resolution and the start of a block no
    longer count.

    Returns:
        seconds = min over blocks of (seconds of the block / n), and median / min as its spread.
    """
    # before the timing, which is a load itself
    load = _other_load()
    blocks = sorted(timed_blocks(_updates_of(recipe)))
    return ClockReading(
        of=work_of(recipe),
        seconds=blocks[0],
        spread=statistics.median(blocks) / blocks[0],
        load=round(load, 3),
    )


def timed_blocks(make: Callable[[int], float]) -> list[float]:
    """Return the seconds of an update in each of five blocks of updates.

    Args:
        make: makes so many updates and returns their seconds.
    """
    make(1)  # which also allocates memory, or compiles
    updates = 1
    while True:
        blocks = [make(updates)]
        if blocks[0] >= BLOCK_SECONDS / 2 or updates == MOST_UPDATES:
            blocks += [make(updates) for _ in range(BLOCKS - 1)]
            # all of them: the first may have been long by a disturbance
            if min(blocks) >= BLOCK_SECONDS / 2 or updates == MOST_UPDATES:
                return [block / updates for block in blocks]
        # towards the goal, in steps, since a short block says little of a long one
        aim = BLOCK_SECONDS / max(min(blocks), 1e-9) * updates
        updates = min(max(2 * updates, round(min(aim, 8 * updates))), MOST_UPDATES)


class Readings(NamedTuple):
    """Clocks that one worker has read."""

    place: str
    """The machine and process."""
    readings: tuple[ClockReading, ...]


def read_in_turn(recipes: tuple[ResolvedRecipe, ...]) -> Readings:
    """Return the clocks of recipes, read one after the other; one that fails is left out."""
    readings = []
    for recipe in recipes:
        # a recipe that can't be timed lacks its time and no more
        with suppress(Exception, SystemExit):
            readings.append(read_clock(recipe))
    return Readings(here(), tuple(readings))


def _other_load() -> float:
    """Return how many processes beside this one wanted each core over the last minute.

    The load average of the last minute, less 1 for this process, over the number of cores; 0 on
    systems that have no load average (Windows).
    """
    processes = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return max(0.0, processes - 1) / (os.cpu_count() or 1)


def _updates_of(recipe: ResolvedRecipe) -> Callable[[int], float]:
    """Return what makes so many more updates of a run, and returns their seconds as
    ``cost/seconds`` counts them."""
    from harness.engine.cohort import start
    from harness.engine.loop import seconds_of_updates

    if recipe.processes > 1:  # which start with a run and end with it
        return _updates_of_runs(recipe)
    long = {"steps": MOST_ALTOGETHER, "eval_every": MOST_ALTOGETHER}
    return partial(seconds_of_updates, start([Run(recipe.with_values(long), 0)], test=False))


def _updates_of_runs(recipe: ResolvedRecipe) -> Callable[[int], float]:
    """Return what makes updates of a run that begins anew each time, and leaves its first one out:
    it has the processes' start in it."""
    from harness.engine.cohort import start

    def run(updates: int) -> float:
        short = recipe.with_values({"steps": updates, "eval_every": updates})
        cohort = advance_together(start([Run(short, 0)], test=False))
        return cohort.outcomes[0].summary["cost/seconds"]

    first = min(run(1) for _ in range(2))
    return lambda updates: max(0.0, run(1 + updates) - first)


@one_thread()
def forecast_seconds(recipe: ResolvedRecipe, members: int) -> float:
    """Return the predicted seconds of one run in a cohort of so many members.

    seconds = (update · steps + evaluation · evaluations) / members, with the seconds of an update
    and of an evaluation of the whole cohort measured over a few updates, which are thrown away.

    Args:
        recipe: the run.
        members: size of the cohort, whose time its runs share.
    """
    from harness.engine.cohort import start
    from harness.engine.evaluate import evaluate_members
    from harness.engine.program import program_of

    times = program_of(recipe).times
    short = recipe.with_values({"steps": FORECAST_UPDATES, "eval_every": FORECAST_UPDATES})
    # the second time counts: the first one also allocates memory and warms caches
    for _ in range(2):
        cohort = start([Run(short, seed) for seed in range(members)], test=False)
        program = program_of(short)
        began = time.perf_counter()
        evaluate_members(program, cohort.w_KP, cohort.buffers, [short] * members)
        evaluation = time.perf_counter() - began
        advance_together(cohort)
    # the updates alone: evaluations, and the start of other processes, are not among them
    updates = sum(outcome.summary["cost/seconds"] for outcome in cohort.outcomes.values())
    update = updates / FORECAST_UPDATES
    return (update * times.steps + evaluation * len(times.evaluations)) / members
