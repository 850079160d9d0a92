"""Dropout as a regularizer of any model that has places for it."""

from __future__ import annotations

from harness.regularizers.base import Regularizer
from harness.spec.space import Fraction


class Dropout(Regularizer):
    """Takes the place of the model's own ``dropout`` rate (Srivastava et al. 2014)."""

    rate: Fraction = 0.2
    """Share of units dropped."""
