"""The claim that two factors interact."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Literal, Self

from pydantic import model_validator

from harness.spec.claims.base import Compared
from harness.spec.claims.over_levels import OverLevels


class Interaction(OverLevels):
    """What one factor does to ``on`` depends on the level of the other.

    Tested over all combinations of the two factors' levels, means taken over further factors that
    ``among`` does not fix.
    """

    kind: Literal["interaction"] = "interaction"
    factors: tuple[str, str]
    """The two factors."""

    @model_validator(mode="after")
    def _two_factors(self) -> Self:
        first, second = self.factors
        if first == second:
            raise ValueError(f"factors: expected two different factors, got {first!r} twice")
        return self

    def misfits(self, arms: Collection[str], compared: Compared) -> Iterator[str]:
        yield from super().misfits(arms, compared)
        for factor in self.factors:
            if len(compared.get(factor, ())) < 2:
                yield f".factors: expected factors of two levels or more, got {factor!r} with one"

    @property
    def factor_names(self) -> tuple[str, ...]:
        return self.factors

    def __str__(self) -> str:
        first, second = self.factors
        return f"What {first} does to {self.on} depends on {second}"
