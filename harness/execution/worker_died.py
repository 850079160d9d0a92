"""How a worker process ended that had something to do."""

from __future__ import annotations

from concurrent.futures import BrokenExecutor
from signal import Signals


class WorkerDiedError(BrokenExecutor):
    """A worker process has ended with a call.

    Args:
        code: its exit code, negative for a signal; None where nobody knows.
    """

    def __init__(self, code: int | None) -> None:
        super().__init__(f"the worker process ended: {code}")
        self.code = code

    @property
    def how(self) -> str:
        """How it ended, as an addition to a sentence; empty where nobody knows."""
        if self.code is None:
            return ""
        if self.code >= 0:
            return f" (exit code {self.code}: does code of your own call os._exit?)"
        return f" (signal {Signals(-self.code).name}: out of memory, or killed)"
