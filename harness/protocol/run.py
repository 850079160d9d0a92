"""How a study is run: what is known already → check → search → freeze → clocks → confirm → close.

The stages themselves are in :mod:`harness.protocol.conduct`. A study that was killed is run by the
same call: what is recorded is not trained again, and the numbers are those of a run in one go.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from harness.core.errors import NoStudyError, StoreError
from harness.core.importing import importing
from harness.data.base import fingerprint
from harness.protocol.options import Options, check_options
from harness.protocol.progress import Progress
from harness.spec.arms import build_arms, targets_of
from harness.spec.keys import ENGINE, digest
from harness.spec.source_code import code_of
from harness.spec.study import Study
from harness.tracking import Reader, Session
from harness.tracking.sharing import GONE

if TYPE_CHECKING:  # imports torch
    from harness.protocol.conduct import Conducted


class Summary(NamedTuple):
    """What became of a study."""

    study: str
    """Its name."""
    trained: int
    """Runs trained by this start."""
    known: int
    """Runs that the store had already."""
    failed: int
    """Runs that failed; they are tried again by the next start."""
    seconds: float
    """Seconds that this start took, by the clock on the wall."""
    answered: bool = False
    """Whether the store had the whole answer."""
    identity: str = ""
    """Hash of all that the answer follows from; empty if runs failed, so that it is not whole."""
    joined: bool = False
    """Whether it took part in a study that another driver has, which writes the answer."""


def run_study(
    study: Study, options: Options | None = None, progress: Progress | None = None
) -> Summary:
    """Run a study, or the rest of it, and record it in MLflow.

    Args:
        study: what is asked.
        options: how it is executed.
        progress: is told how the study goes; nothing is shown by default.

    Returns:
        What this start did. A study whose answer the store has trains nothing, and takes the time
        of one look into the store.

    Raises:
        ProtocolError: a confirm seed has been used in the search.
        SpecError: the study can't be run as written; nothing has been trained.
        StoreError: a store can't be reached or written; what is finished is kept.
    """
    began, options = time.perf_counter(), options or Options()
    check_options(options)
    identity = answer_identity(study)
    if not options.fresh:
        known = _answered_with(study, identity, options.uri)
        if known is not None:
            seconds = time.perf_counter() - began
            return Summary(study.name, 0, known, 0, seconds, True, identity)

    # Imported only now: a known answer does without. The workers come first, since they import
    # torch, which takes seconds.
    with importing():
        from harness.protocol.workers import start_workers

    told = progress or Progress()
    with ExitStack() as ends:
        pool = ends.enter_context(start_workers(study, options, told))
        with importing():
            from harness.protocol.examine import begin_to_examine

            examination = begin_to_examine(study, pool)
            # while a worker looks
            from harness.protocol.conduct import conduct_study

            if study.tuned:
                import harness.protocol.trial_storage  # noqa: F401

        examined = examination()
        for note in examined.notes:
            told.say(note)
        trained, gone = 0, ""
        while True:
            with closing(_session(study, options)) as session:
                done = conduct_study(study, options, session, told, pool, examined)
                trained += done.trained
                if not done.deserted:
                    return _ended(study, session, done, trained, began, identity)
                if session.joined == gone:
                    raise StoreError(GONE)
                gone = session.joined
            told.say("the driver that this one joined is gone; the study goes on without it")
            pool = ends.enter_context(start_workers(study, options, told))


def _session(study: Study, options: Options) -> Session:
    """Return what the study is recorded by."""
    from harness.execution.jobs import how_cut

    return Session(
        study.name,
        options.uri,
        take_over=options.take_over,
        join=how_cut(options.cohort) if options.join else None,
    )


def _ended(
    study: Study, session: Session, done: Conducted, trained: int, began: float, identity: str
) -> Summary:
    """Write a study's answer, unless another driver has it; return what became of the study."""
    seconds, runs = time.perf_counter() - began, len(done.record.runs)
    if session.joined:
        return Summary(study.name, trained, 0, done.failed, seconds, joined=True)
    from harness.protocol.shown_answer import shown_answer

    totals = {"cost/seconds": seconds, "runs": float(runs)}
    # without the identity the next start does not know the answer, and adds what is lacking
    session.write_answer(
        done.record,
        totals,
        identity if done.whole else "",
        partial(shown_answer, session.reader, study),
    )
    return Summary(study.name, trained, runs - trained, done.failed, seconds)


def _answered_with(study: Study, identity: str, uri: str | None) -> int | None:
    """Return how many runs answer the study, or None where the store lacks the whole answer.

    Raises:
        StoreError: the store can't be reached.
    """
    try:
        return Reader.of(study.name, uri).runs_of_answer(identity)
    except NoStudyError:
        return None


def answer_identity(study: Study) -> str:
    """Return the hash of all that a study's answer follows from: spec, data, own code, engine.

    Args:
        study: its data are loaded, which takes no torch; a level that changes the data counts.

    Returns:
        64 hex digits. Options of execution are no part of it, and the machine and the versions of
        packages neither: ``reproduce`` tells what those change.
    """
    recipes = [arm.recipe for arm in build_arms(study)]
    data = sorted({fingerprint(recipe.data) for recipe in recipes})
    code = sorted({code_of(targets_of(recipe, study.probes)) for recipe in recipes})
    return digest([study.dump(), data, code, ENGINE])
