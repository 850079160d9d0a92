"""The contract of a metric: numbers for each member from its outputs on a whole part of data."""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, final

from harness.core.errors import HarnessError
from harness.core.metric_names import NOTHING_DECLARED, Declared
from harness.core.metric_table import Description
from harness.spec.metrics import DeclaredMetric

if TYPE_CHECKING:
    from torch import Tensor

    from harness.metrics.scored import Scored


class Metric(DeclaredMetric):
    """Something measured of a network's outputs on a whole part of the data.

    A subclass writes :meth:`measure`, which gets all outputs at once; one that follows from sums
    over samples is a :class:`SummedMetric` instead and keeps none. A subclass of a user's own gives
    its direction in :meth:`declared`; those of the harness stand in
    :mod:`harness.core.metric_names`.

    A number that is not defined (an area under a curve where one class is all there is) is NaN:
    it is not recorded, and the audit tells.
    """

    tasks: ClassVar[tuple[str, ...]] = ("classification",)
    """What data it is for."""
    reason: ClassVar[str] = "it compares classes"
    """Why it is for no others, in words."""
    of_probabilities: ClassVar[bool] = False
    """Whether it takes softmax(out) for probabilities, as a cross-entropy trains them to be."""

    @property
    def recorded(self) -> str:
        """The name of the class in lower case, with underscores between words."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(self).__name__).lower()

    def declared(self) -> Declared:
        if type(self).__module__.startswith("harness."):
            return NOTHING_DECLARED
        about = (self.__doc__ or "").partition("\n")[0]
        label = self.recorded.replace("_", " ")
        return {self.recorded: Description(label, about, larger_is_better=None)}

    def check_data(self, task: str, outputs: int) -> None:
        """Refuse data that the metric is not for, before anything trains.

        Args:
            task: what is learnt.
            outputs: classes, or numbers of a target.

        Raises:
            HarnessError: what was expected, what was got, and the fix.
        """
        if task not in self.tasks:
            raise HarnessError(
                f"recipe.metrics: {self.recorded} is for {' and '.join(self.tasks)} ({self.reason})"
                f", got {task}; leave it out"
            )

    @abstractmethod
    def measure(self, scored: Scored) -> dict[str, Tensor]:
        """Return the metric of every member, (K,) in float64 by recorded name.

        It depends neither on the order of the samples nor on who shares the cohort.

        Args:
            scored: outputs and targets of the whole part, at least one sample; left as they are.
        """


class SummedMetric(Metric):
    """A metric that follows from sums over samples, so that no outputs are kept."""

    @abstractmethod
    def sums(self, scored: Scored) -> Tensor:
        """Return sums over the samples, (K, …) in float64, which add up over pieces of a part.

        Args:
            scored: outputs and targets of a piece.
        """

    @abstractmethod
    def value(self, sums: Tensor) -> Tensor:
        """Return the metric (K,) that follows from the sums over the whole part."""

    @final
    def measure(self, scored: Scored) -> dict[str, Tensor]:
        return {self.recorded: self.value(self.sums(scored))}
