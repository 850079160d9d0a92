"""The report's figures one by one, for notebooks: ``results.figures``.

Results lie in a room below and can't import this one: they find :class:`Gallery` by the name that
``harness/catalog.py`` registers it under.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import plotly.graph_objects as go

from harness.analysis.results import Results
from harness.core.errors import HarnessError, nearest
from harness.report.figures.base import AnyFigure, FigureContext, FigureSet
from harness.report.figures.registry import FIGURES


class Gallery:
    """Figures of one study; every method returns a new ``plotly.graph_objects.Figure``.

    Methods are named after the figures of :mod:`harness.report.figures.registry`; ``dir(gallery)``
    lists them. Those of which a study has several take which one: ``curves("gradient/all")``,
    ``probe("gradient")``, and ``survival()`` where there is one alone.

    >>> from harness import results                                  # doctest: +SKIP
    >>> results.load("optimizers").figures.loss_curves().show()      # doctest: +SKIP
    """

    def __init__(self, results: Results) -> None:
        self.results = results

    @cached_property
    def context(self) -> FigureContext:
        """What figures are computed from; kept, so that the answer is computed once."""
        return FigureContext.of(self.results)

    def loss_curves(self) -> go.Figure:
        """Training and held-out loss over training.

        Raises:
            HarnessError: no run recorded a loss.
        """
        return self.curves("loss")

    def accuracy_curves(self) -> go.Figure:
        """Training and held-out accuracy over training.

        Raises:
            HarnessError: no run recorded an accuracy, as where the loss is not a classifier's.
        """
        return self.curves("accuracy")

    def __getattr__(self, name: str) -> Callable[..., go.Figure]:
        """Return the function that draws a registered figure.

        Python calls it only for names that are not found otherwise.

        Raises:
            AttributeError: there is no such figure. It must be this error: notebooks ask any object
                for names such as ``_repr_html_``, and take it for a no.
        """
        entries = {entry.name: entry for entry in FIGURES}
        if name not in entries:
            raise AttributeError(f"no figure {name!r}; {nearest(name, entries)}")
        entry = entries[name]
        if isinstance(entry, FigureSet):
            return _method_of_set(entry, self)
        return _method_of_figure(entry, self)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(entry.name for entry in FIGURES)]


def _method_of_figure(figure: AnyFigure, gallery: Gallery) -> Callable[..., go.Figure]:
    """Return the method that draws a figure."""

    def draw() -> go.Figure:
        return figure.draw(gallery.context)

    return _documented(draw, figure.name, figure.plot.__doc__)


def _method_of_set(figures: FigureSet, gallery: Gallery) -> Callable[..., go.Figure]:
    """Return the method that draws one figure of a set, chosen by its name."""

    def draw(which: str | None = None) -> go.Figure:
        return _member(figures, which, gallery.context).draw(gallery.context)

    return _documented(draw, figures.name, figures.about)


def _documented(
    method: Callable[..., go.Figure], name: str, about: str | None
) -> Callable[..., go.Figure]:
    """Return the method with a name and a docstring, for ``help()`` and editors."""
    method.__name__, method.__doc__ = name, about
    return method


def _member(entry: FigureSet, which: str | None, context: FigureContext) -> AnyFigure:
    """Return a member of a set by its name, or the only one there is.

    Args:
        entry: the set.
        which: name of the member; None for the only one.
        context: what the study has.

    Raises:
        HarnessError: there is none, none of this name, or several to choose from.
    """
    study = context.results.study.name
    members = {figure.name: figure for figure in entry.figures(context)}
    if not members:
        raise HarnessError(f"{entry.name}: expected a study with {entry.needs}; {study!r} has none")
    if which is None and len(members) == 1:
        return next(iter(members.values()))
    if which is None:
        raise HarnessError(f"{entry.name}: expected one of: {', '.join(members)}")
    if which not in members:
        raise HarnessError(
            f"{entry.name}: {study!r} has no figure {which!r}; {nearest(which, members)}"
        )
    return members[which]
