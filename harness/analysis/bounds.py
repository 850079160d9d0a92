"""Intervals end where the metric does."""

from __future__ import annotations

import math
from collections.abc import Iterable

from harness.core.metric_names import Declared, describe
from harness.core.metric_table import Description
from harness.data.base import Data
from harness.losses.base import Loss
from harness.spec.arms import Arm
from harness.spec.component import as_a
from harness.spec.recipe import Recipe
from harness.spec.study import Study
from harness.stats import Interval


def with_bounds(study: Study, arms: Iterable[Arm]) -> Declared:
    """Return what is declared of a study's metrics, and how small its losses can be: the mean of
    cross-entropies is not below 0, and that of a user's own losses may be.
    """
    declared = study.recipe.declared
    if "loss" in declared or study.imported is not None:
        return declared
    least = min(_least_loss(arm.recipe) for arm in arms)
    best = describe("best/valid/loss", declared)
    return {
        **declared,
        "loss": Description("loss", "mean loss of the samples", least=least),
        "best/valid/loss": best._replace(least=max(best.least, least)),
    }


def _least_loss(recipe: Recipe) -> float:
    """Return the smallest loss that a recipe's samples can have; −∞ where that is not known."""
    if recipe.trainer is not None:
        return -math.inf
    if recipe.loss is not None:
        return as_a(Loss, recipe.loss).least
    # without a loss of their own data have cross-entropies or squared errors
    own = type(as_a(Data, recipe.data)).default_loss is not Data.default_loss
    return -math.inf if own else 0.0


def cut_to_bounds(interval: Interval, known: Description) -> Interval:
    """Return an interval that ends where the metric does: no mean of rates is above 1.

    The mean lies within the metric's bounds, so that the cut interval covers it as often as the
    whole one. That of no runs, or of one, which nothing bounds, stays as it is, and so does that of
    values which are not the metric's, such as percent of an older store.

    >>> cut_to_bounds(Interval(0.9, 0.7, 1.1), Description("F1", least=0.0, most=1.0))
    Interval(mean=0.9, low=0.7, high=1.0)
    """
    if not math.isfinite(interval.high - interval.low) or not known.holds(interval.mean):
        return interval
    return Interval(interval.mean, max(interval.low, known.least), min(interval.high, known.most))


def cut_difference(interval: Interval, values: Iterable[float], known: Description) -> Interval:
    """Return the interval of a difference, which ends where two values can't be further apart.

    Args:
        interval: of one arm's mean less another's.
        values: of the arms; where a finite one is outside of the bounds, nothing is cut.
        known: what is known of the metric.

    >>> accuracy = Description("accuracy", least=0.0, most=1.0)
    >>> cut_difference(Interval(-0.4, -1.3, 0.5), [0.1, 0.5], accuracy)
    Interval(mean=-0.4, low=-1.0, high=0.5)
    """
    if not all(known.holds(value) for value in values if math.isfinite(value)):
        return interval
    widest = known.most - known.least
    return cut_to_bounds(interval, known._replace(least=-widest, most=widest))
