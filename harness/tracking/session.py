"""A study being recorded: opened, given its runs as they end, and closed with its answer.

The protocol (:mod:`harness.protocol.run`) makes one :class:`Session` a study and calls, in this
order, ``open``, then ``record`` and ``set_clock`` as things are finished, ``write_answer`` and
``close``. A session is used from one thread.
"""

from __future__ import annotations

import hashlib
import json
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from harness.core.errors import StoreError
from harness.core.paths import cache_folder
from harness.core.study_record import ClockReading, RunEntry, StudyRecord, clock_readings
from harness.spec.arms import Arm
from harness.tracking.about import About, Known, ShownAnswer
from harness.tracking.changes import own_folder, recorded_changes
from harness.tracking.connect import open_experiment
from harness.tracking.lease import HeldError, Holder, Lease
from harness.tracking.parents import Parents, parents_of
from harness.tracking.provenance import read_environment
from harness.tracking.reader import Reader, training_runs
from harness.tracking.retry import PATIENCE, StoreUnavailable, retry
from harness.tracking.rows import (
    NewRun,
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
from harness.tracking.spool import Spool, SpoolBatch
from harness.tracking.unfinished import discard_unfinished
from harness.tracking.uris import hide_password, is_remote

_T = TypeVar("_T")


class Session:
    """One study, while this process runs it.

    Runs go straight into a store on this machine. On their way to a server they wait in a spool, so
    that training goes on while the server is slow or away.

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
        self.study, self.uri, self.patience = study, self._experiment.uri, patience
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
        self._answering: dict[str, bool] = {}
        """Whether the training runs that were there at :meth:`open` say that they are the
        answer's."""
        self._ids_by_key: dict[str, list[str]] = {}
        """Runs that a new one with the same key takes the place of: failed ones, and with
        ``--fresh`` all."""
        self._superseded: set[str] = set()
        """Runs that others have taken the place of."""
        self._spool: Spool | None = None
        """What runs wait in on their way to a server; None for a store on this machine."""
        self._given_ids: dict[str, str] = {}
        """The ids that the store gave to runs, by those that they had before. Where there is a
        spool, its thread writes them; they are all there once it is flushed."""

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
        if is_remote(self.uri):
            self._spool = Spool(self._spool_folder(), self._deliver, patience=self.patience)
            self._spool.flush()
        # what the last process was sending has arrived; nobody will finish what is half written now
        known = self._retry(lambda: self._reopen(about, arms), "a study")
        if self._join is not None:
            common, owner = what_is_common(about, self._join), self._lease.me.owner
            self.sharing = self._retry(
                lambda: begin_sharing(self._experiment, about, common, owner, self.retry_read),
                "a study that is shared",
            )
        return known

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
        self.clocks = _clocks(rows)
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
        self.clocks = _clocks(rows)
        self._ids_by_key = {}
        return self._known(rows)

    def _spool_folder(self) -> Path:
        # The same for the study's next process, also after the store's password has changed; a
        # hash, since names and URIs may hold what file names may not.
        name = hashlib.sha256(f"{hide_password(self.uri)} {self.study}".encode()).hexdigest()[:16]
        return cache_folder() / "spool" / name

    def _describe(self, about: About) -> None:
        """Write the spec, the environment and the user's code among the artifacts of the study's
        run, over those of earlier starts."""
        self._experiment.set_title("\n\n".join([about.title, *about.notes]))
        self._experiment.set_views(about.views, about.metric)
        self._experiment.write_json(self._parents.study, StudyFile.SPEC, about.spec)
        self._experiment.write_json(
            self._parents.study, StudyFile.ENVIRONMENT, {**read_environment()}
        )
        for path, text in about.code.items():
            self._experiment.write_text(self._parents.study, f"{StudyFile.CODE}/{path}", text)
        if changes := recorded_changes(own_folder()):
            self._experiment.write_text(self._parents.study, StudyFile.DIFF, changes)

    def _known(self, rows: Sequence[StoredRun]) -> dict[str, Known]:
        """Return the whole runs by key; of several with one key the one that started last.

        Those that another driver is sending are nobody's else: they count when they have arrived.
        """
        known: dict[str, Known] = {}
        rows = [row for row in rows if row.status != "RUNNING"]
        self._answering = {
            row.run_id: row.tags.get(Tag.ANSWERS) == "yes" for row in rows if Tag.KEY in row.tags
        }
        shared = self.sharing.run_id if self.sharing else "none"
        # a run that failed before this start is tried again; by whichever driver it failed in this
        # one, it is not
        tried = {
            row.run_id
            for row in rows
            if row.status == "FAILED" and row.tags.get(Tag.SHARING) == shared
        }
        for run in training_runs(rows):
            self._ids_by_key.setdefault(run.key, []).append(run.run_id)
            if run.whole or run.run_id in tried:
                known[run.key] = Known(run.run_id, run.status, run.closing, run.kept)
        return known

    def record(self, records: Sequence[Record]) -> list[str]:
        """Write finished runs, in place of any older ones with their keys, or send them on their
        way to a server.

        A call is one batch: one transaction in MLflow's tables. On the way to a server it waits
        only where too much is queued already.

        Args:
            records: the runs of one cohort; at least one, of arms that :meth:`open` was given.

        Returns:
            Their ids; those of runs on their way are their own until :meth:`settle`.

        Raises:
            StoreError: the store refused them, or has been away for too long.
        """
        runs = [new_run(record, self._parents.arms[record.arm].run_id) for record in records]
        if self.sharing is not None:
            own = {Tag.SHARING: self.sharing.run_id, Tag.SENDER: self.sharing.me}
            runs = [run._replace(tags=run.tags | own) for run in runs]
        superseded = [run_id for run in runs for run_id in self._ids_by_key.get(run.key, ())]
        self._superseded.update(superseded)
        self._send(
            {
                "rows": [run._asdict() for run in runs],
                "superseded": superseded,
                "parent": self._parents.study,
            }
        )
        self._ids_by_key |= {run.key: [run.run_id] for run in runs}
        for record, run in zip(records, runs, strict=True):
            self._parents.recorded(record.arm, run.end)
        return [run.run_id for run in runs]

    def set_clock(self, arm: str, readings: Mapping[int, ClockReading]) -> None:
        """Record what an arm's clocks were read as; nothing where they were read as this before.

        Args:
            arm: name of the arm.
            readings: seconds of one update of its frozen recipes, by search; one at least.

        Raises:
            StoreError: the store refused it, or has been away for too long.
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
        """Put a batch into the spool where there is one, else write it now.

        Raises:
            StoreError: the study has been taken over, or the store refuses.
        """
        if self._lease is not None:
            self._lease.check()
        if self._spool is not None:
            return self._spool.put(batch)
        try:
            retry(partial(self._deliver, batch), self.patience)
        except StoreUnavailable as error:
            raise StoreError(
                f"{error}; start the same command again, finished runs are kept"
            ) from error

    def _deliver(self, batch: SpoolBatch, again: bool) -> None:
        """Write what a batch holds: runs, or numbers and tags of a run that is there already.

        The spool calls it in a thread of its own.

        Args:
            batch: as :meth:`record` or :meth:`set_clock` made it, perhaps in a process before this.
            again: an earlier attempt may have written a part of it.

        Raises:
            StoreUnavailable: the store is away.
            StoreError: the store refuses.
        """
        if "rows" not in batch:
            with self._experiment.telling_failures("a clock"):
                self._experiment.set_values(batch["run_id"], batch["tags"], batch["metrics"])
            return
        runs = [NewRun(**run) for run in batch["rows"]]
        # batches arrive in order, so runs of an earlier one have been given their ids by now
        superseded = [self._given_ids.get(run_id, run_id) for run_id in batch["superseded"]]
        with self._experiment.telling_failures(f"{len(runs)} runs"):
            given = self._experiment.bulk.write(runs, superseded, batch["parent"], again)
        self._given_ids |= {run.run_id: i for run, i in zip(runs, given, strict=True)}

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

        return self._experiment.patiently(action, refused, self.patience)

    def settle(self, runs: Iterable[RunEntry]) -> list[RunEntry]:
        """Wait until every run has arrived.

        Args:
            runs: runs by the ids that :meth:`record` returned.

        Returns:
            The same by the ids that the store gave them.

        Raises:
            StoreError: the store has refused runs, or has been away for too long.
        """
        if self._spool is not None:
            self._spool.flush()
        return [run._replace(run_id=self._stored_id(run.run_id)) for run in runs]

    def _stored_id(self, run_id: str) -> str:
        return self._given_ids.get(run_id, run_id)

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
            self._mark(settled)
            self._parents.end()
            if show is not None:
                parents = self._parents
                show_answer(self._experiment, parents.study, parents.arms, show(settled))
            self._experiment.set_values(self._parents.study, {Tag.ANSWER: identity}, metrics)

        self.retry_read(write)
        if self.sharing is not None:
            self.sharing.end()

    def _mark(self, record: StudyRecord) -> None:
        """Say of each training run whether the answer is of it, where it does not say so yet."""
        of_answer = {run.run_id for run in record.runs}
        wrong = {
            run_id: "yes" if run_id in of_answer else "no"
            for run_id, said in self._answering.items()
            if said != (run_id in of_answer) and run_id not in self._superseded
        }
        if wrong:
            self._experiment.bulk.set_tags(Tag.ANSWERS, wrong)

    def close(self) -> None:
        """Let another process record the study.

        What still waits for a server stays in its files and is sent by the next one: it is called
        after an error too, and must not wait for a server that is away. A second call does nothing.
        """
        spool, lease, sharing = self._spool, self._lease, self.sharing
        self._spool = self._lease = self.sharing = None
        if sharing is not None:
            sharing.close()
        if spool is not None:
            spool.close()
        if lease is not None:
            lease.release()


def _clocks(rows: Sequence[StoredRun]) -> dict[str, dict[int, ClockReading]]:
    """Return what the clocks of each arm were read as, by search."""
    return {
        row.tags[Tag.ARM]: clock_readings(json.loads(row.tags[Tag.CLOCK]))
        for row in rows
        if Tag.CLOCK in row.tags
    }
