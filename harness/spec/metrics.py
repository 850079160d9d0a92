"""What a recipe's metrics are called and what they declare; they compute in :mod:`harness.metrics`.

Directions of metrics of a user's own are known from here everywhere: the spec is stored with the
study, so that whoever reads it in another process knows them too.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Annotated, ClassVar, Self

from pydantic import PrivateAttr

from harness.core.metric_names import NOTHING_DECLARED, Declared, describe, recorded_sources
from harness.core.metric_table import Description
from harness.spec.base import Spec
from harness.spec.component import Component, as_a
from harness.spec.part_field import PartOf

MetricPart = Annotated[Component, PartOf("metric")]

_TOP = re.compile(r"top[-_]?(\d+)", re.IGNORECASE)
_AVERAGED = re.compile(r"(f1|precision|recall)[-_](binary|macro|micro)", re.IGNORECASE)
_SHORT = {"mae": "MeanAbsoluteError"}
"""Names of the field that a part of another kind has already."""


TELLING = ("loss", "error", "accuracy")
"""Ends of names that tell which values are better."""


class DeclaredMetric(Component):
    """The half of a metric that specs know: its name and what it declares."""

    kind: ClassVar[str] = "metric"

    @property
    @abstractmethod
    def recorded(self) -> str:
        """The name that it is recorded by after the part of the data, such as ``f1``."""

    @abstractmethod
    def declared(self) -> Declared:
        """Return label, unit and direction by recorded name; nothing for one of the harness's own,
        which :mod:`harness.core.metric_names` has."""


def expand_names(items: object) -> object:
    """Return metrics as a list in which short names are replaced by parts with their fields.

    Args:
        items: metrics, names, and mappings with a ``name``, or one of these; anything else is kept,
            for pydantic to refuse.

    >>> expand_names(["f1", "top5", "f1_macro"])
    ['f1', {'name': 'TopK', 'k': 5}, {'name': 'f1', 'average': 'macro'}]
    """
    if isinstance(items, (str, Mapping, Component)):
        items = [items]
    return [_expand(item) for item in items] if isinstance(items, (list, tuple)) else items


def _expand(item: object) -> object:
    if not isinstance(item, str):
        return item
    if top := _TOP.fullmatch(item):
        return {"name": "TopK", "k": int(top[1])}
    if averaged := _AVERAGED.fullmatch(item):
        return {"name": averaged[1], "average": averaged[2].lower()}
    return _SHORT.get(item.lower(), item)


def check_names(metrics: Iterable[Component]) -> None:
    """Refuse two metrics that would be recorded by one name.

    Raises:
        ValueError: so they would, or one by the name of what every run records.
    """
    names = ["loss", "accuracy", *(as_a(DeclaredMetric, metric).recorded for metric in metrics)]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(
                f"expected a name of its own for each metric, got two that are recorded as "
                f"{name!r}; leave one out, or give one of your own another name with 'called'"
            )


def declared_by(metrics: Iterable[Component]) -> Declared:
    """Return what some metrics declare, by recorded name."""
    table: dict[str, Description] = {}
    for metric in metrics:
        table |= as_a(DeclaredMetric, metric).declared()
    return table


def has_direction(metric: str, declared: Declared) -> bool:
    """Return whether it is known which values of a metric are better.

    Args:
        metric: its name in a claim, an objective or a ranking.
        declared: what the recipe's metrics declare.
    """
    known = (describe(source, declared) for source in recorded_sources(metric))
    return all(own.larger_is_better is not None for own in known)


def tells_direction(metric: str, declared: Declared) -> bool:
    """Return whether a metric of which anything may be meant is one that the harness or the recipe
    knows, or ends in a word that tells.

    Args:
        metric: as a training loop of a user's own records it, or derived of such.
        declared: what the recipe's metrics declare.
    """
    return has_direction(metric, declared) and all(
        source.endswith(TELLING) or describe(source, declared).description
        for source in recorded_sources(metric)
    )


def no_direction(metric: str) -> str:
    """Return the words for a metric whose direction is needed and not declared."""
    return (
        f"expected a metric of which more or less is better, got {metric!r}, whose direction is "
        "not declared; give it larger_is_better: true (or false) in recipe.metrics"
    )


class Directed(Spec):
    """A spec that names a metric, bound to what the recipe of its study declares.

    The table is no field: it stands in no plain form, and two studies in a process know nothing of
    each other's.
    """

    _declared: Declared = PrivateAttr(default=NOTHING_DECLARED)

    def bound_to(self, declared: Declared) -> Self:
        """Return the same spec, which knows the directions of the metrics declared.

        Args:
            declared: what the recipe's metrics declare.
        """
        if not declared:
            return self
        bound = self.model_copy()
        bound._declared = declared
        return bound
