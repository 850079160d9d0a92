"""What a recipe's metrics need of a part of the data, gathered piece by piece.

Metrics that follow from sums keep the sums alone. Where one needs all outputs at once they are
kept: K·N·D numbers for K members, N samples and D outputs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from torch import Tensor

from harness.data.base import load_data
from harness.engine.program import Program
from harness.losses.tokens import are_tokens
from harness.metrics.base import Metric, SummedMetric
from harness.metrics.scored import Scored, join


class Tally:
    """The metrics of all members on one part of the data.

    Args:
        metrics: what is measured.
    """

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self.summed = [metric for metric in metrics if isinstance(metric, SummedMetric)]
        self.others = [metric for metric in metrics if not isinstance(metric, SummedMetric)]
        self._sums: list[Tensor] = []
        self._kept: list[Scored] = []

    def add(self, scored: Scored) -> None:
        """Take in some more of the part's samples.

        Args:
            scored: outputs and targets; the outputs are kept where a metric needs all of them.
        """
        sums = [metric.sums(scored) for metric in self.summed]
        before = self._sums or [own.new_zeros(own.shape) for own in sums]
        self._sums = [a + b for a, b in zip(before, sums, strict=True)]
        if self.others:
            self._kept.append(scored)

    def values(self) -> dict[str, Tensor]:
        """Return the metrics over all samples, (K,) each by name; NaN where one is not defined."""
        values = {
            metric.recorded: metric.value(sums)
            for metric, sums in zip(self.summed, self._sums, strict=True)
        }
        if self.others:
            whole = join(self._kept)
            for metric in self.others:
                values |= metric.measure(whole)
        return values


def keeps_outputs(metrics: Sequence[Metric]) -> bool:
    """Return whether the outputs of a whole part are held in memory."""
    return bool(Tally(metrics).others)


def numbers_kept(program: Program) -> int:
    """Return how many outputs a sample has: D, or a class's for each of its tokens."""
    y = program.train.y[0]
    return y.numel() * (load_data(program.recipe.data).outputs if are_tokens(y) else 1)


def defined(values: Mapping[str, float]) -> dict[str, float]:
    """Return an evaluation's metrics without those that are not defined.

    A loss or an accuracy that is not finite stays: it says that the run has diverged. Any other
    metric may be undefined at good weights, and then is not recorded.

    Args:
        values: by name, such as ``valid/loss``.

    >>> defined({"valid/loss": math.inf, "valid/auroc": math.nan})
    {'valid/loss': inf}
    """
    always = ("loss", "accuracy")
    return {
        name: value
        for name, value in values.items()
        if math.isfinite(value) or name.partition("/")[2] in always
    }
