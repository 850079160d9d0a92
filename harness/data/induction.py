"""Sequences that repeat themselves, which a model must find out by looking back."""

from __future__ import annotations

from typing import Self, final

import numpy as np
from pydantic import Field, model_validator

from harness.core.streams import numpy_stream
from harness.core.tokens import IGNORED
from harness.data.base import Data
from harness.data.dataset import Raw


@final
class Induction(Data):
    """Random symbols, all different, repeated over and over (Olsson et al. 2022).

    The period differs from sequence to sequence, from a quarter to half of ``context``: what comes
    next is what came after the last place of the same symbol, and neither the symbol nor a fixed
    distance tells it. In the first period nothing can be known, and its targets count nowhere: the
    accuracy is that of the repetitions, 1/V for a guess and 1 for an induction head.
    """

    task = "tokens"
    symbols: int = Field(default=16, ge=2)
    """Symbols V; at least half of ``context``."""
    context: int = Field(default=32, ge=8)
    """Symbols that a prediction sees at most, T."""
    samples: int = Field(default=2000, ge=10)
    """Sequences in all."""

    @model_validator(mode="after")
    def _enough_symbols(self) -> Self:
        if self.symbols < self.context // 2:
            raise ValueError(
                f"expected at least {self.context // 2} symbols, half of context, so that a period "
                f"has none twice, got {self.symbols}"
            )
        return self

    def sample_tokens(self) -> int:
        return self.context

    def raw(self) -> Raw:
        stream, length = numpy_stream(self.seed, "induction"), self.context + 1
        shortest, longest = self.context // 4, self.context // 2
        period = stream.integers(shortest, longest + 1, (self.samples, 1))
        # each row a permutation of its own: places of sorted random numbers
        symbols = stream.random((self.samples, self.symbols)).argsort(1)
        place = np.arange(length)[None]
        tokens = np.take_along_axis(symbols, place % period, 1)
        # the first symbol of a repetition is not known to be one: its successor is the first known
        y = np.where(place[:, 1:] > period, tokens[:, 1:], IGNORED)
        return Raw(tokens[:, :-1], y, classes=self.symbols)
