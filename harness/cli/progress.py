"""What a person sees while a study runs: bars in a terminal, a line a stage elsewhere."""

from __future__ import annotations

import time
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from harness.protocol.progress import Progress as Untold

ROWS = 12
"""Arms shown at most while a study runs."""


class Lines(Untold):
    """A line for each stage, for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def say(self, text: str) -> None:
        """Print a line."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def stage(self, name: str, runs: int) -> None:
        """Print the stage's name and size."""
        self.say(f"{name}: {runs} runs")


class Bars(Lines):
    """A bar with throughput and time left, and the best so far of each arm."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[speed]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
        )
        self.task = self.bar.add_task("starting", total=None, speed="")
        self.total, self.since, self.base = 0, time.perf_counter(), 0
        self.top: dict[str, tuple[str, float, int]] = {}
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
        """Lengthen the bar."""
        self.total += updates
        self.bar.update(self.task, total=self.total)

    def made(self, total: int) -> None:
        """Move the bar."""
        speed = (total - self.base) / max(1e-9, time.perf_counter() - self.since)
        self.bar.update(self.task, completed=total, speed=f"{speed:,.0f} updates/s")
        self.live.update(self._view())

    def best(self, arm: str, metric: str, value: float, trials: int) -> None:
        """Put the arm's best value in the table."""
        self.top[arm] = (metric, value, trials)
        self.live.update(self._view())

    def _view(self) -> Any:
        if not self.top:
            return self.bar
        metric = next(iter(self.top.values()))[0]
        table = Table("arm", f"best {metric}", "trials", box=None, pad_edge=False)
        for arm, (_, value, trials) in list(self.top.items())[:ROWS]:
            table.add_row(arm, f"{value:.4g}", str(trials))
        if len(self.top) > ROWS:
            table.add_row(f"and {len(self.top) - ROWS} more", "", "")
        return Group(self.bar, table)


def screen(console: Console | None = None) -> Untold:
    """Return bars in a terminal, lines elsewhere."""
    console = console or Console(stderr=True)
    return Bars(console) if console.is_terminal else Lines(console)
