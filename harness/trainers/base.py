"""The contract of a trainer of a user's own: how a run's process is started, and what its lines
mean."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import NamedTuple

from pydantic import Field

from harness.spec.component import Component
from harness.trainers.training_run import Assignment


class Launch(NamedTuple):
    """How the process of a run is started."""

    arguments: tuple[str, ...]
    """The program and its arguments. ``{events}`` in one of them stands for the number of a pipe's
    end that events are written to."""
    given: bytes = b""
    """What it reads from its standard input."""
    folder: Path | None = None
    """The folder that it works in; by default that of this process."""
    environment: tuple[tuple[str, str], ...] = ()
    """Variables beside those of this process."""
    piped: bool = False
    """Whether events come on a pipe of their own, and not on the standard output."""
    metrics: Path | None = None
    """A file that lines are read from beside it."""


class Trainer(Component):
    """A training loop of a user's own, which the harness runs in a process of its own."""

    kind = "trainer"
    limit: float | None = Field(default=None, gt=0)
    """Seconds after which a run is given up; by default never."""
    memory: float | None = Field(default=None, gt=0)
    """Gigabytes of memory beyond which a run is given up; by default four fifths of the
    machine's."""

    @abstractmethod
    def launch(self, asked: Assignment) -> Launch:
        """Return how the process of a run is started.

        Args:
            asked: what the run is to do.

        Raises:
            HarnessError: it can't be started as the spec says.
        """

    @abstractmethod
    def event_of(self, line: str) -> dict[str, object] | None:
        """Return what a line tells, as :class:`~harness.trainers.training_run.TrainerRun` would.

        Args:
            line: of the process's events.

        Returns:
            A mapping with ``step`` and ``metrics``, ``test``, ``checkpoint``, ``begin``, ``end``,
            or ``error``; ``unnamed`` has the names that are not recorded, since they say no part
            of the data. None for a line that tells nothing.
        """
