"""How often a claim is decided in studies without any difference, through the code that judges.

Every claim is at its bound, so that whatever is decided of it is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

import harness as h
from benchmarks.drawn_results import ARMS, DrawnResults, make_study
from benchmarks.draws import Drawn, Shape, draw_null
from benchmarks.pools import Pool
from harness.analysis.claims import judge_claims
from harness.analysis.looks import plan_levels
from harness.core.study_record import LookShown
from harness.spec.claims import Claim

MINE, OTHER = ARMS[0], ARMS[2]
KINDS = (
    "better",
    "no worse",
    "equal",
    "faster",
    "cured",
    "monotone",
    "trend",
    "interaction",
    "above",
    "below",
)
UNDEFINED = {
    "unequal": ("faster",),
    "divergences": ("above", "below"),
    "discrete": ("faster",),
    "t3 tails": ("faster",),
    "lognormal": ("faster",),
}
"""Claims that are not tried: times are the same as of stored runs, or of other means; and a run
that diverged counts against a bound."""


def claims_of(metric: str, margin: float, target: float) -> dict[str, Claim]:
    """Return a claim of each kind that is at its bound: whatever is decided is wrong.

    Args:
        metric: loss or accuracy. All arms have the same ``test/`` values but for chance; of
            ``valid/`` the first arm's are behind by the margin, of ``train/`` the median is 0.
        margin: of "no worse" and "equal".
        target: of the time to a validation loss.
    """
    word = metric.removeprefix("test/")
    along = {"on": metric, "rising": True, "among": {"batch_size": "x"}}
    pair = {"than": OTHER, "on": f"valid/{word}", "margin": margin}
    return {
        "better": Claim.better(MINE, than=OTHER, on=metric),
        "no worse": Claim.no_worse(MINE, **pair),
        "equal": Claim.equal(MINE, **pair),
        "faster": Claim.faster(MINE, than=OTHER, to=("valid/loss", target), by="epochs"),
        "cured": Claim.cured(MINE, of=OTHER, on=metric),
        "monotone": Claim.monotone("optimizer", **along),
        "trend": Claim.trend("optimizer", **along),
        "interaction": Claim.interaction("optimizer", "batch_size", on=metric),
        "above": Claim.above(MINE, 0.0, on=f"train/{word}"),
        "below": Claim.below(MINE, 0.0, on=f"train/{word}"),
    }


def family(metric: str) -> tuple[Claim, ...]:
    """Return five claims that an arm is ahead of each of the others."""
    return tuple(Claim.better(MINE, than=arm, on=metric) for arm in ARMS[1:])


def results_of(
    drawn: Drawn, study: h.Study, metric: str, margin: float, pool: Pool
) -> DrawnResults:
    """Return the results of a drawn study, with the metrics that :func:`claims_of` speaks of."""
    word = metric.removeprefix("test/")
    behind = margin if word == "loss" else -margin
    values = {
        arm: {
            metric: x,
            f"valid/{word}": x + (behind if arm == MINE else 0.0),
            f"train/{word}": x - drawn.middle,
        }
        for arm, x in drawn.values.items()
    }
    goal = ("valid/loss", pool.target)
    return DrawnResults(study, values, drawn.times, goal, pool.epochs)


def decided(results: DrawnResults, claims: Sequence[Claim]) -> bool:
    """Return whether any of some claims, judged together, is decided."""
    asked = results.asking(results.study.model_copy(update={"claims": tuple(claims)}))
    return any(tested.verdict.verdict != "undecided" for tested in judge_claims(asked))


def steps_of(margin: float, metric: str, pool: Pool) -> float:
    """Return a margin in whole steps of the metric: an accuracy has some."""
    if metric == "test/loss":
        return margin
    values = np.unique(np.concatenate([np.ravel(v) for v in pool.values[metric].values()]))
    step = float(np.diff(values).min())
    return math.ceil(margin / step) * step


def false_calls(
    pools: Sequence[Pool], condition: str, shape: Shape, studies: int, rng: np.random.Generator
) -> dict[str, float]:
    """Return, by kind of claim, the share of studies without a difference that decide it.

    Args:
        pools: each study is drawn from one of them.
        condition: what is done to their numbers.
        shape: searches and seeds.
        studies: how many are drawn; a family of five claims is judged in each.
        rng: draws.
    """
    metric = "test/accuracy" if condition == "discrete" else "test/loss"
    having = [pool for pool in pools if metric in pool.values]
    kinds = [kind for kind in KINDS if kind not in UNDEFINED.get(condition, ())]
    study = make_study(shape[1], shape[0])
    called = dict.fromkeys([*kinds, "family of 5"], 0)
    for number in range(studies):
        pool = having[number % len(having)]
        drawn = draw_null(pool, metric, condition, shape, rng)
        margin = steps_of(2 * drawn.spread, metric, pool)
        results = results_of(drawn, study, metric, margin, pool)
        claims = claims_of(metric, margin, pool.target)
        for kind in kinds:
            called[kind] += decided(results, [claims[kind]])
        called["family of 5"] += decided(results, family(metric))
    return {kind: count / studies for kind, count in called.items()}


PLANNED = (5, 10, 20)
"""Seeds, or searches, of the looks."""


def calls_at_looks(
    pools: Sequence[Pool], studies: int, rng: np.random.Generator
) -> dict[str, float]:
    """Return the share of studies without a difference that decide any of five claims at any look.

    Args:
        pools: each study is drawn from one of them.
        studies: how many.
        rng: draws.
    """
    asked = family("test/loss")
    grown = {
        "seeds 5, 10, 20, planned": (h.Seeds(min=5, max=20, looks=PLANNED), 1, (1, 20)),
        "searches 5, 10, 20 of 3 seeds, planned": (
            3,
            h.Searches(min=5, max=20, looks=PLANNED),
            (20, 3),
        ),
    }
    rates = {}
    for name, (seeds, searches, shape) in grown.items():
        study = make_study(seeds, searches, asked)
        rates[name] = np.mean(
            [
                decided(DrawnResults(study, _losses(pools, number, shape, rng)), asked)
                for number in range(studies)
            ]
        )
    rates["seeds 5, 10, 20, started again each time"] = np.mean(
        [_extended(_losses(pools, number, (1, 20), rng), asked) for number in range(studies)]
    )
    return {name: float(rate) for name, rate in rates.items()}


def _losses(
    pools: Sequence[Pool], number: int, shape: Shape, rng: np.random.Generator
) -> dict[str, dict[str, np.ndarray]]:
    """Return the losses of a study without a difference, by arm and metric."""
    drawn = draw_null(pools[number % len(pools)], "test/loss", "stored runs", shape, rng)
    return {arm: {"test/loss": own} for arm, own in drawn.values.items()}


def _extended(losses: dict[str, dict[str, np.ndarray]], asked: Sequence[Claim]) -> bool:
    """Return whether any claim is decided in a study of 5 seeds, or when it is started again with
    10 and with 20, which was not planned."""
    shown: list[LookShown] = []
    for seeds in PLANNED:
        study = make_study(seeds, 1, tuple(asked))
        values = {arm: {m: x[:, :seeds] for m, x in own.items()} for arm, own in losses.items()}
        if decided(DrawnResults(study, values, looks_shown=tuple(shown)), asked):
            return True
        shown.append(LookShown(1, seeds, plan_levels(study, shown)[-1]))
    return False
