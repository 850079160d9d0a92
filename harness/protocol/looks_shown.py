"""The looks at a study's runs that were shown, which its record keeps: each took a part of the
risk."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analysis.looks import plan_levels
from harness.core.study_record import LookShown, RunEntry, StudyRecord
from harness.spec.study import Study


def looks_shown(
    study: Study, earlier: Sequence[LookShown], confirmed: Sequence[RunEntry]
) -> tuple[LookShown, ...]:
    """Return all looks that were shown when this answer is: the earlier ones and its own.

    Args:
        study: its looks are those that the runs suffice for; a first look gives no verdict, and so
            takes no risk.
        earlier: looks at fewer of these runs.
        confirmed: the confirm runs.
    """
    if study.first_look:
        return ()
    have = {run.seed for run in confirmed}
    claims = tuple(map(str, study.claims))
    shown = {(look.searches, look.seeds): look for look in earlier}
    for look, level in zip(study.looks, plan_levels(study, earlier), strict=True):
        if {seed for own in look.seeds for seed in own} <= have:
            shown.setdefault(look.shape, LookShown(*look.shape, level, claims))
    return tuple(shown.values())


def earlier_looks(
    earlier: StudyRecord | None, confirmed: Sequence[RunEntry]
) -> Sequence[LookShown]:
    """Return the looks of the study's last answer, if it was to the same question.

    An answer by other runs was no look at these.

    Args:
        earlier: the record of that answer.
        confirmed: the confirm runs of this one.
    """
    if earlier is None:
        return ()
    before = {run.key for run in earlier.runs if run.stage == "confirm"}
    return earlier.looks if before & {run.key for run in confirmed} else ()
