"""F1, precision and recall: shares of predictions and samples, class by class."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Literal, final

from harness.core.errors import HarnessError
from harness.core.lazy import Lazy
from harness.metrics.base import SummedMetric
from harness.metrics.scored import Scored

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


class ByClassMetric(SummedMetric):
    """A ratio of counts for every class, as scikit-learn averages it (``zero_division=0``).

    A class with samples that is never predicted has precision 0, and one that is predicted without
    samples recall 0; a class with neither is left out of the mean. Of two classes the second is the
    positive one; without samples of it nothing is defined.
    """

    average: Literal["auto", "binary", "macro", "micro"] = "auto"
    """The positive class's ratio, the mean over classes, or the ratio of the sums; "auto" is binary
    for two classes, and macro for more."""

    @property
    def recorded(self) -> str:
        """The metric's name, with the average where one is asked for."""
        name = type(self).__name__.lower()
        return name if self.average == "auto" else f"{name}_{self.average}"

    def check_data(self, task: str, outputs: int) -> None:
        super().check_data(task, outputs)
        if self.average == "binary" and outputs != 2:
            raise HarnessError(
                f"recipe.metrics: {self.recorded} is for two classes, got {outputs}; use "
                f"{type(self).__name__.lower()}, the mean over classes"
            )

    @abstractmethod
    def ratio(self, found_KC: Tensor, predicted_KC: Tensor, true_KC: Tensor) -> list[Tensor]:
        """Return numerator and denominator (K, C) of every class."""

    def sums(self, scored: Scored) -> Tensor:
        return scored.counts_K3C

    def value(self, sums: Tensor) -> Tensor:
        above_KC, below_KC = self.ratio(*sums.unbind(1))
        _, predicted_KC, true_KC = sums.unbind(1)
        each_KC = above_KC / below_KC.clamp(min=1)  # counts: 0/0 is 0
        binary = self.average == "binary" or (self.average == "auto" and sums.shape[-1] == 2)
        if binary:
            return torch.where(true_KC[:, 1] > 0, each_KC[:, 1], torch.nan)
        if self.average == "micro":
            return above_KC.sum(1) / below_KC.sum(1)
        present_KC = (predicted_KC + true_KC > 0).double()
        return (each_KC * present_KC).sum(1) / present_KC.sum(1)


@final
class F1(ByClassMetric):
    """F1 = 2·TP / (2·TP + FP + FN), the harmonic mean of precision and recall."""

    def ratio(self, found_KC: Tensor, predicted_KC: Tensor, true_KC: Tensor) -> list[Tensor]:
        return [2 * found_KC, predicted_KC + true_KC]


@final
class Precision(ByClassMetric):
    """TP / (TP + FP): the share of a class's predictions that are right."""

    def ratio(self, found_KC: Tensor, predicted_KC: Tensor, true_KC: Tensor) -> list[Tensor]:
        return [found_KC, predicted_KC]


@final
class Recall(ByClassMetric):
    """TP / (TP + FN): the share of a class's samples that are found."""

    def ratio(self, found_KC: Tensor, predicted_KC: Tensor, true_KC: Tensor) -> list[Tensor]:
        return [found_KC, true_KC]
