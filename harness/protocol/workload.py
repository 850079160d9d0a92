"""What a study is going to train, stage by stage, before it begins."""

from __future__ import annotations

from harness.data.base import load_data
from harness.engine.timetable import make_timetable
from harness.protocol.progress import Progress
from harness.protocol.representative import representative
from harness.protocol.search_space import count_trials
from harness.spec.arms import build_arms
from harness.spec.study import Study


def announce_plan(study: Study, progress: Progress) -> None:
    """Tell a display the runs and updates of both stages, known runs among them.

    A tuned arm is planned by the middle of its spaces.

    Args:
        study: one that has been checked.
        progress: is told.
    """
    search, looks = study.search, study.looks
    runs, updates = {"search": 0, "confirm": 0}, {"search": 0, "confirm": 0}
    for arm in build_arms(study):
        recipe = representative(arm.recipe)
        steps = make_timetable(recipe, load_data(recipe.data).count("train")).steps
        trials = count_trials(arm.recipe.spaces(), search) if search else 0
        tuning = trials * search.repeats * len(looks[-1].searches) if search else 0
        runs["search"] += tuning
        updates["search"] += tuning * steps
        runs["confirm"] += looks[-1].runs
        # each look asks for the runs of those before it again, which are known by then
        updates["confirm"] += sum(look.runs for look in looks) * steps
    may_end_early = len(looks) > 1 or (search is not None and search.pruner != "none")
    progress.planned(
        {stage: count for stage, count in updates.items() if count},
        {stage: count for stage, count in runs.items() if count},
        may_end_early,
    )
