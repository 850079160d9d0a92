"""A reading of the clock for each frozen recipe, taken while nothing else is trained.

Seconds of training depend on who shared the cohort and the machine; these readings do not, and all
comparisons over time go by them. :mod:`harness.protocol.timing` is what workers do.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.study_record import ClockReading
from harness.execution.pool import Pool
from harness.protocol.search import Winner
from harness.protocol.timing import read_clock, work_of
from harness.tracking import Session


def read_clocks(
    winners: Sequence[Winner], pool: Pool, session: Session, fresh: bool
) -> dict[str, dict[int, ClockReading]]:
    """Return the clock of each recipe that can be trained, and have the session keep it.

    Recipes whose updates cost the same share one reading, so that noise never sets them apart.

    Args:
        winners: the frozen recipes.
        pool: reads the clock in an idle worker.
        session: has the readings of earlier starts, and keeps the new ones.
        fresh: read anew what the session has.

    Returns:
        Readings by arm and search; a recipe that fails is left out.
    """
    readings: dict[str, ClockReading] = {}
    if not fresh:
        stored = [reading for own in session.clocks.values() for reading in own.values()]
        readings = {reading.of: reading for reading in stored}
    clock: dict[str, dict[int, ClockReading]] = {}
    for winner in winners:
        if winner.recipe.trainer is not None:  # its updates can't be timed apart
            continue
        work = work_of(winner.recipe)
        # one at a time, each waited for: two timings at once would disturb each other
        reading = readings.get(work) or pool.alone(read_clock, winner.recipe)
        if reading is None:  # it can't be trained: its runs will fail too, and record the reason
            continue
        readings[work] = reading
        clock.setdefault(winner.arm.name, {})[winner.search] = reading
    for arm, own in clock.items():
        session.set_clock(arm, own)
    return clock
