"""What a person sees while a study runs: bars in a terminal, a line a stage elsewhere.

The protocol tells a :class:`harness.protocol.progress.Progress` how the study goes and knows
nothing of terminals; the classes here show it. All of it goes to stderr, so that what a command
prints can be piped.
"""

from __future__ import annotations

import time
from typing import NamedTuple

from rich import progress
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table

from harness.protocol.progress import Progress

MOST_ROWS = 12
"""Arms shown at most while a study runs: more would not fit a terminal, where a live table can't be
scrolled."""


class Lines(Progress):
    """A line for each stage, for logs and pipes.

    Args:
        console: where the lines go.
    """

    def __init__(self, console: Console) -> None:
        self.console = console

    def say(self, text: str) -> None:
        """Print a line."""
        # as it is: rich would read [brackets] of a name as markup, and break lines at 80 characters
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def stage(self, name: str, runs: int) -> None:
        """Print the stage's name and size."""
        self.say(f"{name}: {runs} runs")


class BestTrial(NamedTuple):
    """An arm's best trial so far."""

    metric: str
    value: float
    trials: int
    """How many trials there have been."""


class Bars(Lines):
    """A bar with throughput and time left, and the best so far of each arm.

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
            progress.TextColumn("left"),
            progress.TimeRemainingColumn(),
            console=console,
        )
        self.task = self.bar.add_task("starting", total=None, speed="")
        self.began = time.perf_counter()
        self.updates = 0
        """Updates to be made in all, as far as is known."""
        self.best_trials: dict[str, BestTrial] = {}
        self.live = Live(self._view(), console=console, refresh_per_second=5, transient=True)

    def __enter__(self) -> Bars:
        self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.live.stop()

    def stage(self, name: str, runs: int) -> None:
        """Name the stage on the bar."""
        self.bar.update(self.task, description=f"{name} · {runs} runs")

    def added(self, updates: int) -> None:
        """Lengthen the bar, or shorten it where updates turn out not to be made."""
        self.updates += updates
        self.bar.update(self.task, total=self.updates)

    def made(self, total: int) -> None:
        """Move the bar."""
        elapsed = max(1e-9, time.perf_counter() - self.began)  # a clock may stand still
        speed = f"{total / elapsed:,.0f} updates/s"
        self.bar.update(self.task, completed=total, speed=speed)
        self.live.update(self._view())

    def best(self, arm: str, metric: str, value: float, trials: int) -> None:
        """Put the arm's best value in the table."""
        self.best_trials[arm] = BestTrial(metric, value, trials)
        self.live.update(self._view())

    def _view(self) -> RenderableType:
        if not self.best_trials:
            return self.bar
        metric = next(iter(self.best_trials.values())).metric
        table = Table("arm", f"best {metric}", "trials", box=None, pad_edge=False)
        for arm, best in list(self.best_trials.items())[:MOST_ROWS]:
            table.add_row(arm, f"{best.value:.4g}", str(best.trials))
        if len(self.best_trials) > MOST_ROWS:
            table.add_row(f"and {len(self.best_trials) - MOST_ROWS} more", "", "")
        return Group(self.bar, table)


def choose_display(console: Console | None = None) -> Progress:
    """Return bars in a terminal, lines elsewhere.

    Args:
        console: where they go; by default stderr.
    """
    console = console or Console(stderr=True)
    return Bars(console) if console.is_terminal else Lines(console)
