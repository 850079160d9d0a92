"""Runs that were begun in the store and never written to their end.

A server is sent a run in several requests, and has it as RUNNING until the last of them
(:class:`harness.tracking.client_api.ClientApi`). What a killed process has left so is deleted by
the next one that has the study; what another driver is sending at this moment is not.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from harness.tracking.schema import PARENTS, Tag
from harness.tracking.sharing import living_drivers

if TYPE_CHECKING:
    from harness.tracking.experiment import Experiment
    from harness.tracking.rows import StoredRun


def discard_unfinished(experiment: Experiment, kept: Collection[str], me: str = "") -> list[str]:
    """Delete a study's runs that were never written to their end, at most a thousand of them.

    They come of processes that were killed while they sent runs to a server, and of answers that
    were lost on the way from one. Those that drivers who share the study are sending are left
    alone; whether such a driver lives is looked at for as long as it takes to know.

    Args:
        experiment: the study's.
        kept: ids of runs that are not deleted, such as those of the study and its arms.
        me: the name that this driver sends runs by, where it shares the study.

    Returns:
        Ids of the runs that living drivers are sending.
    """
    found = [run for run in _unfinished(experiment) if run.run_id not in kept]
    senders = {run.tags.get(Tag.SENDER, me) for run in found} - {me}
    living: set[str] = set()
    if senders:
        living = living_drivers(experiment, senders)
        # while it was looked, runs may have been written to their end
        still = {run.run_id for run in _unfinished(experiment)}
        found = [run for run in found if run.run_id in still]
    left = [run.run_id for run in found if run.tags.get(Tag.SENDER) in living]
    for run in found:
        if run.run_id not in left:
            experiment.single.delete(run.run_id)
    return left


def _unfinished(experiment: Experiment) -> list[StoredRun]:
    """Return the harness's own runs that MLflow has as running."""
    return [
        run
        for run in experiment.single.running()
        if Tag.KEY in run.tags or run.tags.get(Tag.KIND) in PARENTS
    ]
