"""The stages of a study in their order, and what goes from one to the next.

Imported by `run` only when there is something to do. What a study decides is in the stages; this
module opens and closes what they share: workers, stores, and the list of known runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from harness.analysis.claims import judge_claims
from harness.analysis.results import Results
from harness.core.study_record import (
    ClockReading,
    FrozenEntry,
    Length,
    RunEntry,
    StudyRecord,
)
from harness.data.base import load_data
from harness.engine.timetable import make_timetable, samples_seen
from harness.execution.checkpoints import Saving
from harness.execution.pool import Pool
from harness.protocol.about import about_study
from harness.protocol.clocks import lacking_clocks, read_clocks
from harness.protocol.confirm import confirm_look
from harness.protocol.dispatch import Dispatcher
from harness.protocol.examine import Examined
from harness.protocol.looks_shown import looks_shown
from harness.protocol.options import Options
from harness.protocol.progress import Progress
from harness.protocol.recorded_runs import RecordedRuns
from harness.protocol.search import SearchResult, Winner, freeze_as_given, tune_arms
from harness.protocol.workload import announce_plan
from harness.spec.arms import build_arms
from harness.spec.looks import Look
from harness.spec.resolved import ResolvedRecipe
from harness.spec.study import Study
from harness.tracking import Session
from harness.tracking.sharing import ANSWER, EndedError, GoneError
from harness.tracking.uris import sqlite_path

if TYPE_CHECKING:  # imports Optuna
    from harness.protocol.trial_storage import TrialStorage

Clock = dict[str, dict[int, ClockReading]]
"""Readings by arm and search."""


class Conducted(NamedTuple):
    """What a start of a study came to."""

    record: StudyRecord
    """The whole answer: runs of both stages, trials, winners, importances and clocks."""
    trained: int
    """Runs trained by this start; the rest of the record's were known."""
    failed: int
    """Those of them that failed."""
    whole: bool
    """Whether nothing is lacking, runs or clocks, that another start may still add."""
    deserted: bool = False
    """Whether the driver that this one had joined is gone, and the study without its answer."""


def conduct_study(
    study: Study,
    options: Options,
    session: Session,
    progress: Progress,
    pool: Pool,
    examined: Examined,
) -> Conducted:
    """Search, freeze, read the clocks, and confirm.

    Args:
        study: a study that has been checked.
        options: how it is executed.
        session: what is known, and where new runs are recorded.
        progress: is told how the study goes.
        pool: its workers; they end with the training.
        examined: what was found in the check.

    Raises:
        ProtocolError: a confirm seed has been used in the search.
        StoreError: a store can't be reached or written; what is finished is kept.
    """
    with pool:
        storage = _trial_storage(options, study)
        known = session.open(about_study(study, examined.notes), build_arms(study))
        announce_plan(study, progress)
        session.tell(progress.countdown.to_plain)
        pool.tick = _and_check(pool.tick, session)
        storage = _shared(session, pool, storage)
        earlier = session.earlier_record()
        # the search needs the curve of its objective alone; others are read when a report asks
        watched = study.search.objective if study.search else None
        searches = len(study.looks[-1].searches)
        recorded = RecordedRuns(session, {} if options.fresh else known, watched, searches)
        saving = _begin_saving(study, options, session, pool)
        limit = examined.limits(options.cohort)
        dispatcher = Dispatcher(recorded, pool, limit, progress, saving, study.keep, study.limit)
        stages = _Stages(
            study, options, session, progress, pool, examined, dispatcher, storage, earlier
        )
        if session.joined:
            return _take_part(stages, recorded)
        searched, clock, confirmed = stages.run()
    if saving:
        session.persist()
        _clear(saving)
    # Waits for trials on their way to Optuna's storage. Not in a finally: after an error the wait
    # could be long, and the next start writes what is missing.
    if storage is not None:
        storage.close()
    record = StudyRecord(
        runs=[*searched.runs, *confirmed],
        trials=searched.trials,
        winners=_frozen(searched.winners, examined),
        importances=searched.mean_importances(),
        clock=clock,
        looks=looks_shown(study, earlier, confirmed),
        notes=examined.notes,
    )
    whole = not recorded.failed and not lacking_clocks(searched.winners, clock)
    return Conducted(record, trained=recorded.trained, failed=recorded.failed, whole=whole)


def _and_check(tick: Callable[[int], None], session: Session) -> Callable[[int], None]:
    """Return a tick that ends the study when the store has refused runs: it would be told when the
    next cohort ends, which may take hours."""

    def both(updates: int) -> None:
        tick(updates)
        session.check()

    return both


def _begin_saving(study: Study, options: Options, session: Session, pool: Pool) -> Saving | None:
    """Return where runs are saved while they train, None for nowhere; make ready what is there."""
    saving = checkpoints_of(study, session.uri)
    if saving and options.fresh and not session.joined:
        saving.forget()
    if saving and pool.elsewhere:
        # workers that see it share a disk with this machine, and write their checkpoints there
        saving.folder.mkdir(parents=True, exist_ok=True)
    return saving


def _clear(saving: Saving) -> None:
    """Remove what runs of another engine or of an earlier form of the study have left."""
    saving.forget()
    # the folder of all studies, if no other has any
    with suppress(OSError):
        saving.folder.parent.rmdir()


def _trial_storage(options: Options, study: Study) -> TrialStorage | None:
    """Return where trials are written; None of a study that has none, and needs no Optuna."""
    if not study.tuned:
        return None
    from harness.protocol.trial_storage import TrialStorage

    return TrialStorage(options.storage, study.name)


