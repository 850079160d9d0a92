"""The two stages of the protocol: search with equal budgets, and confirmation of the frozen winners."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from harness.core.errors import ProtocolError
from harness.engine.program import batched
from harness.execution.pool import Pool
from harness.protocol.dispatch import Curve, Dispatcher, Request, Result
from harness.protocol.progress import Progress
from harness.protocol.timing import read_clock, work_of
from harness.protocol.tuner import ArmSearch, Ask, Mirror, judge
from harness.spec.arms import Arm, Run, arms
from harness.spec.resolved import ResolvedRecipe, resolve
from harness.spec.study import Search, Study
from harness.tracking import Store

Decided = Callable[[list[dict[str, Any]]], bool]
"""Told the confirm runs so far; says whether every claim is decided."""


class Winner(NamedTuple):
    """An arm's frozen recipe."""

    arm: Arm
    trial: int
    recipe: ResolvedRecipe


class Tried(NamedTuple):
    """The search in full: its runs, and its trials with their objectives."""

    runs: list[dict[str, Any]]
    trials: list[dict[str, Any]]
    importances: dict[str, dict[str, float]]


def search(
    study: Study, dispatcher: Dispatcher, screen: Progress, mirror: Mirror | None
) -> tuple[list[Winner], Tried]:
    """Tune every arm with the same number of trials; return the frozen winners and all that was tried.

    Without a mirror there is nothing to tune: see :func:`tunes`.
    """
    tried = Tried([], [], {})
    open_arms = arms(study)
    if study.search is None or mirror is None:
        return [Winner(arm, 0, resolve(arm.recipe)) for arm in open_arms], tried
    searches = {arm.name: ArmSearch(arm, study.search) for arm in open_arms}
    screen.stage("search", sum(s.left for s in searches.values()) * study.search.repeats)
    while any(s.left for s in searches.values()):
        asked = [(s, ask) for s in searches.values() for ask in s.ask()]
        _train_trials(study.search, asked, dispatcher, tried)
        mirror.add(searches.values())
        for s in searches.values():
            if s.spaces and (best := s.best()) is not None:
                screen.best(s.arm.name, study.search.objective, best, len(s.study.trials))
    tried.importances.update({s.arm.name: s.importance() for s in searches.values()})
    winners = [Winner(s.arm, *s.winner()) for s in searches.values()]
    return winners, tried


def tunes(study: Study) -> bool:
    """Return whether any arm has something to tune."""
    return study.search is not None and any(arm.recipe.spaces() for arm in arms(study))


def _train_trials(
    search: Search, asked: Sequence[tuple[ArmSearch, Ask]], dispatcher: Dispatcher, tried: Tried
) -> None:
    """Train one generation of trials of all arms together, pruning at the rungs, and tell their objectives."""
    places = [(s, ask, seed) for s, ask in asked for seed in search.seeds]
    requests = [
        Request(s.arm, "search", ask.number, Run(ask.recipe, seed)) for s, ask, seed in places
    ]
    repeats = len(search.seeds)
    pruned: set[int] = set()

    def prune(rung: int, curves: Sequence[Curve]) -> set[int]:
        for trial, (s, ask) in enumerate(asked):
            mine = range(trial * repeats, (trial + 1) * repeats)
            if pruned.isdisjoint(mine) and s.hopeless(
                ask.number, rung + 1, _mean([_so_far(search, curves[i]) for i in mine])
            ):
                pruned.update(mine)
        return set(pruned)

    results = dispatcher.train(requests, search.rungs, prune if search.pruner != "none" else None)
    for trial, (s, ask) in enumerate(asked):
        mine = results[trial * repeats : (trial + 1) * repeats]
        value = _mean([objective(search, result) for result in mine])
        ended = "pruned" if trial * repeats in pruned else _worst_status(mine)
        s.tell(ask.number, value, ended)
        plain = {
            path: str(v) if isinstance(v, (dict, list)) else v for path, v in ask.values.items()
        }
        tried.trials.append(
            {
                "arm": s.arm.name,
                "trial": ask.number,
                "status": ended,
                "value": _finite_or_none(value),
                "values": plain,
            }
        )
    tried.runs.extend(
        _row(request, result) for request, result in zip(requests, results, strict=True)
    )


