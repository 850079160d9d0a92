"""A study's answer where people see it in MLflow's UI: descriptions, arms' means and curves."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from harness.tracking.about import ShownAnswer, ShownArm
from harness.tracking.opening import open_experiment
from harness.tracking.rows import Means, TimedMetric, thin
from harness.tracking.schema import StudyFile, Tag, closing_name

if TYPE_CHECKING:  # MLflow is imported after it is configured
    from harness.tracking.experiment import Experiment

MEAN_POINTS = 100
"""Points of an arm's mean curve: as many as can be told apart in a chart of several arms."""


class ArmRun(NamedTuple):
    """An arm's run in the store."""

    run_id: str
    start: int
    """Milliseconds since 1970."""
    curves_of: str = ""
    """The runs that its curves are means of; empty where it has none."""


def show_answer(
    experiment: Experiment, study_run: str, arms: Mapping[str, ArmRun], shown: ShownAnswer
) -> None:
    """Write a study's answer where MLflow's UI shows it.

    Args:
        experiment: the study's.
        study_run: id of its run.
        arms: the runs of its arms.
        shown: what is written; arms that are not among ``arms`` are passed over.
    """
    experiment.set_title(shown.description)
    experiment.set_values(study_run, {Tag.NOTE: shown.description})
    for arm, own in shown.arms.items():
        if arm in arms:
            _show_arm(experiment, arms[arm], own)


def keep_report(study: str, uri: str | None, page: str, figures: Mapping[str, str]) -> None:
    """Put a study's report and figures among the artifacts of its run, for MLflow's UI.

    Args:
        study: its name.
        uri: MLflow's tracking URI.
        page: the report.
        figures: SVG or JSON by file name; they take the place of those of an earlier report.

    Raises:
        StoreError: the store refuses, or is away.
    """
    experiment = open_experiment(study, uri, create=False)
    study_run = experiment.study_run()
    if study_run is not None:
        with experiment.telling_failures("a report"):
            experiment.write_text(study_run, StudyFile.REPORT, page)
            experiment.replace_folder(study_run, StudyFile.FIGURES, figures)


def show_stored(study: str, uri: str | None, shown: ShownAnswer) -> None:
    """Write the answer of a study that the store has already where MLflow's UI shows it.

    Args:
        study: its name.
        uri: MLflow's tracking URI.
        shown: what is written.

    Raises:
        StoreError: the store refuses, or is away.
    """
    experiment = open_experiment(study, uri, create=False)
    with experiment.telling_failures("an answer"):
        rows = experiment.bulk.rows()
        arms = {
            row.tags[Tag.ARM]: ArmRun(row.run_id, row.start, row.tags.get(Tag.CURVES_OF, ""))
            for row in rows
            if row.tags.get(Tag.KIND) == "arm"
        }
        study_run = next(row.run_id for row in rows if row.tags.get(Tag.KIND) == "study")
        show_answer(experiment, study_run, arms, shown)


def _show_arm(experiment: Experiment, run: ArmRun, shown: ShownArm) -> None:
    """Write an arm's means; of curves that a server can't replace it is said whose they are."""
    means = Means(_closing(run, shown), _curves(run, shown))
    written = experiment.bulk.set_means(run.run_id, means, first=not run.curves_of)
    curves_of = shown.of if written else run.curves_of
    experiment.set_values(run.run_id, {Tag.MEAN_OF: shown.of, Tag.CURVES_OF: curves_of})


def _closing(run: ArmRun, shown: ShownArm) -> list[TimedMetric]:
    """Return the means by the names that runs have their own values by, so that arms and runs
    share columns and charts; with ``/low``, ``/high`` and ``/n`` after it what belongs to it."""
    at = int(1000 * time.time())  # of equal steps the latest counts, on servers too
    rows = []
    for name, mean in shown.closing.items():
        parts = {"": mean.mean, "/low": mean.low, "/high": mean.high, "/n": float(mean.runs)}
        rows += [
            TimedMetric(closing_name(name) + suffix, 0, value, at)
            for suffix, value in parts.items()
            if math.isfinite(value)
        ]
    return rows


def _curves(run: ArmRun, shown: ShownArm) -> list[TimedMetric]:
    return [
        TimedMetric(name, step, value, run.start + int(1000 * shown.seconds.get(step, 0.0)))
        for name, curve in shown.curves.items()
        for step, value in thin(curve, MEAN_POINTS)
    ]
