"""The study's runs that the store has: those of earlier starts, and those that this one adds.

The protocol's one way to the store's runs while a study goes on: reads are from memory, and
what is written goes to the session, which sends it on its way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from harness.core.records import Outcome
from harness.protocol.runs import MetricCurve, RunRequest, RunResult, watched_curve
from harness.tracking import Known, Record, Session, finite_summary

_Pairs = NDArray[np.float64]


class RecordedRuns:
    """Finished runs by key, and the writing of new ones.

    Args:
        session: where runs are recorded.
        known: runs that were finished before this start, by key.
        watched: metric whose curve every result has; None for no curves.
        searches: how many the study has.
    """

    def __init__(
        self,
        session: Session,
        known: Mapping[str, Known],
        watched: str | None,
        searches: int = 1,
    ) -> None:
        self.session, self.watched, self.searches = session, watched, searches
        self.trained = 0
        """Runs trained by this start."""
        self.failed = 0
        """Those of them that failed."""
        self._known = dict(known)  # a copy, since new runs are added
        self._curves: dict[str, _Pairs] = {}
        """Watched curves by run id, as arrays: those of ten thousand runs would take a hundred
        megabytes as pairs of numbers."""
        self._read_curves([run.run_id for run in known.values()])

    def get(self, key: str) -> RunResult | None:
        """Return the run with a key, or None where there is no such run yet.

        A run that failed in an earlier start is not known, and so is tried again; one that failed
        in this start is, and is not.

        Args:
            key: as :func:`harness.protocol.runs.key_of` gives it.

        Returns:
            The run with its watched curve; the curve is empty where none is watched.
        """
        known = self._known.get(key)
        if known is None:
            return None
        packed = self._curves.get(known.run_id)
        curve = [] if packed is None else packed.tolist()
        return RunResult(key, known.run_id, known.status, known.closing, curve, known.kept)

    def result(self, key: str) -> RunResult:
        """Return the run with a key, which must have been recorded by this start or an earlier
        one."""
        result = self.get(key)
        assert result is not None, "asked for before it was trained"
        return result

    def refresh(self) -> None:
        """Read what other drivers of the study have recorded since.

        Raises:
            StoreError: the store is away for too long.
        """
        now = self.session.known_now()
        new = {key: known for key, known in now.items() if key not in self._known}
        self._read_curves([known.run_id for known in new.values()])
        self._known |= new

    def _read_curves(self, run_ids: Sequence[str]) -> None:
        """Read the watched curves of runs: all in one read and not run by run, of which a study has
        thousands."""
        if self.watched is None or not run_ids:
            return
        watched = [self.watched]
        curves = self.session.retry_read(lambda: self.session.reader.curves(run_ids, watched))
        for run_id, own in curves.items():
            self._curves[run_id] = _packed(own.get(self.watched, []))

    def record(
        self, requests: Sequence[RunRequest], keys: Sequence[str], outcomes: Sequence[Outcome]
    ) -> None:
        """Write the outcomes of one cohort.

        Args:
            requests: what the runs were trained for.
            keys: their keys.
            outcomes: how they ended.

        Raises:
            StoreError: the store refused them, or has been away for too long.
        """
        records = [
            Record(
                key,
                ask.run,
                outcome,
                ask.stage,
                ask.arm.name,
                ask.trial,
                ask.arm.levels,
                ask.search,
                self.searches,
            )
            for ask, key, outcome in zip(requests, keys, outcomes, strict=True)
        ]
        run_ids = self.session.record(records)
        for record, run_id in zip(records, run_ids, strict=True):
            # As the store gives them back: a continued study must see the numbers of one that was
            # never stopped.
            status = record.outcome.status
            summary, kept = finite_summary(record.outcome), record.outcome.kept or ""
            self._known[record.key] = Known(run_id, status, summary, kept)
            self._curves[run_id] = _packed(watched_curve(record.outcome, self.watched))
            self.trained += 1
            self.failed += status == "failed"


def _packed(curve: MetricCurve) -> _Pairs:
    """Return a curve's pairs as an array, which keeps every bit of a value."""
    return np.array(curve, np.float64).reshape(-1, 2)
