"""What a figure of the report is: how it is computed, drawn and explained, and where it stands.

A figure's file defines ``compute_x(context)``, which returns a NamedTuple of numbers or None where
there is nothing to show, ``plot_x(data, looks)``, which draws them, and a :class:`Figure` that ties
both to their words. Listed in :mod:`harness.report.figures.registry`, it is on the page, in
``results.figures`` and in the tests.

The two are apart so that numbers can be tested without a picture, and a picture with any numbers:
``compute_x`` knows no Plotly, and ``plot_x`` reads nothing but its data.

What traces carry as ``meta`` is for the page's script: by ``meta.arm`` it switches an arm on and
off in all figures, and ``meta.kind`` says what a trace is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, Literal, TypeVar, cast

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from harness.analysis.answer import Answer, answer_study
from harness.analysis.results import Results
from harness.core.errors import HarnessError
from harness.report.arm_looks import looks_of, prominent_arms
from harness.report.metric_labels import labels_of
from harness.report.page_figure import (
    FigureText,
    PageFigure,
    PlainFigure,
    linked_page_figure,
    page_figure,
)
from harness.report.style import ArmStyle
from harness.report.thinning import POINTS_PER_CURVE

Section = Literal["ranking", "curves", "metrics", "statistics", "diagnostics", "search"]
"""The page's sections; of "metrics" one figure is shown at a time."""
Looks = Mapping[str, ArmStyle]
"""How each arm is drawn, by arm."""
_Data = TypeVar("_Data")


@dataclass(frozen=True)
class FigureContext:
    """All that figures are computed from."""

    results: Results
    answer: Answer
    looks: Looks
    """How each arm of the study is drawn."""
    points: int = POINTS_PER_CURVE
    """Points that a single run's curve is thinned to."""
    computed: dict[str, object] = field(default_factory=dict)
    """What figures have been computed to, by their ids: the page and the files share it."""

    @classmethod
    def of(cls, results: Results, points: int = POINTS_PER_CURVE) -> FigureContext:
        """Return the context of a finished study.

        Args:
            results: the study's tables.
            points: points that a single run's curve is thinned to.
        """
        answer = answer_study(results)
        looks = looks_of(results.arms, prominent_arms(results.study, answer))
        return cls(results, answer, looks, points)

    @property
    def arms(self) -> list[str]:
        """The arms that were confirmed, best first."""
        return [place.arm for place in self.answer.ranking]

    @property
    def curves(self) -> pd.DataFrame:
        """The curves of the confirm stage, one row for each evaluation of a run; columns as of
        :attr:`harness.analysis.results.Results.confirmed_curves`."""
        return self.results.confirmed_curves

    @cached_property
    def arrays(self) -> dict[str, dict[str, np.ndarray]]:
        """Arrays (seeds, …) that probes measured last, by arm and name; only arms that have any.

        Kept, since each run's arrays are a file of the store.
        """
        arrays = {arm: self.results.arrays(arm) for arm in self.arms}
        return {arm: measured for arm, measured in arrays.items() if measured}


@dataclass(frozen=True, kw_only=True)
class Figure(Generic[_Data]):
    """One figure of the report.

    ``_Data`` is what ``compute`` returns and ``plot`` takes.
    """

    name: str
    """Its name in ``results.figures``; in a :class:`FigureSet`, what chooses it there."""
    section: Section
    needs: str
    """What a study must have for the figure to show anything, for the error of one that has not."""
    text: FigureText | Callable[[_Data], FigureText]
    """The words around it, or what makes them of the numbers."""
    compute: Callable[[FigureContext], _Data | None]
    """Return the numbers; None where the study has nothing to show."""
    plot: Callable[[_Data, Looks], go.Figure]
    """Draw the numbers. All arms in them have a look; the looks may have more."""
    key: str = ""
    """The id of its element on the page; by default the name with hyphens."""
    plot_linked: Callable[[_Data, Looks], PlainFigure] | None = None
    """For curves that share switches and zoom: draws them without what the script fills in."""

    @property
    def id(self) -> str:
        """The id of its element on the page, where no other figure has it."""
        return self.key or self.name.replace("_", "-")

    def figures(self, context: FigureContext) -> tuple[Figure[_Data]]:
        """Return the figure itself, as :meth:`FigureSet.figures` returns several."""
        return (self,)

    def on_page(self, context: FigureContext) -> PageFigure | None:
        """Return the figure as the page holds it.

        Args:
            context: what it is computed from.

        Returns:
            The figure with its words; None where there is nothing to show.
        """
        with labels_of(context.results.study.recipe.declared):
            data = self.data_of(context)
            if data is None:
                return None
            text = self.text if isinstance(self.text, FigureText) else self.text(data)
            if self.plot_linked is not None:
                return linked_page_figure(self.id, text, self.plot_linked(data, context.looks))
            return page_figure(self.id, text, self.plot(data, context.looks))

    def draw(self, context: FigureContext) -> go.Figure:
        """Return the figure for a notebook, without its words.

        Args:
            context: what it is computed from.

        Raises:
            HarnessError: the study has nothing to show in it; the message says what it needs.
        """
        study = context.results.study
        with labels_of(study.recipe.declared):
            data = self.data_of(context)
            if data is None:
                raise HarnessError(
                    f"{self.name}: expected a study with {self.needs}; {study.name!r} has not"
                )
            return self.plot(data, context.looks)

    def data_of(self, context: FigureContext) -> _Data | None:
        """Return the figure's numbers, which are computed once a context; None where the study has
        nothing to show."""
        if self.id not in context.computed:
            context.computed[self.id] = self.compute(context)
        return cast("_Data | None", context.computed[self.id])


# a member of a set may show data of any type, and each member of its own: the set only hands them
# on
AnyFigure = Figure[Any]


@dataclass(frozen=True, kw_only=True)
class FigureSet:
    """Figures of one sort of which a study has several: one for each probe, metric or target."""

    name: str
    """Name in ``results.figures``, where a member is chosen by its own name."""
    needs: str
    about: str
    """What the members are, in one line."""
    figures: Callable[[FigureContext], Iterable[AnyFigure]]
    """Return the members that a study has, in the order of the page."""
