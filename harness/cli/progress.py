"""What a person sees while a study runs: bars in a terminal, a line a stage elsewhere.

The protocol tells a :class:`harness.protocol.progress.Progress` how the study goes and knows
nothing of terminals; the classes here show it. All of it goes to stderr, so that what a command
prints can be piped.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from rich import progress
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from harness.cli.console import PlainConsole
from harness.protocol.countdown import say_left
from harness.protocol.progress import Progress

MOST_ROWS = 12
"""Arms shown at most while a study runs: more would not fit a terminal, where a live table can't be
scrolled."""
SECONDS_BETWEEN_LINES = 60
"""Seconds between two lines that tell a log how far the study is."""


class Lines(Progress):
    """A line for each stage, and now and then how far the study is, for logs and pipes.

    Args:
        console: where the lines go.
        clock: tells seconds.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self.console, self.clock = console, clock
        self.told = clock()
        """When the last line of how far it is was due."""

    def say(self, text: str) -> None:
        """Print a line."""
        # as it is: rich would read [brackets] of a name as markup, and break lines at 80 characters
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def stage(self, name: str, runs: int) -> None:
        """Print the stage's name and size."""
        super().stage(name, runs)
        self.say(f"{name}: {runs} runs")

    def made(self, total: int) -> None:
        """Print how far the study is, once in :data:`SECONDS_BETWEEN_LINES`."""
        super().made(total)
        if self.clock() - self.told >= SECONDS_BETWEEN_LINES:
            self.told = self.clock()
            share = total / max(1, self.countdown.total)
            self.say(f"{self.countdown.stage}: {share:.0%} of the study, {self.time_left()}")

    def time_left(self) -> str:
        """Return the time left in words."""
        return say_left(self.countdown.left(), self.countdown.at_most)


class BestTrial(NamedTuple):
    """An arm's best trial so far."""

    metric: str
    value: float
    trials: int
    """How many trials there have been."""


class Bars(Lines):
    """A bar of the whole study with its speed, the time left by stage, and each arm's best so far.

    It is measured in updates, since runs differ in length. It is removed when the study ends.

    Args:
        console: a terminal.
    """

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.bar = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.TaskProgressColumn(),
            progress.TextColumn("{task.fields[speed]}"),
            progress.TimeElapsedColumn(),
            console=console,
        )
        self.task = self.bar.add_task("starting", total=None, speed="")
        self.began = time.perf_counter()
        self.best_trials: dict[str, BestTrial] = {}
        self.live = Live(self._view(), console=console, refresh_per_second=5, transient=True)

    def __enter__(self) -> Bars:
        self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.live.stop()

    def stage(self, name: str, runs: int) -> None:
        """Name the stage on the bar."""
        Progress.stage(self, name, runs)
        self.bar.update(self.task, description=f"{name} · {runs} runs")

    def made(self, total: int) -> None:
        """Move the bar."""
        Progress.made(self, total)
        elapsed = max(1e-9, time.perf_counter() - self.began)  # a clock may stand still
        speed = f"{total / elapsed:,.0f} updates/s"
        self.bar.update(self.task, total=self.countdown.total or None, completed=total, speed=speed)
        self.live.update(self._view())

    def best(self, arm: str, metric: str, value: float, trials: int) -> None:
        """Put the arm's best value in the table."""
        self.best_trials[arm] = BestTrial(metric, value, trials)
        self.live.update(self._view())

    def _view(self) -> RenderableType:
        shown: list[RenderableType] = [self.bar, Text(self.time_left())]
        if not self.best_trials:
            return Group(*shown)
        metric = next(iter(self.best_trials.values())).metric
        table = Table("arm", f"best {metric}", "trials", box=None, pad_edge=False)
        for arm, best in list(self.best_trials.items())[:MOST_ROWS]:
            table.add_row(arm, f"{best.value:.4g}", str(best.trials))
        if len(self.best_trials) > MOST_ROWS:
            table.add_row(f"and {len(self.best_trials) - MOST_ROWS} more", "", "")
        return Group(*shown, table)


def choose_display(console: Console | None = None) -> Progress:
    """Return bars in a terminal, lines elsewhere.

    Args:
        console: where they go; by default stderr.
    """
    console = console or PlainConsole(stderr=True)
    return Bars(console) if console.is_terminal else Lines(console)