def _shared(session: Session, pool: Pool, storage: TrialStorage | None) -> TrialStorage | None:
    """Prepare a driver that may share its study; return where it writes trials, if it does."""
    if session.sharing is not None:
        pool.ahead = pool.own  # no more than it trains: others may have room
    if session.joined and storage is not None:  # the driver that has the study writes trials
        storage.close()
        return None
    return storage


def _take_part(stages: _Stages, recorded: RecordedRuns) -> Conducted:
    """Go through the stages of a study that another driver has, until that one has answered it."""
    sharing, deserted = stages.session.sharing, False
    assert sharing is not None
    try:
        stages.run()
        sharing.wait_for(ANSWER, stages.session.joined)
    except EndedError:
        pass
    except GoneError:
        deserted = True
    nothing = StudyRecord([], [], {}, {}, {})
    return Conducted(nothing, recorded.trained, recorded.failed, whole=False, deserted=deserted)


class _Stages(NamedTuple):
    """The stages of one study, look by look, and what they share."""

    study: Study
    options: Options
    session: Session
    progress: Progress
    pool: Pool
    examined: Examined
    dispatcher: Dispatcher
    storage: TrialStorage | None
    earlier: StudyRecord | None
    """The record of the study's last answer."""

    def run(self) -> tuple[SearchResult, Clock, Sequence[RunEntry]]:
        """Go through the looks until every claim is decided, or all are taken.

        A look adds searches, each of which is tuned and frozen before it is confirmed, or seeds.

        Returns:
            What the searches gave, their clocks, and the confirm runs of the last look taken.
        """
        searched = SearchResult([])
        clock: Clock = {}
        runs: Sequence[RunEntry] = []
        for look in self.study.looks:
            searched = self._search(searched, look)
            clock = self._clocks(searched, look)
            runs = confirm_look(
                self.study, look, searched.winners, self.dispatcher, self.progress, len(runs)
            )
            if look != self.study.looks[-1] and self._all_decided(searched, clock, runs):
                break
        return searched, clock, runs

    def _clocks(self, searched: SearchResult, look: Look) -> Clock:
        """Return the clocks of the frozen recipes; where drivers share the study, one reads them
        while the others wait, and train nothing that would disturb it."""
        sharing, name = self.session.sharing, f"clocks.{self.study.looks.index(look)}"
        if sharing is not None and self.session.joined:
            sharing.wait_for(name, self.session.joined)
            self.session.known_now()
            return self.session.clocks
        self.session.persist()  # nothing else is at work while they are read
        clock = read_clocks(
            searched.winners, self.pool, self.session, self.options.fresh, self.progress.say
        )
        if sharing is not None:
            self.session.settle(())
            sharing.tell_done(name)
        return clock

    def _search(self, before: SearchResult, look: Look) -> SearchResult:
        """Tune the arms in the searches that a look adds; else take their recipes as they are."""
        if self.study.search is None or not self.study.tuned:
            return freeze_as_given(self.study)
        done = {winner.search for winner in before.winners}
        numbers = [k for k in look.searches if k not in done]
        if not numbers:
            return before
        added = tune_arms(
            self.study, self.study.search, numbers, self.dispatcher, self.storage, self.progress
        )
        return before.joined_with(added)

    def _all_decided(self, searched: SearchResult, clock: Clock, runs: Sequence[RunEntry]) -> bool:
        """Return whether the report would call every claim decided by the confirm runs so far.

        Args:
            searched: has the frozen recipes, whose planned lengths censor times.
            clock: for claims about seconds.
            runs: the confirm runs of this look and those before.
        """
        session = self.session
        winners = _frozen(searched.winners, self.examined)
        looks = self.earlier.looks if self.earlier else ()
        record = StudyRecord(session.settle(runs), [], winners, {}, clock, looks)
        verdicts = session.retry_read(
            lambda: judge_claims(Results(session.reader, self.study.dump(), record, {}))
        )
        return all(claim.verdict.verdict != "undecided" for claim in verdicts)


def checkpoints_of(study: Study, uri: str) -> Saving | None:
    """Return where a study's runs are saved while they train, beside the store.

    Args:
        study: says how often.
        uri: of the store; of one that is no file here, the working folder stands for it.
    """
    if not study.checkpoint:
        return None
    store = sqlite_path(uri)
    beside = store.absolute().parent if store else Path.cwd()
    return Saving(beside / "checkpoints" / study.name, 60 * study.checkpoint)


def _frozen(winners: Sequence[Winner], examined: Examined) -> dict[str, list[FrozenEntry]]:
    """Return the winners as the record has them, with the path and length of their runs."""
    entries: dict[str, list[FrozenEntry]] = {}
    for winner in winners:
        together, why = examined.batching(winner.recipe)
        entries.setdefault(winner.arm.name, []).append(
            FrozenEntry(
                winner.trial,
                winner.arm.levels,
                winner.recipe.dump(),
                together,
                why,
                winner.search,
                _planned_length(winner.recipe),
            )
        )
    return entries


def _own_length(recipe: ResolvedRecipe) -> Length | None:
    """Return the length of a recipe with a trainer of a user's own, in the unit that it is given
    in: of the others nothing is known."""
    unit, length = recipe.length
    if unit == "seconds":
        return None
    return Length(
        length, float(length if unit == "epochs" else 0), length if unit == "samples" else 0
    )


def _planned_length(recipe: ResolvedRecipe) -> Length | None:
    """Return how long a recipe trains if nothing ends it early."""
    if recipe.trainer is not None:
        return _own_length(recipe)
    samples = load_data(recipe.data).count("train")
    times = make_timetable(recipe, samples)
    seen = samples_seen(recipe, times, samples, times.steps)
    return Length(times.steps, times.steps / times.per_epoch, seen)
