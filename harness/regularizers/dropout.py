"""Dropout as a regularizer of any model that has places for it."""

from __future__ import annotations

from typing import final

from harness.regularizers.base import Regularizer
from harness.spec.space import Fraction


@final
class Dropout(Regularizer):
    """h ← h·m/(1 − p), m ~ Bernoulli(1 − p), in training only (Srivastava et al. 2014).

    It has no hook of its own, since hooks do not see hidden units: its rate p takes the place of
    the model's, which drops there. A model without a place for dropout is refused before anything
    trains.
    """

    rate: Fraction = 0.2
    """Share p of units dropped."""

    def dropout_rate(self) -> float:
        return self.numbers()["rate"]
