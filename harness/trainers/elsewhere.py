"""What stands in the place of a trainer in studies whose runs were trained elsewhere."""

from __future__ import annotations

from typing import final

from harness.core.errors import HarnessError
from harness.trainers.base import Launch, Trainer
from harness.trainers.training_run import Assignment


@final
class Elsewhere(Trainer):
    """No trainer: the runs were trained elsewhere, and imported."""

    def launch(self, asked: Assignment) -> Launch:
        """Refuse: there is nothing to start."""
        raise HarnessError(
            "a run that was trained elsewhere can't be trained here; 'harness import' reads it"
        )

    def event_of(self, line: str) -> dict[str, object] | None:
        """Return nothing: no process of it ever wrote a line."""
        return None
