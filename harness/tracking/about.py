"""What a session is told of a study when it is opened, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from harness.tracking.rows import StudyData
from harness.tracking.views import View


class Known(NamedTuple):
    """A run that need not be trained again."""

    run_id: str
    status: str
    """How its training ended, in the harness's words."""
    closing: Mapping[str, float]
    """Its closing values, by the trainer's names."""
    kept: str = ""
    """Which of its weights were kept, if any: ``best`` or ``last``."""


class About(NamedTuple):
    """What a study is, as its own run in MLflow shows it."""

    title: str
    """What MLflow's UI shows as the experiment's description."""
    spec: Mapping[str, object]
    """The study in plain form."""
    spec_hash: str
    data: str
    """Name of its data set."""
    fingerprint: str
    """Hash of the data's arrays."""
    code: Mapping[str, str] = {}
    """The user's own files that the study's parts come from, by path."""
    notes: tuple[str, ...] = ()
    """What its user was told of it before anything trained, in sentences."""
    arm_data: Mapping[str, StudyData] = {}
    """The data of each arm, where a factor compares data sets; those of the study for the rest."""
    profile: Mapping[str, int | str] = {}
    """What MLflow's UI tells of the study's data, such as the samples of each part."""
    metric: str = ""
    """What the arms are ranked by, by the trainer's name."""
    views: Sequence[View] = ()
    """What MLflow's UI offers to look at the runs by."""

    def data_of(self, arm: str) -> StudyData:
        """Return the data that an arm is trained on; those of the study for an empty name."""
        return self.arm_data.get(arm) or StudyData(self.data, self.fingerprint, self.profile)


class Mean(NamedTuple):
    """A closing value's mean over an arm's runs."""

    mean: float
    low: float
    """Lower bound of its 95 % interval; −∞ for too few runs."""
    high: float
    """Upper bound; ∞ for too few runs."""
    runs: int
    """That ended well and have the value."""


class ShownArm(NamedTuple):
    """What an arm's run shows in MLflow's UI when the study has its answer."""

    of: str
    """The runs that it is the mean of, in words."""
    closing: Mapping[str, Mean]
    """By the trainer's names of closing values."""
    curves: Mapping[str, Sequence[tuple[int, float]]]
    """Means by metric: ``(step, value)`` in the order of the steps."""
    seconds: Mapping[int, float]
    """Seconds of training up to each step, by the arm's clock; empty where that is not known."""


class ShownAnswer(NamedTuple):
    """What MLflow's UI shows of a study's answer."""

    description: str
    """Markdown: the question, its answer, the verdicts and the ranking."""
    arms: Mapping[str, ShownArm]
