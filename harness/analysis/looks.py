"""The looks at a study that were taken, and the risk that each of them takes.

Claims and the ranking are both judged by them: else a study could be extended until the ranking,
which paid for nothing, tells its arms apart.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness import stats
from harness.analysis.results import Results
from harness.core.study_record import LookShown
from harness.spec.looks import Look
from harness.spec.study import Study
from harness.stats import Size

ALPHA = 0.05
"""Risk of calling a difference where there is none, over all comparisons of a family."""


def plan_levels(study: Study, shown: Sequence[LookShown]) -> list[float]:
    """Return the risk that each of a study's planned looks takes.

    Args:
        study: has the looks.
        shown: looks at its runs that were shown before, planned or not.
    """
    planned = [Size(*look.shape) for look in study.looks]
    earlier = {Size(look.searches, look.seeds): look.level for look in shown}
    return stats.look_levels(planned, earlier, ALPHA)


def take_looks(results: Results) -> tuple[list[Look], list[float]]:
    """Return the looks that the runs suffice for, with the risk that each takes: those that were
    shown before, planned or not, and those of the plan.

    By the seeds of any arm: every look trains all arms. Where the runs suffice for none (a study
    cut short) the runs there are count as one.
    """
    study = results.study
    have = set(results.confirmed["seed"])
    whole = study.looks[-1]
    levels = {Size(look.searches, look.seeds): look.level for look in results.looks_shown}
    for look, level in zip(study.looks, plan_levels(study, results.looks_shown), strict=True):
        levels[Size(*look.shape)] = level
    looks = {
        _part(whole, size): level
        for size, level in sorted(levels.items(), key=lambda item: item[0].runs)
    }
    taken = {
        look: level
        for look, level in looks.items()
        if look is not None and {seed for own in look.seeds for seed in own} <= have
    }
    if not taken:
        return [results.look], [ALPHA]
    return list(taken), list(taken.values())


def _part(whole: Look, size: Size) -> Look | None:
    """Return the first searches and seeds of a look; None where it has not so many.

    Args:
        whole: the look.
        size: how many.
    """
    searches, seeds = whole.shape
    if size.searches > searches or size.seeds > seeds:
        return None
    first = whole.seeds[: size.searches]
    return Look(whole.searches[: size.searches], tuple(own[: size.seeds] for own in first))
