"""The stages of a study in their order, and what goes from one to the next.

Imported by `run` only when there is something to do. What a study decides is in the stages; this
module opens and closes what they share: workers, stores, and the list of known runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from harness.analysis.claims import judge_claims
from harness.analysis.results import Results
from harness.core.study_record import ClockReading, FrozenEntry, RunEntry, StudyRecord
from harness.data.base import fingerprint
from harness.engine.batching import check_batching
from harness.execution.local import default_workers, local_executor
from harness.execution.pool import Pool
from harness.protocol.check import notes_of
from harness.protocol.clocks import read_clocks
from harness.protocol.confirm import confirm_winners
from harness.protocol.dispatch import Dispatcher
from harness.protocol.options import Options
from harness.protocol.progress import Progress
from harness.protocol.recorded_runs import RecordedRuns
from harness.protocol.search import SearchResult, Winner, freeze_as_given, has_search, tune_arms
from harness.protocol.trial_storage import TrialStorage
from harness.spec.arms import build_arms, targets_of
from harness.spec.keys import spec_hash
from harness.spec.source_code import sources_of
from harness.spec.study import Study
from harness.tracking import About, Session


class Conducted(NamedTuple):
    """What a start of a study came to."""

    record: StudyRecord
    """The whole answer: runs of both stages, trials, winners, importances and clocks."""
    trained: int
    """Runs trained by this start; the rest of the record's were known."""
    failed: int
    """Those of them that failed."""


def conduct_study(
    study: Study, options: Options, session: Session, progress: Progress
) -> Conducted:
    """Search, freeze, read the clocks, and confirm.

    Args:
        study: a study that has been checked.
        options: how it is executed.
        session: what is known, and where new runs are recorded.
        progress: is told how the study goes.

    Raises:
        ProtocolError: a confirm seed has been used in the search.
        StoreError: a store can't be reached or written; what is finished is kept.
    """
    workers = default_workers() if options.workers is None else options.workers
    # the pool comes first: its workers start while the stores are opened and read
    with Pool(partial(local_executor, workers), progress.made) as pool:
        storage = TrialStorage(options.storage, study.name) if has_search(study) else None
        known = session.open(about_study(study), build_arms(study))
        # the search needs the curve of its objective alone; others are read when a report asks
        watched = study.search.objective if study.search else None
        recorded = RecordedRuns(session, {} if options.fresh else known, watched)
        dispatcher = Dispatcher(recorded, pool, options.cohort, progress)

        search = _search(study, dispatcher, storage, progress)
        clock = read_clocks(search.winners, pool, session, options.fresh)
        all_decided = partial(_all_decided, study, session, clock)
        confirmed = confirm_winners(study, search.winners, dispatcher, progress, all_decided)
    # Waits for trials on their way to Optuna's storage. Not in a finally: after an error the wait
    # could be long, and the next start writes what is missing.
    if storage is not None:
        storage.close()
    return Conducted(
        _record(search, confirmed, clock), trained=recorded.trained, failed=recorded.failed
    )


def _search(
    study: Study, dispatcher: Dispatcher, storage: TrialStorage | None, progress: Progress
) -> SearchResult:
    """Tune the arms where there is something to tune; else take their recipes as they are."""
    if study.search is None or storage is None:
        return freeze_as_given(study)
    return tune_arms(study, study.search, dispatcher, storage, progress)


def _all_decided(
    study: Study, session: Session, clock: dict[str, ClockReading], runs: Sequence[RunEntry]
) -> bool:
    """Return whether the report would call every claim decided by the confirm runs so far.

    Args:
        study: has the claims.
        session: reads the runs back as the report will, once all have arrived at the store.
        clock: for claims about seconds.
        runs: the confirm runs of this look and those before.
    """
    record = StudyRecord(session.settle(runs), [], {}, {}, clock)
    verdicts = session.retry_read(
        lambda: judge_claims(Results(session.reader, study.dump(), record, {}))
    )
    return all(claim.verdict.verdict != "undecided" for claim in verdicts)


def _record(
    search: SearchResult, confirmed: Sequence[RunEntry], clock: dict[str, ClockReading]
) -> StudyRecord:
    """Return what the store keeps of the study beside its runs."""
    return StudyRecord(
        runs=[*search.runs, *confirmed],
        trials=search.trials,
        winners={winner.arm.name: _frozen(winner) for winner in search.winners},
        importances=search.importances,
        clock=clock,
    )


def _frozen(winner: Winner) -> FrozenEntry:
    """Return the winner as the record has it, with the path its runs took."""
    together, why = check_batching(winner.recipe)
    return FrozenEntry(winner.trial, winner.arm.levels, winner.recipe.dump(), together, why)


def about_study(study: Study) -> About:
    """Return what MLflow shows of the study as a whole, with the texts of the user's own code.

    Args:
        study: all of its arms' parts from outside are looked at.

    Returns:
        Title, spec and code. Data are those of the base recipe, also where a factor compares data
        sets.
    """
    targets = [
        target for arm in build_arms(study) for target in targets_of(arm.recipe, study.probes)
    ]
    return About(
        title=study.question or study.name,
        spec=study.dump(),
        spec_hash=spec_hash(study),
        data=study.recipe.data.name,
        fingerprint=fingerprint(study.recipe.data),
        code=sources_of(tuple(targets)),
        notes=notes_of(study),
    )
