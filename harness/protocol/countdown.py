"""How far a study is, and when the rest of it will be done, as far as that can be told.

It is measured in updates, since runs differ in length, and told in seconds by the speed at which
the stage under way makes them. Assumption: the stages to come are as fast as it. A confirmation
with probes or larger cohorts is not, and is told anew as soon as it has a speed of its own.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping

SECONDS_FOR_A_SPEED = 2.0
"""Seconds of training before which a speed is an accident of the first cohort."""


class Countdown:
    """Counts a study's updates: those planned, those asked for and those made.

    Args:
        clock: tells seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.planned: dict[str, int] = {}
        """Updates of each stage that nobody has asked for yet, known runs' among them."""
        self.planned_runs: dict[str, int] = {}
        """Runs of each stage in all."""
        self.at_most = False
        """Whether the study may end before all of its plan is done."""
        self.stage = ""
        self.announced, self.made = 0, 0
        """Updates of the jobs that were made so far, and those of them that are done."""
        self._began: tuple[float, int] | None = None
        """When the stage's first updates were seen, and how many had been made by then."""
        self._speed = 0.0
        """Updates a second; 0 where it isn't known."""

    def plan(self, updates: Mapping[str, int], runs: Mapping[str, int], at_most: bool) -> None:
        """Say what all stages need, in their order.

        Args:
            updates: by stage.
            runs: by stage.
            at_most: whether the study may end before.
        """
        self.planned, self.planned_runs = dict(updates), dict(runs)
        self.at_most = at_most

    def begin(self, stage: str) -> None:
        """Begin a stage; one of several looks is named ``confirm, look 2``."""
        self.stage, self._began = stage.partition(",")[0], None

    def ask(self, updates: int) -> None:
        """Count updates of runs that are asked for, known ones among them."""
        if self.stage in self.planned:
            self.planned[self.stage] = max(0, self.planned[self.stage] - updates)

    def announce(self, updates: int) -> None:
        """Count updates that are going to be made, below 0 those that are not after all."""
        self.announced += updates

    def count(self, total: int) -> None:
        """Take the number of updates made in all."""
        now, before, self.made = self.clock(), self.made, total
        if self._began is None:
            if total > before:  # workers boot before their first update, which is no speed
                self._began = now, total
            return
        since, at_first = self._began
        if now - since >= SECONDS_FOR_A_SPEED and total > at_first:
            self._speed = (total - at_first) / (now - since)

    @property
    def total(self) -> int:
        """Updates that this start makes in all, as far as is known."""
        return self.made + sum(self._updates_left().values())

    def left(self) -> dict[str, float] | None:
        """Return the seconds that each stage still takes; None where no speed is known yet."""
        if not self._speed:
            return None
        return {stage: left / self._speed for stage, left in self._updates_left().items()}

    def _updates_left(self) -> dict[str, int]:
        left = dict(self.planned)
        left[self.stage] = left.get(self.stage, 0) + max(0, self.announced - self.made)
        return left

    def to_plain(self) -> dict[str, object]:
        """Return what ``harness watch`` shows of it, in another process."""
        return {
            "runs": self.planned_runs,
            "left": say_left(self.left(), self.at_most),
        }


def say_left(seconds: Mapping[str, float] | None, at_most: bool = False) -> str:
    """Return the time left in words.

    Args:
        seconds: by stage; None where it isn't known.
        at_most: whether the study may end before.

    >>> say_left({"search": 130.0, "confirm": 42.0}), say_left({"confirm": 3.0}), say_left(None)
    ('about 3 min left: search 3 min, confirm 45 s', 'some seconds left', 'time left not known yet')
    """
    if seconds is None:
        return "time left not known yet"
    total = sum(seconds.values())
    if total < SOME:
        return "some seconds left"
    stages = [f"{name} {_about(own)}" for name, own in seconds.items() if own >= 1]
    parts = f": {', '.join(stages)}" if len(stages) > 1 else ""
    return f"{'at most ' * at_most}about {_about(total)} left{parts}"


SOME = 8
"""Seconds below which none are counted."""


def _about(seconds: float) -> str:
    """Return a time as coarse as it is sure: in fives of seconds, minutes, tenths of hours."""
    if seconds < SOME:
        return "some seconds"
    if seconds < 100:
        return f"{5 * math.ceil(seconds / 5)} s"
    if seconds < 100 * 60:
        return f"{math.ceil(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
