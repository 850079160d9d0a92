"""Checks of the frozen recipes: at the edge of their space, and lucky in their search."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from harness.analysis.audit.finding import Finding
from harness.analysis.quantities import in_powers, quantity_of, say_value
from harness.analysis.results import Results
from harness.analysis.values import values_of
from harness.core.metric_names import describe
from harness.core.study_record import FrozenEntry
from harness.spec.arms import build_arms
from harness.spec.space import Choice, LogUniform, Range, Space

EDGE = 0.05
"""Share of a space, at either end, where a best value casts doubt on the space."""
LUCK = 3.0
"""Standard deviations over fresh seeds by which a winning trial is too good to be true."""


def values_at_edges(results: Results) -> Iterator[Finding]:
    """Find best values at an end of their space: a better one may lie beyond it."""
    for arm in build_arms(results.study):
        # settings() has the values by the same paths as spaces()
        frozen = [
            arm.recipe.model_validate(winner.recipe).settings()
            for winner in results.winners[arm.name]
        ]
        for path, space in arm.recipe.spaces().items():
            values = [own.get(path) for own in frozen]
            sides = [side for side in (find_edge(space, v) for v in values) if side is not None]
            if sides:
                side = sides[0]
                where = f"in {len(sides)} of {len(values)} searches " if len(values) > 1 else ""
                at = next(v for v in values if find_edge(space, v) == side)
                yield Finding(
                    "best value at the edge",
                    f"{arm.name}: {where}the best {path} = {in_powers(f'{at:.3g}')} lies "
                    f"at the {side} end of {in_powers(str(space))}",
                    f"widen the space of {path} at its {side} end and run again",
                )


def find_edge(space: Space, value: object) -> str | None:
    """Return the end of a space that a value lies at.

    Args:
        space: where the value was searched.
        value: the best value.

    Returns:
        "lower" or "upper", where the value is within 5 % of that end on the space's own scale; None
        for the middle, and for choices, which have no ends.

    >>> find_edge(LogUniform(1e-3, 1.0), 0.9), find_edge(LogUniform(1e-3, 1.0), 0.1)
    ('upper', None)
    """
    place = place_in(space, value)
    if place is None or EDGE <= place <= 1 - EDGE:
        return None
    return "lower" if place < EDGE else "upper"


def place_in(space: Space, value: object) -> float | None:
    """Return where a value lies between the ends of its space, from 0 to 1, on the scale that is
    searched evenly; None for choices, which have none.

    Args:
        space: where the value was searched.
        value: a number of the space.
    """
    if isinstance(space, Choice) or not isinstance(value, (int, float, np.integer)):
        return None
    assert isinstance(space, Range)
    scale = math.log if isinstance(space, LogUniform) else float
    low, high = scale(space.low), scale(space.high)
    return float((scale(value) - low) / (high - low))


def lucky_winners(results: Results) -> Iterator[Finding]:
    """Find winning trials that did far better than the same recipe does with fresh seeds.

    The best of many noisy trials is too good on average (the winner's curse); a lead of ``LUCK``
    standard deviations says that luck and not the recipe chose it.
    """
    search = results.study.search
    # Fresh seeds are compared by their closing values, which a best or mean over training is not.
    if search is None or search.reduce != "final" or not len(results.trials):
        return
    declared = results.study.recipe.declared
    label = describe(search.objective, declared).label
    quantity = quantity_of(search.objective, declared)
    for arm, winners in results.winners.items():
        objectives = [_objective(results.trials, arm, winner) for winner in winners]
        won = float(np.mean(objectives)) if objectives else math.nan
        # as many as there are searches: the mean of winning trials is compared with theirs
        fresh_KS = values_of(results, arm, search.objective)
        fresh = fresh_KS.ravel() if len(fresh_KS) == 1 else fresh_KS.mean(axis=1)
        # a standard deviation of fewer than four seeds would call many winners lucky
        if math.isnan(won) or len(fresh) < 4 or not np.isfinite(fresh).all():
            continue
        lead = (won - fresh.mean()) * (1 if search.maximize else -1)
        if lead > LUCK * fresh.std(ddof=1):
            yield Finding(
                "lucky winner",
                f"{arm}: its best trial had {label} {say_value(won, quantity)}, "
                f"fresh seeds give {say_value(float(fresh.mean()), quantity)}",
                "judge trials over several seeds: search.repeats=3",
            )


def _objective(trials: pd.DataFrame, arm: str, winner: FrozenEntry) -> float:
    """Return the objective of an arm's winning trial; NaN where there is none."""
    own = trials[(trials["arm"] == arm) & (trials["search"] == winner.search)]
    values = own[own["trial"] == winner.trial]["value"].astype(float)
    return float(values.iloc[0]) if len(values) else math.nan
