"""Looks at a study's results, and the seeds that every search and every run of them has.

A study is judged at one look or at several, each of which holds those before. What a look adds are
searches (each with winners of its own) or fresh seeds. A seed is the name of a run's random
streams; every search has a block of them, so that no two share any.
"""

from __future__ import annotations

from typing import NamedTuple

from pydantic import Field, model_validator

from harness.spec.base import Spec

SEARCH_SEED = 10_000
"""Within a block, seeds of the search start here, and confirm seeds end below: far more than any
study confirms with."""
BLOCK = 100_000
"""Seeds of one search."""
SEARCHES_A_MASTER = 1_000
"""Searches of one master seed (``Search.seed``): their blocks do not reach those of the next."""
FEWEST_FOR_METHODS = 3
"""Searches from which on a study speaks of methods: of two, nearly any difference is chance."""


class Look(NamedTuple):
    """The runs that claims are judged by: K searches with S confirm seeds each."""

    searches: tuple[int, ...]
    """(K,) numbers of the searches."""
    seeds: tuple[tuple[int, ...], ...]
    """(K, S) confirm seeds of each search, paired by their place: every arm has the same."""

    @property
    def shape(self) -> tuple[int, int]:
        """K and S; S is 0 where there is no search."""
        return len(self.searches), len(self.seeds[0]) if self.seeds else 0

    @property
    def runs(self) -> int:
        """Runs of each arm, K·S."""
        searches, seeds = self.shape
        return searches * seeds

    def __str__(self) -> str:
        """Return how much is looked at, in words.

        >>> print(Look((0,), ((0, 1, 2),)), "and", Look((0, 1), ((0,), (100_000,))))
        3 seeds and 2 searches × 1 seed
        """
        searches, seeds = self.shape
        each = f"{seeds} seed{'' if seeds == 1 else 's'}"
        return each if searches == 1 else f"{searches} searches × {each}"


def seed_in_block(master: int, search: int, seed: int) -> int:
    """Return a run's seed, given its number within its search's block.

    The block of master seed m and search k is 1,000·m + k, and each holds 100,000 seeds.

    Args:
        master: the study's ``Search.seed``.
        search: number of the search.
        seed: number within the block.

    >>> seed_in_block(0, 0, 4), seed_in_block(0, 2, 4), seed_in_block(1, 0, 4)
    (4, 200004, 100000004)
    """
    return (master * SEARCHES_A_MASTER + search) * BLOCK + seed


class Growing(Spec):
    """Numbers that rise from look to look until every claim is decided or ``max`` is reached."""

    min: int = Field(default=5, ge=2)
    """How many there are at the first look."""
    max: int = Field(default=40, ge=2)
    """How many there are at the last look."""
    looks: tuple[int, ...] = ()
    """Numbers at which the claims are judged; by default ``min``, doubled until ``max``."""

    @model_validator(mode="after")
    def _looks_rise(self) -> Growing:
        if self.min > self.max:
            raise ValueError(f"expected min at most max, got {self.min} and {self.max}")
        rising = list(self.looks) == sorted(set(self.looks))
        if self.looks and not (rising and self.looks[-1] == self.max):
            wanted = f"rising looks that end with max = {self.max}"
            raise ValueError(f"expected {wanted}, got {list(self.looks)}")
        return self

    def schedule(self) -> tuple[int, ...]:
        """Return the numbers of all looks, rising: ``looks``, or ``min`` doubled.

        The last doubling that would reach or pass ``max`` is replaced by ``max`` itself.

        >>> Growing(min=5, max=30).schedule()
        (5, 10, 20, 30)
        """
        if self.looks:
            return self.looks
        counts = [self.min]
        while counts[-1] * 2 < self.max:
            counts.append(counts[-1] * 2)
        if self.max > counts[-1]:
            counts.append(self.max)
        return tuple(counts)


class Searches(Growing):
    """Searches added in looks that are declared beforehand, until every claim is decided or the
    budget is spent.

    The risk of a wrong verdict is spread over the looks (alpha spending, Lan & DeMets 1983; see
    :func:`harness.stats.spending`), so that looking often does not raise it.
    """

    min: int = Field(default=5, ge=FEWEST_FOR_METHODS)
    """Searches of the first look."""
    max: int = Field(default=20, ge=FEWEST_FOR_METHODS, le=SEARCHES_A_MASTER)
    """Searches of the last look."""
