"""The confirm stage: frozen recipes, trained with fresh seeds and evaluated on test data once.

Nothing is chosen here. Winners stay frozen, whatever the test data say.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.errors import ProtocolError
from harness.core.study_record import RunEntry
from harness.protocol.dispatch import Dispatcher
from harness.protocol.progress import Progress
from harness.protocol.runs import RunRequest, run_entry
from harness.protocol.search import Winner
from harness.spec.arms import Run
from harness.spec.looks import Look
from harness.spec.study import Study


def confirm_look(
    study: Study,
    look: Look,
    winners: Sequence[Winner],
    dispatcher: Dispatcher,
    progress: Progress,
    known: int,
) -> Sequence[RunEntry]:
    """Train every frozen recipe with the seeds that a look gives to its search.

    Each look asks for all of its runs: those of earlier looks are known by now.

    Args:
        study: the study.
        look: the searches, and their seeds.
        winners: the frozen recipes of all of the look's searches.
        dispatcher: trains what is not known.
        progress: is told how the stage goes.
        known: runs of earlier looks.

    Returns:
        The runs, winner by winner, failed ones too.

    Raises:
        ProtocolError: a confirm seed has been used in the search.
    """
    _refuse_search_seeds(study, look)
    seeds = dict(zip(look.searches, look.seeds, strict=True))
    requests = [
        RunRequest(
            winner.arm,
            "confirm",
            winner.trial,
            Run(winner.recipe, seed, study.probes),
            winner.search,
        )
        for winner in winners
        for seed in seeds[winner.search]
    ]
    number = study.looks.index(look) + 1
    name = "confirm" if len(study.looks) == 1 else f"confirm, look {number}"
    progress.stage(name, len(requests) - known)
    results = dispatcher.train(requests)
    return [run_entry(*pair) for pair in zip(requests, results, strict=True)]


def _refuse_search_seeds(study: Study, look: Look) -> None:
    """Refuse seeds that winners were chosen by: they would look better than they are.

    Specs keep the two apart already (``SEARCH_SEED``); this holds whatever specs come to allow.
    """
    if study.search is None:
        return
    tuned_with = {seed for k in look.searches for seed in study.search.training_seeds(k)}
    shared = tuned_with & {seed for own in look.seeds for seed in own}
    if shared:
        raise ProtocolError(f"seeds {sorted(shared)} were used to tune; confirm with others")
