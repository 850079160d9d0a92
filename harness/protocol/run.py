"""How a study is run: plan, search with equal budgets, freeze the winners, confirm them on fresh seeds."""

from __future__ import annotations

import time
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.core.errors import NoStudyError
from harness.data.base import fingerprint
from harness.protocol.progress import Progress
from harness.spec.arms import arms, targets_of
from harness.spec.keys import ENGINE, digest, spec_hash
from harness.spec.source_code import code_of, sources_of
from harness.spec.study import Study
from harness.tracking import About, Store

if TYPE_CHECKING:
    from harness.protocol.stages import Outcomes


class Options(NamedTuple):
    """How a study is executed; nothing here changes its results."""

    workers: int | None = None
    """Worker processes; by default one a core or GPU, 0 trains in this process."""
    cohort: int | None = None
    """Members of a cohort at most; by default as the model's size and the machine allow."""
    fresh: bool = False
    """Train everything anew, whatever the store has."""
    storage: str | None = None
    """Optuna's storage: a journal file or a database URL; by default ``HARNESS_STORAGE`` or ``optuna.journal``."""
    uri: str | None = None
    """MLflow's tracking URI; by default ``MLFLOW_TRACKING_URI`` or ``mlflow.db``."""


class Summary(NamedTuple):
    """What became of a study."""

    study: str
    trained: int
    known: int
    failed: int
    seconds: float


def run_study(
    study: Study, options: Options | None = None, screen: Progress | None = None
) -> Summary:
    """Run a study, or the rest of it, and record it in MLflow.

    Raises:
        SpecError: the study can't be run as written; nothing has been trained.
        StoreError: a store can't be reached or written; what is finished is kept.
    """
    began, options = time.perf_counter(), options or Options()
    answer = identity(study)
    if not options.fresh and (runs := _known(study, answer, options.uri)) is not None:
        return Summary(study.name, 0, runs, 0, time.perf_counter() - began)
    from harness.protocol.plan import check

    check(study)
    with closing(Store(study.name, options.uri)) as store:
        outcomes = _train(study, options, store, screen or Progress())
        seconds = time.perf_counter() - began
        totals = {"cost/seconds": seconds, "runs": float(outcomes.runs)}
        store.close_study(outcomes.answer, totals, "" if outcomes.failed else answer)
    return Summary(
        study.name, outcomes.trained, outcomes.runs - outcomes.trained, outcomes.failed, seconds
    )


def _known(study: Study, answer: str, uri: str | None) -> int | None:
    """Return the number of runs, if the store has the whole answer."""
    try:
        return Store(study.name, uri, create=False).answered(answer)
    except NoStudyError:
        return None


def _train(study: Study, options: Options, store: Store, screen: Progress) -> Outcomes:
    """Search, freeze and confirm; torch and Optuna are imported only where there is something to train."""
    from harness.execution.local import default_workers, local_executor
    from harness.execution.pool import Pool

    workers = default_workers() if options.workers is None else options.workers
    with Pool(partial(local_executor, workers), screen.made) as pool:
        from harness.protocol.dispatch import Dispatcher
        from harness.protocol.stages import Outcomes, confirm, read_clocks, search, tunes
        from harness.protocol.tuner import Mirror

        mirror = Mirror(options.storage, study.name) if tunes(study) else None
        known = store.open_study(about(study), arms(study))
        watched = study.search.objective if study.search else None
        dispatcher = Dispatcher(
            store, {} if options.fresh else known, pool, options.cohort, watched, screen.added
        )
        winners, tried = search(study, dispatcher, screen, mirror)
        clock = read_clocks(winners, pool, store, options.fresh)
        confirmed = confirm(
            study, winners, dispatcher, screen, partial(_decided, study, store, clock)
        )
    if mirror is not None:
        mirror.finish()
    return Outcomes.of(winners, tried, confirmed, clock, dispatcher)


def _decided(
    study: Study, store: Store, clock: dict[str, Any], confirmed: list[dict[str, Any]]
) -> bool:
    """Return whether every claim is decided by the confirm runs so far."""
    from harness.analysis.claims import tested
    from harness.analysis.results import Results

    index = {
        "runs": store.settled(confirmed),
        "trials": [],
        "winners": {},
        "importances": {},
        "clock": clock,
    }
    found = store.patiently(lambda: tested(Results(store, study.dump(), index, {})))
    return all(t.verdict.verdict != "undecided" for t in found)


def about(study: Study) -> About:
    """Return what MLflow shows of the study as a whole."""
    data, targets = (
        study.recipe.data,
        [t for arm in arms(study) for t in targets_of(arm.recipe, study.probes)],
    )
    code = sources_of(tuple(targets))
    return About(
        study.question or study.name,
        study.dump(),
        spec_hash(study),
        data.name,
        fingerprint(data),
        code,
    )


def identity(study: Study) -> str:
    """Return the hash of all that a study's answer follows from: its spec, data, outside code and the engine."""
    recipes = [arm.recipe for arm in arms(study)]
    data = sorted({fingerprint(recipe.data) for recipe in recipes})
    code = sorted({code_of(targets_of(recipe, study.probes)) for recipe in recipes})
    return digest([study.dump(), data, code, ENGINE])
