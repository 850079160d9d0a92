"""The looks at a study's runs that were shown, which its record keeps: each took a part of the
risk."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analysis.looks import plan_levels
from harness.core.study_record import LookShown, RunEntry, StudyRecord, shortened
from harness.spec.study import Study


def looks_shown(
    study: Study, earlier: StudyRecord | None, confirmed: Sequence[RunEntry]
) -> tuple[LookShown, ...]:
    """Return all looks that were shown when this answer is: the earlier ones and its own.

    Looks at none of these runs took none of their risk, and are kept: a recipe that was changed may
    be changed back.

    Args:
        study: its looks are those that the runs suffice for; a first look gives no verdict, and so
            takes no risk.
        earlier: the record of the study's last answer; None where it never had one.
        confirmed: the confirm runs.
    """
    before = earlier.looks if earlier else ()
    if study.first_look:
        return tuple(before)
    keys = [run.key for run in confirmed]
    at_these = [look for look in before if look.was_at(keys)]
    shown: dict[tuple[int, int], LookShown] = {}
    for look in [*at_these, *_own_looks(study, at_these, confirmed)]:
        first = shown.setdefault((look.searches, look.seeds), look)
        runs = tuple(dict.fromkeys((*first.runs, *look.runs)))
        shown[look.searches, look.seeds] = first._replace(runs=runs)
    return (*(look for look in before if look not in at_these), *shown.values())


def _own_looks(
    study: Study, at_these: Sequence[LookShown], confirmed: Sequence[RunEntry]
) -> list[LookShown]:
    """Return the planned looks that the runs suffice for, as this answer shows them."""
    claims = tuple(map(str, study.claims))
    have = {run.seed for run in confirmed}
    looks = []
    for look, level in zip(study.looks, plan_levels(study, at_these), strict=True):
        seeds = {seed for own in look.seeds for seed in own}
        if seeds <= have:
            runs = tuple(shortened(run.key) for run in confirmed if run.seed in seeds)
            looks.append(LookShown(*look.shape, level, claims, runs))
    return looks
