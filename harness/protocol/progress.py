"""What a study tells a display while it runs.

The protocol calls these methods and prints nothing itself; the command line has a subclass. They
are called in the process that runs the study, and must return quickly. Those that override a method
call it too: the countdown of what is left is kept here, for the display and for ``harness watch``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Self

from harness.protocol.countdown import Countdown


class Progress:
    """Listens to a study and shows nothing; subclasses show what they are told."""

    @cached_property
    def countdown(self) -> Countdown:
        """What is planned, asked for and done."""
        return Countdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def say(self, text: str) -> None:
        """Show a line that stays."""

    def planned(self, updates: Mapping[str, int], runs: Mapping[str, int], at_most: bool) -> None:
        """Tell what the stages need, before the first of them begins.

        Args:
            updates: by stage, known runs' among them.
            runs: by stage.
            at_most: whether the study may end before all of it is done.
        """
        self.countdown.plan(updates, runs, at_most)

    def stage(self, name: str, runs: int) -> None:
        """Begin a stage of the protocol.

        Args:
            name: what the stage is called.
            runs: how many runs it needs, known ones among them.
        """
        self.countdown.begin(name)

    def asked(self, updates: int) -> None:
        """Count updates of the plan that are asked for now.

        Args:
            updates: of runs that are known, or announced by :meth:`added`.
        """
        self.countdown.ask(updates)

    def added(self, updates: int) -> None:
        """Count updates that are going to be made.

        Args:
            updates: of the runs of a new job; below 0 where a run ended with fewer than announced.
        """
        self.countdown.announce(updates)

    def made(self, total: int) -> None:
        """Tell how many updates have been made in all; called about five times a second.

        Args:
            total: by all jobs of this start, those that failed half-way included.
        """
        self.countdown.count(total)

    def best(self, arm: str, metric: str, value: float, trials: int) -> None:
        """Tell an arm's best trial so far.

        Args:
            arm: name of the arm.
            metric: what its trials are judged by.
            value: the best of them.
            trials: how many there have been.
        """