def objective(search: Search, result: Result) -> float:
    """Return the number that a search run is judged by."""
    closing_value = result.closing.get(f"final/{search.objective}")
    return judge(search, [value for _, value in result.curve], closing_value, result.status)


def _so_far(search: Search, curve: Curve) -> float:
    return judge(search, [value for _, value in curve], None, "finished")


def _worst_status(results: Sequence[Result]) -> str:
    return next(
        (s for s in ("failed", "diverged") if any(r.status == s for r in results)), "finished"
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def confirm(
    study: Study,
    winners: Sequence[Winner],
    dispatcher: Dispatcher,
    screen: Progress,
    decided: Decided,
) -> list[dict[str, Any]]:
    """Train every frozen recipe with fresh seeds, and evaluate the test data once; look again as long as the study says.

    Args:
        study: the study.
        winners: the frozen recipes.
        dispatcher: trains what is not known.
        screen: what a person sees.
        decided: told the confirm runs so far; says whether every claim is decided.

    Raises:
        ProtocolError: a confirm seed has been used in the search.
    """
    rows: list[dict[str, Any]] = []
    for look, seeds in enumerate(study.looks):
        if study.search and (shared := set(study.search.seeds) & set(seeds)):
            raise ProtocolError(f"seeds {sorted(shared)} were used to tune; confirm with others")
        requests = [
            Request(w.arm, "confirm", w.trial, Run(w.recipe, s, study.probes))
            for w in winners
            for s in seeds
        ]
        screen.stage(
            "confirm" if len(study.looks) == 1 else f"confirm, look {look + 1}",
            len(requests) - len(rows),
        )
        results = dispatcher.train(requests)
        rows = [_row(request, result) for request, result in zip(requests, results, strict=True)]
        if look + 1 < len(study.looks) and decided(rows):
            break
    return rows


def read_clocks(
    winners: Sequence[Winner], pool: Pool, store: Store, fresh: bool
) -> dict[str, dict[str, Any]]:
    """Return the calibrated clock of each arm that can be trained.

    Recipes that cost the same share one reading; readings that the store has are taken as they are, unless ``fresh``.
    """
    readings = {} if fresh else {read["of"]: read for read in store.clocks.values()}
    found: dict[str, dict[str, Any]] = {}
    for winner in winners:
        name, work = winner.arm.name, work_of(winner.recipe)
        if work not in readings and (reading := pool.alone(read_clock, winner.recipe)) is not None:
            readings[work] = reading._asdict()
        if work in readings:
            found[name] = readings[work]
            store.set_clock(name, readings[work])
    return found


def _row(request: Request, result: Result) -> dict[str, Any]:
    return {
        "run_id": result.run_id,
        "key": result.key,
        "arm": request.arm.name,
        **{f"level.{factor}": level for factor, level in request.arm.levels.items()},
        "stage": request.stage,
        "trial": request.trial,
        "seed": request.run.seed,
        "status": result.status,
    }


def _finite_or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None


class Outcomes(NamedTuple):
    """All that a study gave."""

    answer: dict[str, Any]
    """The runs that answer it, its trials and its winners, as the store keeps them."""
    runs: int
    trained: int
    failed: int

    @classmethod
    def of(
        cls,
        winners: Sequence[Winner],
        tried: Tried,
        confirmed: Sequence[dict[str, Any]],
        clock: dict[str, dict[str, Any]],
        dispatcher: Dispatcher,
    ) -> Outcomes:
        """Gather the stages' results."""
        runs = [*tried.runs, *confirmed]
        index = {
            "runs": runs,
            "trials": tried.trials,
            "winners": {w.arm.name: _frozen(w) for w in winners},
            "importances": tried.importances,
            "clock": clock,
        }
        return cls(index, len(runs), dispatcher.trained, dispatcher.failed)


def _frozen(winner: Winner) -> dict[str, Any]:
    together, why = batched(winner.recipe)
    path = {"batched": together, "why": why}
    return {
        "trial": winner.trial,
        "levels": winner.arm.levels,
        "recipe": winner.recipe.dump(),
        "path": path,
    }
