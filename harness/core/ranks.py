"""This process's place among those that train one run together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple


class Rank(NamedTuple):
    """One of several processes that hold the same weights."""

    place: int
    """From 0, the process that was asked to train and that has the results."""
    processes: int
    """How many there are."""


_RANKS: list[Rank] = []


def current_rank() -> Rank | None:
    """Return this process's place; None while it trains by itself."""
    return _RANKS[-1] if _RANKS else None


@contextmanager
def ranked(rank: Rank) -> Iterator[None]:
    """Be one of several processes; torch's process group is there."""
    _RANKS.append(rank)
    try:
        yield
    finally:
        _RANKS.pop()
