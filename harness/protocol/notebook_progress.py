"""What a notebook shows while a study runs: one output that is renewed, and no widgets."""

from __future__ import annotations

import sys
import time
from html import escape
from typing import Any, Self

from harness.core.html import html_table
from harness.protocol.countdown import say_left
from harness.protocol.progress import Progress

PAUSE = 0.5
"""Seconds between two renewals at least: each is a message to the browser."""


def in_notebook() -> bool:
    """Return whether this process is a notebook's kernel, which shows HTML."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and getattr(shell, "kernel", None) is not None


class NotebookProgress(Progress):
    """The stage, a bar of updates made, and the best trial of each arm so far."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.name = "starting"
        self.best_trials: dict[str, tuple[str, float, int]] = {}
        """Metric, value and number of trials by arm."""
        self._shown = 0.0
        self._handle: Any = None
        """IPython's handle of the output; None before it begins."""

    def __enter__(self) -> Self:
        # a notebook's kernel has it, and nobody else needs it
        from IPython.display import HTML, display  # type: ignore[import-not-found, unused-ignore]

        self._html = HTML
        self._handle = display(HTML(self.view()), display_id=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._renew(at_once=True)

    def say(self, text: str) -> None:
        """Add a line that stays."""
        self.notes.append(text)
        self._renew(at_once=True)

    def stage(self, name: str, runs: int) -> None:
        """Name the stage."""
        super().stage(name, runs)
        self.name = f"{name} · {runs} runs"
        self._renew(at_once=True)

    def made(self, total: int) -> None:
        """Move the bar."""
        super().made(total)
        self._renew()

    def best(self, arm: str, metric: str, value: float, trials: int) -> None:
        """Put an arm's best value into the table."""
        self.best_trials[arm] = (metric, value, trials)
        self._renew()

    def _renew(self, at_once: bool = False) -> None:
        now = time.monotonic()
        if self._handle is not None and (at_once or now - self._shown >= PAUSE):
            self._shown = now
            self._handle.update(self._html(self.view()))

    def view(self) -> str:
        """Return what is shown, in HTML."""
        notes = "".join(f"<div>{escape(note)}</div>" for note in self.notes)
        done, total = self.countdown.made, max(self.countdown.total, 1)
        bar = f"<progress value='{done}' max='{total}'></progress>"
        left = say_left(self.countdown.left(), self.countdown.at_most)
        shown = f"{notes}<div>{escape(self.name)} {bar} {done:,} of {total:,} steps; {left}</div>"
        if not self.best_trials:
            return shown
        metric = next(iter(self.best_trials.values()))[0]
        rows = [[arm, f"{value:.4g}", str(n)] for arm, (_, value, n) in self.best_trials.items()]
        return shown + html_table(["arm", f"best {metric}", "trials"], rows)
