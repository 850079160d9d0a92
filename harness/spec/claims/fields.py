"""Types of fields that several kinds of claims, and the study's ``metric``, have."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, Field

from harness.core.metric_names import (
    NOTHING_DECLARED,
    Declared,
    current_name,
    larger_is_better,
)
from harness.spec.patterns import METRIC_NAME

MetricName = Annotated[str, AfterValidator(current_name), Field(pattern=METRIC_NAME)]
"""A metric as :mod:`harness.core.metric_names` lists them; a name of an earlier version is replaced
by today's, with a warning. Only the form is checked: probes of a user's own have names that no list
has."""
TimeUnit = Literal["steps", "epochs", "samples", "seconds"]
"""What speed is counted in."""
Direction = Literal["auto", "minimize", "maximize"]
"""Which values are better; "auto" leaves it to the metric."""


class Goal(NamedTuple):
    """A value of a metric that runs are to reach, and the unit in which their way there is
    counted."""

    metric: str
    target: float
    """The value, in the metric's unit; reaching it exactly is enough."""
    unit: TimeUnit
    maximize: bool
    """Whether the value is reached from below."""


def maximizes(direction: Direction, metric: str, declared: Declared = NOTHING_DECLARED) -> bool:
    """Return whether larger values are better.

    Args:
        direction: as the claim has it.
        metric: asked where that is "auto".
        declared: metrics that the study declares.

    >>> maximizes("auto", "test/accuracy"), maximizes("minimize", "test/accuracy")
    (True, False)
    """
    return larger_is_better(metric, declared) if direction == "auto" else direction == "maximize"
