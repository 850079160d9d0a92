"""How many fresh seeds a study is answered with: a fixed number, or as many as it takes.

These are seeds within a search's block (:mod:`harness.spec.looks`). Those of the search and those
of the confirmation never overlap, so that winners are not confirmed by the luck that they were
chosen for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Self

from pydantic import Field, model_validator

from harness.spec.looks import SEARCH_SEED, Growing


class Seeds(Growing):
    """Seeds added in looks that are declared beforehand, until every claim is decided or the budget
    is spent.

    The risk of a wrong verdict is spread over the looks (alpha spending, Lan & DeMets 1983; see
    :func:`harness.stats.spending`), so that looking often does not raise it.
    """

    min: int = Field(default=5, ge=2)
    """Seeds of the first look."""
    max: int = Field(default=40, ge=2, le=SEARCH_SEED)
    """Seeds of the last look."""
    start: int = Field(default=0, ge=0)
    """First seed; another one gives a study seeds that no earlier one has seen."""
    until: Literal["decided"] = "decided"
    """What ends the study before its last look: that every claim is decided."""

    @model_validator(mode="after")
    def _below_search_seeds(self) -> Self:
        if self.start + self.max > SEARCH_SEED:
            last = self.start + self.max - 1
            raise ValueError(f"expected seeds below {SEARCH_SEED}, got up to {last}")
        return self


def parse_seeds(value: object) -> tuple[int, ...] | Seeds:
    """Return the seeds that a study is given: a number n for 0 … n − 1, a list of them, or looks.

    Args:
        value: a whole number, a list of seeds, :class:`Seeds`, or a mapping with its fields.

    Returns:
        The seeds themselves where their number is fixed, in the order given; else the looks.

    Raises:
        ValueError: it is none of these, or a seed is given twice or is one of the search.

    >>> parse_seeds(3), parse_seeds([4, 2]), parse_seeds({"min": 5, "max": 10}).schedule()
    ((0, 1, 2), (4, 2), (5, 10))
    """
    if isinstance(value, Seeds):
        return value
    if isinstance(value, Mapping):
        return Seeds.model_validate(value)
    if isinstance(value, int) and not isinstance(value, bool):
        # of a number that is far too large only the range is made
        seeds: Sequence[object] = range(min(value, 2 * SEARCH_SEED))
    elif isinstance(value, (list, tuple, range)):
        seeds = value
    else:
        seeds = ()
    # by type and not isinstance: True and False are integers to Python
    allowed = [seed for seed in seeds if type(seed) is int and 0 <= seed < SEARCH_SEED]
    if not allowed or len(set(allowed)) != len(seeds):
        raise ValueError(
            f"expected different whole numbers from 0 to {SEARCH_SEED - 1}, "
            f"or a number of seeds from 1, or min and max, got {value!r}"
        )
    return tuple(allowed)
