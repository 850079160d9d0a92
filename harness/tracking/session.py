"""A study being recorded: opened, given its runs as they end, and closed with its answer.

The protocol (:mod:`harness.protocol.run`) makes one :class:`Session` a study and calls, in this
order, ``open``, then ``record`` and ``set_clock`` as things are finished, ``write_answer`` and
``close``. A session is used from one thread.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import TypeVar

from harness.core.study_record import ClockReading, RunEntry, StudyRecord
from harness.spec.arms import Arm
from harness.tracking.about import About, Known, ShownAnswer
from harness.tracking.changes import own_folder, recorded_changes
from harness.tracking.known_runs import KnownRuns, stored_clocks
from harness.tracking.lease import HeldError, Holder, Lease
from harness.tracking.opening import open_experiment
from harness.tracking.outbox import Outbox
from harness.tracking.parents import Parents, parents_of
from harness.tracking.provenance import read_environment
from harness.tracking.reader import Reader
from harness.tracking.retry import PATIENCE
from harness.tracking.rows import (
    Record,
    StoredRun,
    new_run,
)
from harness.tracking.schema import CLOCKS, StudyFile, Tag
from harness.tracking.sharing import (
    Sharing,
    begin_sharing,
    end_sharing,
    find_sharing,
    what_is_common,
)
from harness.tracking.show import show_answer
from harness.tracking.spool import SpoolBatch
from harness.tracking.unfinished import discard_unfinished

_T = TypeVar("_T")


class Session:
    """One study, while this process runs it.

    Runs are written while training goes on: into a store on this machine by a thread, and on their
    way to a server they wait in a spool, since it may be slow or away.

    Args:
        study: name of the study, and of its experiment, which is made if it is missing.
        uri: MLflow's tracking URI; by default ``MLFLOW_TRACKING_URI``, or ``mlflow.db`` in the
            working folder.
        patience: seconds that a server may be away in mid-study.
        take_over: take the study from a driver on another machine.
        join: share the study with other drivers that were started so; a text that all of them must
            have in common, since it decides how cohorts are cut. None for a driver of its own.

    Raises:
        StoreError: the store can't be reached.
    """

    def __init__(
        self,
        study: str,
        uri: str | None = None,
        patience: float = PATIENCE,
        take_over: bool = False,
        join: str | None = None,
    ) -> None:
        self._experiment = open_experiment(study, uri, create=True)
        self.reader = Reader(self._experiment)
        self.study, self.uri, self._patience = study, self._experiment.uri, patience
        self.clocks: dict[str, dict[int, ClockReading]] = {}
        """What the clocks of each arm were read as, by search, when the study was opened."""
        self._take_over = take_over
        self._join = join
        self.sharing: Sharing | None = None
        """What drivers that share the study tell each other; None for a driver of its own."""
        self.joined = ""
        """The driver that had the study already, and writes its answer, by its name; empty where
        that is this one."""
        self._lease: Lease | None = None
        """The right to drive the study; from :meth:`open` to :meth:`close`."""
        self._parents = Parents(self._experiment)
        """The runs of the study and its arms, from :meth:`open` on."""
        self._sent_by_others: list[str] = []
        """Runs that drivers who had joined an earlier one were sending at :meth:`open`."""
        self._runs = KnownRuns()
        """The training runs that the store has."""
        self._outbox = Outbox(self._experiment, patience)
        """What is on its way into the store."""

    def open(self, about: About, arms: Sequence[Arm]) -> dict[str, Known]:
        """Make or reopen the study's run and its arms' runs.

        Runs that a killed process left waiting for a server are sent first; those it left half
        written are deleted. The study's answer, if it has one, counts no longer.

        Args:
            about: what the study is.
            arms: its arms, each of which gets a run that its training runs are nested in.

        Returns:
            The runs that need not be trained again, by key.

        Raises:
            StoreError: somebody else runs the study, or the store has refused what was waiting.
        """
        try:
            self._lease = self._retry(
                lambda: Lease(self._experiment, self.uri, self.study, self._take_over), "a study"
            )
        except HeldError as held:
            if self._join is None:
                raise
            return self._join_in(what_is_common(about, self._join), held)
        self._outbox.open_spool()
        # what the last process was sending has arrived; nobody will finish what is half written now
        known = self._retry(lambda: self._reopen(about, arms), "a study")
        if self._join is not None:
            common, owner = what_is_common(about, self._join), self._lease.me.owner
            self.sharing = self._retry(
                lambda: begin_sharing(self._experiment, about, common, owner, self.retry_read),
                "a study that is shared",
            )
        return known

    def tell(self, told: Callable[[], Mapping[str, object]]) -> None:
        """Let others see how far the study is; of a driver that joined another nothing is told."""
        if self._lease is not None:
            self._lease.tell(told)

    def _reopen(self, about: About, arms: Sequence[Arm]) -> dict[str, Known]:
        """Read what there is, delete what is half written and make what is missing; may be done
        again."""
        rows = self._rows()
        if any(row.status == "RUNNING" for row in rows):
            parents = [row.run_id for row in parents_of(rows).values()]
            self._sent_by_others = discard_unfinished(self._experiment, parents)
            rows = self._rows()  # what others were sending may have arrived
        if any(row.tags.get(Tag.KIND) == "sharing" for row in rows):
            end_sharing(self._experiment)
        self.clocks = stored_clocks(rows)
        self._parents.open(about, arms, rows)
        self._describe(about)
        return self._known(rows)

    def _join_in(self, common: str, held: HeldError) -> dict[str, Known]:
        """Join the driver that has the study, and leave all to it but the runs of cohorts.

        Args:
            common: the hash of what has to be the same there.
            held: what the driver that has it was found by.

        Raises:
            StoreError: it does not share the study, or drives another of that name.
        """
        rows, shared = find_sharing(
            self._experiment, common, lambda: self.retry_read(self._rows), held
        )
        self.joined = shared.tags[Tag.OWNER]
        me = Holder.this_process().owner
        self.sharing = Sharing(self._experiment, shared.run_id, me, self.retry_read)
        self._parents.adopt(rows)
        return self._known(rows)

    def _rows(self) -> list[StoredRun]:
        return self._experiment.bulk.rows()

    def known_now(self) -> dict[str, Known]:
        """Return the runs that need not be trained again by now, those that drivers that share the
        study have recorded among them.

        Raises:
            StoreError: the store is away for too long.
        """
        rows = self.retry_read(self._rows)
        self.clocks = stored_clocks(rows)
        return self._known(rows)

    def _describe(self, about: About) -> None:
        """Write the spec, the environment and the user's code among the artifacts of the study's
        run, over those of earlier starts."""
        self._experiment.set_views(about.views, about.metric)
        self._experiment.set_title("\n\n".join([about.title, *about.notes]))
        self._experiment.write_json(self._parents.study, StudyFile.SPEC, about.spec)
        self._experiment.write_json(
            self._parents.study, StudyFile.ENVIRONMENT, {**read_environment()}
        )
        for path, text in about.code.items():
            self._experiment.write_text(self._parents.study, f"{StudyFile.CODE}/{path}", text)
        if changes := recorded_changes(own_folder()):
            self._experiment.write_text(self._parents.study, StudyFile.DIFF, changes)

    def _known(self, rows: Sequence[StoredRun]) -> dict[str, Known]:
        return self._runs.read(rows, self.sharing.run_id if self.sharing else "")

    def record(self, records: Sequence[Record]) -> list[str]:
        """Send finished runs on their way into the store, in place of any older ones with their
        keys.

        A call is one batch: one transaction in MLflow's tables. It waits only where too much is on
        its way already.

        Args:
            records: the runs of one cohort; at least one, of arms that :meth:`open` was given.

        Returns:
            Their ids; those of runs on their way are their own until :meth:`settle`.

        Raises:
            StoreError: the store has refused runs, these or earlier ones, or has been away for too
                long.
        """
        runs = [new_run(record, self._parents.arms[record.arm].run_id) for record in records]
        if self.sharing is not None:
            own = {Tag.SHARING: self.sharing.run_id, Tag.SENDER: self.sharing.me}
            runs = [run._replace(tags=run.tags | own) for run in runs]
        self._send(
            {
                "rows": [run._asdict() for run in runs],
                "superseded": self._runs.supersede(runs),
                "parent": self._parents.study,
            }
        )
        for record, run in zip(records, runs, strict=True):
            self._parents.recorded(record.arm, run.end)
        return [run.run_id for run in runs]

    def set_clock(self, arm: str, readings: Mapping[int, ClockReading]) -> None:
        """Record what an arm's clocks were read as; nothing where they were read as this before.

        Args:
            arm: name of the arm.
            readings: seconds of one update of its frozen recipes, by search; one at least.

        Raises:
            StoreError: the store has refused something, or has been away for too long.
        """
        if self.clocks.get(arm) == readings:
            return
        plain = {str(search): reading.to_plain() for search, reading in readings.items()}
        # the tag holds the readings to be read back; as metrics their means are seen in MLflow's UI
        numbers = {
            f"{CLOCKS}{name}": statistics.fmean(float(own[name]) for own in plain.values())
            for name in ("seconds", "spread", "load")
        }
        self._send(
            {
                "run_id": self._parents.arms[arm].run_id,
                "metrics": numbers,
                "tags": {Tag.CLOCK: json.dumps(plain)},
            }
        )

    def _send(self, batch: SpoolBatch) -> None:
        """Send a batch on its way.

        Raises:
            StoreError: the study has been taken over, or the store refuses.
        """
        if self._lease is not None:
            self._lease.check()
        self._outbox.send(batch)

    def retry_read(self, read: Callable[[], _T]) -> _T:
        """Return what ``read`` returns, trying it again while a server is away.

        Args:
            read: any use of the store that may be made twice.

        Raises:
            StoreError: the server is away for too long, or refuses.
        """
        return self._retry(read, "to be read")

    def _retry(self, action: Callable[[], _T], refused: str) -> _T:
        """Return what an action that may be done twice returns; ``refused`` says what was asked."""

        return self._experiment.patiently(action, refused, self._patience)

    def settle(self, runs: Iterable[RunEntry]) -> list[RunEntry]:
        """Wait until every run has arrived.

        Args:
            runs: runs by the ids that :meth:`record` returned.

        Returns:
            The same by the ids that the store gave them.

        Raises:
            StoreError: the store has refused runs, or has been away for too long.
        """
        self._outbox.settle()
        return [run._replace(run_id=self._outbox.stored_id(run.run_id)) for run in runs]

    def check(self) -> None:
        """Tell of runs that the store has refused meanwhile; to be asked while others are trained.

        Raises:
            StoreError: the store has refused runs, or has been away for too long.
        """
        self._outbox.check()

    def persist(self) -> None:
        """Wait until what was recorded would not be lost with this process.

        Raises:
            StoreError: the store has refused runs, or has been away for too long.
        """
        self._outbox.persist()

    def earlier_record(self) -> StudyRecord | None:
        """Return the record of the study's last answer; None where it never had one.

        Raises:
            StoreError: the store is away for too long: looks that it knows of must be paid for.
        """

        def read() -> StudyRecord | None:
            if not self._experiment.has_artifact(self._parents.study, StudyFile.INDEX):
                return None
            plain = self._experiment.read_json(self._parents.study, StudyFile.INDEX)
            return StudyRecord.from_plain(plain)

        return self.retry_read(read)

    def write_answer(
        self,
        record: StudyRecord,
        metrics: Mapping[str, float],
        identity: str,
        show: Callable[[StudyRecord], ShownAnswer] | None = None,
    ) -> None:
        """Write which runs answer the study, and what MLflow's UI shows of the answer.

        Args:
            record: the runs that answer it, its trials and winners.
            metrics: the study's totals.
            identity: the hash of all that the answer follows from; empty if runs failed, so that
                they are tried again.
            show: makes what is shown of a record whose runs have arrived; nothing by default.

        Raises:
            StoreError: the store refuses, or is away for too long.
        """
        if self._lease is not None:
            self._lease.check()
        settled = record._replace(runs=self.settle(record.runs))
        me = self.sharing.me if self.sharing is not None else ""

        def write() -> None:
            # what attempts that failed half way have left
            kept = [*self._parents.ids, *self._sent_by_others]
            discard_unfinished(self._experiment, kept, me)
            # The tag goes last: it says that the rest is there.
            self._experiment.write_json(self._parents.study, StudyFile.INDEX, settled.to_plain())
            if wrong := self._runs.wrong_marks(settled):
                self._experiment.bulk.set_tags(Tag.ANSWERS, wrong)
            self._parents.end()
            if show is not None:
                parents = self._parents
                show_answer(self._experiment, parents.study, parents.arms, show(settled))
            self._experiment.set_values(self._parents.study, {Tag.ANSWER: identity}, metrics)

        self.retry_read(write)
        if self.sharing is not None:
            self.sharing.end()

    def close(self) -> None:
        """Let another process record the study.

        What still waits for a server stays in its files and is sent by the next one: it is called
        after an error too, and must not wait for a server that is away. A second call does nothing.
        """
        lease, sharing = self._lease, self.sharing
        self._lease = self.sharing = None
        # last first, and each whatever happens in those before: Ctrl-C while one waits, say
        with ExitStack() as ends:
            if lease is not None:
                ends.callback(lease.release)
            ends.callback(self._outbox.close)
            if sharing is not None:
                ends.callback(sharing.close)
