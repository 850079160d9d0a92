"""Early stopping."""

from __future__ import annotations

from typing import final

from pydantic import Field

from harness.regularizers.base import Regularizer
from harness.spec.patterns import VALID_METRIC


@final
class EarlyStopping(Regularizer):
    """Stop when a validation metric has not improved for ``patience`` evaluations (Prechelt 1998).

    The run's result is its weights at the best evaluation. It has no hook of its own: the engine
    asks :meth:`improved` at every evaluation.
    """

    patience: int = Field(default=10, ge=1)
    """Evaluations without improvement before the run stops."""
    metric: str = Field(default="valid/loss", pattern=VALID_METRIC)
    """Metric that is compared from one evaluation to the next."""
    min_delta: float = Field(default=0.0, ge=0)
    """Smallest change that counts as an improvement."""

    def improved(self, value: float, best: float | None, maximize: bool) -> bool:
        """Return whether ``value`` is better than the best so far by more than ``min_delta``.

        Args:
            value: the metric at this evaluation.
            best: its best value before, or None at the first evaluation, which always counts.
            maximize: whether larger values of the metric are better.

        >>> stopping = EarlyStopping(metric="valid/loss", min_delta=0.1)
        >>> stopping.improved(0.8, 1.0, False), stopping.improved(0.95, 1.0, False)
        (True, False)
        """
        if best is None:
            return True
        return value > best + self.min_delta if maximize else value < best - self.min_delta
