"""Why a user's own run failed, and what it told in vain: sentences."""

from __future__ import annotations

from harness.execution.watched_process import WatchedProcess

NO_METRICS = "it told no metrics; call run.log(step, valid_loss=...)"
NO_LINES = 'it told no metrics; print lines such as {"step": 1, "valid/loss": 0.3}'
MOST_NAMES = 8
"""Names that a sentence lists."""
TOLD_LAST = 5
"""Lines of the output that say why a run failed."""


def failure(detail: str, process: WatchedProcess | None) -> str:
    """Return why a run failed, with the last lines that it said."""
    said = process.tail.decode(errors="replace").strip().splitlines() if process else []
    return f"{detail}; it said last: {' | '.join(said[-TOLD_LAST:])}" if said else detail


def said_of(unnamed: set[str]) -> str:
    """Return a sentence on names that were told and not recorded."""
    names = ", ".join(sorted(unnamed)[:MOST_NAMES])
    return (
        f"the trainer told {names}, not recorded: a name says its part of the data, such as "
        "train_loss, valid_loss or test_accuracy"
    )


def exit_in_words(code: int | None) -> str:
    """Return how a process ended that did not say so."""
    if code is None:
        return "it closed its output and went on"
    if code < 0:
        return f"its process was ended by signal {-code}; was memory short?"
    return f"its process ended with exit code {code}"
