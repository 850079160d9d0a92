"""What a study tells a display while it runs.

The protocol calls these methods and prints nothing itself; the command line has a subclass. They
are called in the process that runs the study, and must return quickly.
"""

from __future__ import annotations

from typing import Self


class Progress:
    """Listens to a study and shows nothing; subclasses show what they are told."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def say(self, text: str) -> None:
        """Show a line that stays."""

    def stage(self, name: str, runs: int) -> None:
        """Begin a stage of the protocol.

        Args:
            name: what the stage is called.
            runs: how many runs it needs, known ones among them.
        """

    def added(self, updates: int) -> None:
        """Count updates that are going to be made.

        Args:
            updates: of the runs of a new job; below 0 where a run ended with fewer than announced.
        """

    def made(self, total: int) -> None:
        """Tell how many updates have been made in all; called about five times a second.

        Args:
            total: by all jobs of this start, those that failed half-way included.
        """

    def best(self, arm: str, metric: str, value: float, trials: int) -> None:
        """Tell an arm's best trial so far.

        Args:
            arm: name of the arm.
            metric: what its trials are judged by.
            value: the best of them.
            trials: how many there have been.
        """
