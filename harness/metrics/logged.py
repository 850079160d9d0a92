"""Metrics that a training loop of a user's own records, declared beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pydantic import Field

from harness.core.errors import HarnessError
from harness.core.metric_names import Declared
from harness.core.metric_table import Description, bounded_by
from harness.metrics.base import Metric
from harness.metrics.scored import Scored
from harness.spec.patterns import BARE_METRIC

if TYPE_CHECKING:
    from torch import Tensor


@final
class Logged(Metric):
    """A metric that a training loop of one's own records, declared; it measures nothing."""

    metric: str = Field(pattern=BARE_METRIC)
    """What runs record it as, with the part of the data (``valid/bleu``) or for all parts
    (``bleu``)."""
    larger_is_better: bool | None = None
    """Whether more is better. Without it the metric is recorded and shown, and can't be an
    objective, a ranking or a claim."""
    least: float | None = Field(default=None, exclude_if=lambda bound: bound is None)
    """The smallest value there can be; intervals end there, and a run that diverged counts as it
    where more is better."""
    most: float | None = Field(default=None, exclude_if=lambda bound: bound is None)
    """The largest value there can be; intervals end there."""
    unit: str = ""
    """Its unit."""
    label: str = ""
    """What figures call it."""

    @property
    def recorded(self) -> str:
        """As given."""
        return self.metric

    def declared(self) -> Declared:
        label = self.label or self.metric.replace("_", " ")
        known = Description(label, label, self.unit, self.larger_is_better)
        return {self.metric: bounded_by(known, self.least, self.most)}

    def check_data(self, task: str, outputs: int) -> None:
        """Refuse it where the harness trains, which records no such thing.

        Raises:
            HarnessError: always.
        """
        raise HarnessError(
            f"recipe.metrics: expected a training loop of your own that records {self.metric!r}, "
            "got a recipe that the harness trains; name a metric that it can measure"
        )

    def measure(self, scored: Scored) -> dict[str, Tensor]:
        """Return nothing: what runs record is not measured again."""
        return {}
