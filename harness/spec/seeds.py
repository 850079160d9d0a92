"""How many fresh seeds a study is answered with: a fixed number, or as many as it takes."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from harness.spec.base import Spec

SEARCH_SEED = 10_000
"""Search seeds start here, so that they never meet the confirm seeds."""


class Seeds(Spec):
    """Seeds added in looks that are declared beforehand, until every claim is decided or the budget is spent.

    The risk of a wrong verdict is spread over the looks (alpha spending), so that looking often does not raise it.
    """

    min: int = Field(default=5, ge=2)
    """Seeds of the first look."""
    max: int = Field(default=40, ge=2, le=SEARCH_SEED)
    """Seeds of the last look."""
    start: int = Field(default=0, ge=0)
    """First seed; another one gives a study seeds that no earlier one has seen."""
    until: Literal["decided"] = "decided"
    """What ends the study before its last look: that every claim is decided."""
    looks: tuple[int, ...] = ()
    """Numbers of seeds at which the claims are judged; by default ``min``, doubled until ``max``."""

    @model_validator(mode="after")
    def _looks_rise(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"expected min at most max, got {self.min} and {self.max}")
        if self.looks and (
            list(self.looks) != sorted(set(self.looks)) or self.looks[-1] != self.max
        ):
            raise ValueError(
                f"expected rising looks that end with max = {self.max}, got {list(self.looks)}"
            )
        return self

    @model_validator(mode="after")
    def _below_search_seeds(self) -> Self:
        if self.start + self.max > SEARCH_SEED:
            raise ValueError(
                f"expected seeds below {SEARCH_SEED}, got up to {self.start + self.max - 1}"
            )
        return self

    def schedule(self) -> tuple[int, ...]:
        """Return the numbers of seeds of all looks.

        >>> Seeds(min=5, max=30).schedule()
        (5, 10, 20, 30)
        """
        if self.looks:
            return self.looks
        found = [self.min]
        while found[-1] * 2 < self.max:
            found.append(found[-1] * 2)
        return tuple(dict.fromkeys([*found, self.max]))
