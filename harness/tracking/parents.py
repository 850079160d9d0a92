"""The runs that training runs are nested in: the study's own and one for each arm."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.core.palette import PALETTE
from harness.spec.arms import Arm
from harness.tracking.about import About
from harness.tracking.rows import StoredRun, StudyData, origin_tags, stored_levels
from harness.tracking.schema import PARENTS, Tag
from harness.tracking.show import ArmRun

if TYPE_CHECKING:  # MLflow is imported after it is configured
    from harness.tracking.experiment import Experiment


class Parents:
    """The runs of a study and its arms.

    Args:
        experiment: the study's.
    """

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        self.study = ""
        """Id of the study's own run; empty until :meth:`open`."""
        self.arms: dict[str, ArmRun] = {}
        """The arms' runs, by arm."""
        self._ends: dict[str, int] = {}
        """When the last run of each arm ended that this process has recorded."""

    @property
    def ids(self) -> list[str]:
        """Ids of all of them."""
        return [self.study, *(arm.run_id for arm in self.arms.values())]

    def open(self, about: About, arms: Sequence[Arm], rows: Sequence[StoredRun]) -> None:
        """Make or reopen the run of the study and one for each arm.

        Args:
            about: what the study is.
            arms: its arms.
            rows: what the experiment has already.
        """
        there = parents_of(rows)
        # a process that was killed while it made one has left it as running, perhaps without data
        for row in there.values():
            if row.status == "RUNNING":
                self._experiment.end_parent(row.run_id, about.data_of(row.tags.get(Tag.ARM, "")))
        study = self._open(
            there.get(("study", None)),
            self._experiment.study,
            _study_tags(about),
            about.data_of(""),
        )
        self.study = study.run_id
        for number, arm in enumerate(arms):
            tags = {
                Tag.KIND: "arm",
                Tag.ARM: arm.name,
                Tag.PARENT: self.study,
                Tag.COLOR: PALETTE[number % len(PALETTE)],
                **stored_levels(arm.levels),
            }
            self.arms[arm.name] = self._open(
                there.get(("arm", arm.name)), arm.name, tags, about.data_of(arm.name)
            )

    def adopt(self, rows: Sequence[StoredRun]) -> None:
        """Take the runs that another driver has opened, and leave them as they are.

        Args:
            rows: what the experiment has.
        """
        for (kind, arm), row in parents_of(rows).items():
            if kind == "study":
                self.study = row.run_id
            elif arm is not None:
                self.arms[arm] = ArmRun(row.run_id, row.start, row.tags.get(Tag.CURVES_OF, ""))

    def _open(
        self, row: StoredRun | None, name: str, tags: dict[str, str], data: StudyData
    ) -> ArmRun:
        """Make a run, or give the one that is there the tags of today."""
        tags = tags | origin_tags()
        if row is None:
            began = int(1000 * time.time())
            return ArmRun(self._experiment.add_parent(name, tags, data), began)
        self._experiment.set_values(row.run_id, tags)
        self._experiment.add_levels(row.run_id, tags, there=row.params)
        return ArmRun(row.run_id, row.start, row.tags.get(Tag.CURVES_OF, ""))

    def recorded(self, arm: str, end: int) -> None:
        """Note when a training run of an arm ended, in milliseconds since 1970."""
        self._ends[arm] = max(end, self._ends.get(arm, 0))

    def end(self) -> None:
        """Say when the arms that have new runs ended, and with them the study."""
        for arm, end in self._ends.items():
            self._experiment.end_run(self.arms[arm].run_id, end)
        if self._ends:
            self._experiment.end_run(self.study, int(1000 * time.time()))


def parents_of(rows: Sequence[StoredRun]) -> dict[tuple[str, str | None], StoredRun]:
    """Return the runs of the study and of its arms, by kind and arm.

    Of several that are alike the last counts; one that was never ended only where there is no
    other.
    """
    ended_last = sorted(rows, key=lambda row: row.status != "RUNNING")
    return {
        (row.tags[Tag.KIND], row.tags.get(Tag.ARM)): row
        for row in ended_last
        if row.tags.get(Tag.KIND) in PARENTS
    }


def _study_tags(about: About) -> dict[str, str]:
    """Return the tags of a study that begins or goes on: whatever answer it had is no longer the
    whole one."""
    return {
        Tag.KIND: "study",
        Tag.ANSWER: "",
        Tag.SPEC: about.spec_hash,
        Tag.NOTE: "\n\n".join([about.title, *about.notes]),
    }
