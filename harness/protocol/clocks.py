"""A reading of the clock for each frozen recipe, taken while nothing else is trained.

Seconds of training depend on who shared the cohort and the machine; these readings do not, and all
comparisons over time go by them. :mod:`harness.protocol.timing` is what workers do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from harness.core.study_record import ClockReading
from harness.execution.pool import Pool
from harness.protocol.search import Winner
from harness.protocol.timing import read_clock, read_in_turn, work_of
from harness.spec.resolved import ResolvedRecipe
from harness.tracking import Session


def read_clocks(
    winners: Sequence[Winner],
    pool: Pool,
    session: Session,
    fresh: bool,
    say: Callable[[str], None],
) -> dict[str, dict[int, ClockReading]]:
    """Return the clock of each recipe that can be trained, and have the session keep it.

    Recipes whose updates cost the same share one reading, so that noise never sets them apart.

    Args:
        winners: the frozen recipes.
        pool: reads the clock in an idle worker.
        session: has the readings of earlier starts, and keeps the new ones.
        fresh: read anew what the session has.
        say: is told the machine, where it may be another one than this, and what was not read.

    Returns:
        Readings by arm and search; a recipe that fails is left out.
    """
    readings: dict[str, ClockReading] = {}
    if not fresh:
        stored = [reading for own in session.clocks.values() for reading in own.values()]
        readings = {reading.of: reading for reading in stored}
    # updates of a user's own trainer can't be timed apart
    timed = [winner for winner in winners if winner.recipe.trainer is None]
    work = {winner.recipe: work_of(winner.recipe) for winner in timed}
    lacking = {of: recipe for recipe, of in work.items() if of not in readings}
    readings |= _read_elsewhere(lacking, pool, say) if pool.elsewhere else _read(lacking, pool)
    clock: dict[str, dict[int, ClockReading]] = {}
    for winner in timed:
        reading = readings.get(work[winner.recipe])
        # None: it can't be trained; its runs will fail too, and record the reason
        if reading is not None:
            clock.setdefault(winner.arm.name, {})[winner.search] = reading
    if unread := lacking_clocks(timed, clock):
        say(
            f"the clock of {', '.join(unread)} can't be read: its runs have no seconds, and the "
            "study has no whole answer until the same command has read it"
        )
    for arm, own in clock.items():
        session.set_clock(arm, own)
    return clock


def lacking_clocks(
    winners: Sequence[Winner], clock: Mapping[str, Mapping[int, ClockReading]]
) -> list[str]:
    """Return the arms of which a recipe lacks its clock, though it could have one: updates of a
    user's own trainer can't be timed apart."""
    return sorted(
        {
            winner.arm.name
            for winner in winners
            if winner.recipe.trainer is None and winner.search not in clock.get(winner.arm.name, {})
        }
    )


def _read(recipes: Mapping[str, ResolvedRecipe], pool: Pool) -> dict[str, ClockReading]:
    """Return the readings of recipes by their work, made one at a time and each waited for: two
    timings at once would disturb each other."""
    read = {work: pool.alone(read_clock, recipe) for work, recipe in recipes.items()}
    return {work: reading for work, reading in read.items() if reading is not None}


def _read_elsewhere(
    recipes: Mapping[str, ResolvedRecipe], pool: Pool, say: Callable[[str], None]
) -> dict[str, ClockReading]:
    """Return the readings of recipes, all made by one worker: machines differ in speed."""
    if not recipes:
        return {}
    read = pool.alone(read_in_turn, tuple(recipes.values()))
    if read is None:
        return {}
    say(f"the clocks of {len(recipes)} recipes were read on {read.place}, one after the other")
    return {reading.of: reading for reading in read.readings}
