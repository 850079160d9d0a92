"""The report's figures one by one, for notebooks."""

from __future__ import annotations

from functools import cached_property
from typing import TypeVar

import plotly.graph_objects as go

from harness.analysis.answer import Answer, answer
from harness.analysis.budget import winner_by_budget
from harness.analysis.results import Results
from harness.core.errors import HarnessError, nearest
from harness.report.figures.budget import plot_budget
from harness.report.figures.critical import compute_critical, plot_critical
from harness.report.figures.curves import compute_curves, plot_curves
from harness.report.figures.gap import compute_gap
from harness.report.figures.importance import compute_importance, plot_importance
from harness.report.figures.improvement import compute_improvement, plot_improvement
from harness.report.figures.interaction import compute_interactions, plot_interactions
from harness.report.figures.pairs import compute_pairs, plot_pairs
from harness.report.figures.parallel import compute_parallel, plot_parallel
from harness.report.figures.profile import compute_profile, plot_profile
from harness.report.figures.ranking import compute_ranking, plot_ranking
from harness.report.figures.sensitivity import compute_sensitivity, plot_sensitivity
from harness.report.style import Look, looks
from harness.spec.arms import arms

T = TypeVar("T")


class Gallery:
    """Figures of one study; every method returns a new ``plotly.graph_objects.Figure``.

    >>> from harness import results                                  # doctest: +SKIP
    >>> results.load("optimizers").figures.loss_curves().show()      # doctest: +SKIP
    """

    def __init__(self, results: Results) -> None:
        self.results = results

    @cached_property
    def answer(self) -> Answer:
        """The study's answer."""
        return answer(self.results)

    @cached_property
    def looks(self) -> dict[str, Look]:
        """Each arm's look."""
        return looks([arm.name for arm in arms(self.results.study)])

    @property
    def names(self) -> list[str]:
        """The arms, best first."""
        return [place.arm for place in self.answer.ranking]

    def ranking(self) -> go.Figure:
        """Closing values with intervals."""
        return plot_ranking(compute_ranking(self.answer), self.looks)

    def loss_curves(self) -> go.Figure:
        """Training and held-out loss."""
        return self.curves("loss")

    def accuracy_curves(self) -> go.Figure:
        """Training and held-out accuracy."""
        return self.curves("accuracy")

    def curves(self, metric: str) -> go.Figure:
        """Any metric over training.

        Args:
            metric: "loss" or "accuracy" for training and held-out data, or a recorded name such as "gradient/all".

        Raises:
            HarnessError: no run recorded it.
        """
        table = self.results.confirmed_curves
        if not {metric, f"train/{metric}", f"valid/{metric}"} & set(table.columns):
            raise HarnessError(
                f"curves: no run recorded {metric!r}; {nearest(metric, map(str, table.columns))}"
            )
        return plot_curves(compute_curves(table, metric, self.names), self.looks)

    def generalization_gap(self) -> go.Figure:
        """Held-out minus training loss."""
        return plot_curves(
            compute_gap(self.results.confirmed_curves, "loss", self.names), self.looks
        )

    def improvement(self) -> go.Figure:
        """How often a run of one arm beats one of another."""
        return plot_improvement(
            self._having("improvement", "two arms", compute_improvement(self.answer))
        )

    def critical_difference(self) -> go.Figure:
        """Mean ranks with groups that are not told apart."""
        data = compute_critical(self.answer)
        return plot_critical(
            self._having("critical_difference", "three arms and four seeds", data), self.looks
        )

    def profile(self) -> go.Figure:
        """Share of runs at least so good."""
        return plot_profile(compute_profile(self.answer), self.looks)

    def interactions(self) -> go.Figure:
        """Means by level of every two factors."""
        return plot_interactions(compute_interactions(self.results, self.answer))

    def budget(self) -> go.Figure:
        """Best objective to be expected by tuning budget."""
        return plot_budget(
            self._having("budget", "a search", winner_by_budget(self.results)), self.looks
        )

    def sensitivity(self) -> go.Figure:
        """Objective against each hyperparameter."""
        return plot_sensitivity(
            compute_sensitivity(self.results.study, self.results.trials), self.looks
        )

    def pairs(self) -> go.Figure:
        """Objective over every two hyperparameters."""
        return plot_pairs(compute_pairs(self.results.study, self.results.trials))

    def parallel(self) -> go.Figure:
        """All hyperparameters of each trial."""
        return plot_parallel(compute_parallel(self.results.study, self.results.trials), self.looks)

    def importance(self) -> go.Figure:
        """Which hyperparameters mattered."""
        return plot_importance(compute_importance(self.results.importances), self.looks)

    def _having(self, figure: str, what: str, data: T | None) -> T:
        if data is None:
            raise HarnessError(
                f"{figure}: expected a study of {what}, got {self.results.study.name!r}"
            )
        return data
