"""What a session is told of a study: title, spec, code, data, and views of its runs."""

from __future__ import annotations

from harness.core.metric_names import larger_is_better
from harness.data.base import fingerprint, load_data
from harness.spec.arms import Arm, build_arms, targets_of
from harness.spec.component import Component
from harness.spec.keys import spec_hash
from harness.spec.source_code import sources_of
from harness.spec.study import Study
from harness.tracking import About
from harness.tracking.rows import StudyData
from harness.tracking.schema import closing_name
from harness.tracking.views import View, views_of

_PARTS = ("test", "valid")
"""Parts of the data whose metrics have a curve on validation data."""


def about_study(study: Study, notes: tuple[str, ...] = ()) -> About:
    """Return what MLflow shows of the study as a whole, with the texts of the user's own code.

    Args:
        study: all of its arms' parts from outside are looked at.
        notes: what its user should know of it, in sentences.
    """
    arms = build_arms(study)
    targets = [target for arm in arms for target in targets_of(arm.recipe, study.probes)]
    return About(
        title=study.question or study.name,
        spec=study.dump(),
        spec_hash=spec_hash(study),
        data=study.recipe.data.name,
        fingerprint=fingerprint(study.recipe.data),
        code=sources_of(tuple(targets)),
        notes=notes,
        arm_data=_data_of_arms(study, arms),
        profile=_profile(study.recipe.data),
        metric=closing_name(judged_by(study)[0]),
        views=study_views(study, arms),
    )


def _data_of_arms(study: Study, arms: tuple[Arm, ...]) -> dict[str, StudyData]:
    """Return the data of the arms that have others than the study."""
    own = study.recipe.data
    # one whose options are searched has no data of its own yet
    others = {
        arm.name: arm.recipe.data
        for arm in arms
        if arm.recipe.data != own
        and not any(path.startswith("data.") for path in arm.recipe.spaces())
    }
    return {
        arm: StudyData(data.name, fingerprint(data), _profile(data)) for arm, data in others.items()
    }


def _profile(data: Component) -> dict[str, int | str]:
    """Return what MLflow's UI tells of a data set: samples of each part, and the inputs' shape."""
    dataset = load_data(data)
    parts = {
        "training_samples": dataset.count("train"),
        "validation_samples": dataset.count("valid"),
        "test_samples": dataset.count("test"),
    }
    return {"num_rows": sum(parts.values()), **parts, "task": dataset.task}


def judged_by(study: Study) -> list[str]:
    """Return the closing values that a study is about, what arms are ranked by first.

    Before anything has run it is not known what there will be: a searched metric is ranked by on
    test data.
    """
    objective = study.search.objective if study.search else "valid/loss"
    ranked = study.metric or f"test/{objective.partition('/')[2]}"
    claimed = [source for claim in study.claims for source in claim.recorded]
    usual = ["test/accuracy", "test/loss", objective]
    return list(dict.fromkeys([ranked, *claimed, *usual]))


def study_views(study: Study, arms: tuple[Arm, ...]) -> tuple[View, ...]:
    """Return what MLflow's UI offers to look at a study's runs by."""
    metrics = judged_by(study)
    searched = dict.fromkeys(path for arm in arms for path in arm.recipe.spaces())
    return views_of(
        [*study.compare],
        [closing_name(metric) for metric in metrics],
        [*searched],
        ascending=not larger_is_better(metrics[0], study.recipe.declared),
        curves=_curves_of(metrics),
    )


def _curves_of(metrics: list[str]) -> list[str]:
    """Return the curves that tell how arms came to their values: of tests there are none."""
    quantities = (metric.partition("/") for metric in metrics)
    return list(dict.fromkeys(f"valid/{name}" for part, _, name in quantities if part in _PARTS))
