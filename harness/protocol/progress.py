"""What a study tells while it runs, to whoever shows it."""

from __future__ import annotations


class Progress:
    """Is told how a study goes, and shows nothing; subclasses show it."""

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def say(self, text: str) -> None:
        """Show a line that stays."""

    def stage(self, name: str, runs: int) -> None:
        """Begin a stage of the protocol."""

    def added(self, updates: int) -> None:
        """Count updates that are going to be made."""

    def made(self, total: int) -> None:
        """Tell how many updates have been made in all."""

    def best(self, arm: str, metric: str, value: float, trials: int) -> None:
        """Tell an arm's best trial so far."""
