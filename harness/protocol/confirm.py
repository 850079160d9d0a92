"""The confirm stage: frozen recipes, trained with fresh seeds and evaluated on test data once.

Nothing is chosen here but when to stop, and that by looks declared beforehand. Winners stay frozen,
whatever the test data say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.core.errors import ProtocolError
from harness.core.study_record import RunEntry
from harness.protocol.dispatch import Dispatcher
from harness.protocol.progress import Progress
from harness.protocol.runs import RunRequest, run_entry
from harness.protocol.search import Winner
from harness.spec.arms import Run
from harness.spec.study import Study


def confirm_winners(
    study: Study,
    winners: Sequence[Winner],
    dispatcher: Dispatcher,
    progress: Progress,
    all_decided: Callable[[Sequence[RunEntry]], bool],
) -> Sequence[RunEntry]:
    """Train every frozen recipe with fresh seeds, in as many looks as the claims need.

    A study with a fixed number of seeds has one look. One with ``Seeds(min, max)`` adds seeds look
    by look, at numbers declared beforehand, until every claim is decided.

    Args:
        study: the study.
        winners: the frozen recipes.
        dispatcher: trains what is not known; the runs of earlier looks are.
        progress: is told how the stage goes.
        all_decided: told the runs so far, returns whether every claim is decided; not asked after
            the last look.

    Returns:
        The runs of all seeds that were looked at, arm by arm, failed ones too.

    Raises:
        ProtocolError: a confirm seed has been used in the search.
    """
    runs: list[RunEntry] = []
    last = len(study.looks) - 1
    for look, seeds in enumerate(study.looks):
        _refuse_search_seeds(study, seeds)
        requests = [
            RunRequest(winner.arm, "confirm", winner.trial, Run(winner.recipe, seed, study.probes))
            for winner in winners
            for seed in seeds
        ]
        name = "confirm" if last == 0 else f"confirm, look {look + 1}"
        # each look asks for all of its seeds: those of earlier looks are known by now
        progress.stage(name, len(requests) - len(runs))
        results = dispatcher.train(requests)
        runs = [run_entry(*pair) for pair in zip(requests, results, strict=True)]
        if look < last and all_decided(runs):
            break
    return runs


def _refuse_search_seeds(study: Study, seeds: Sequence[int]) -> None:
    """Refuse seeds that winners were chosen by: they would look better than they are.

    Specs keep the two apart already (``SEARCH_SEED``); this holds whatever specs come to allow.
    """
    shared = set(study.search.seeds) & set(seeds) if study.search else set()
    if shared:
        raise ProtocolError(f"seeds {sorted(shared)} were used to tune; confirm with others")
