"""How often the 95 % intervals of an effect cover it, through the code that judges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from benchmarks.drawn_results import ARMS, DrawnResults, make_study
from benchmarks.draws import DIVERGING, Shape, noise, places, whole
from benchmarks.pools import Pool
from harness.analysis.claims.evidence import weigh
from harness.spec.claims import Claim

MINE, OTHER = ARMS[0], ARMS[2]


class Covers(NamedTuple):
    """What the intervals of one study cover; as a mean of several, their shares."""

    method: float
    """The method's interval the method's effect."""
    winner: float
    """The winners' interval the method's effect, which it does not claim to."""
    winners_own: float
    """The winners' interval the mean effect of the winners that it speaks of."""


def covering(
    pool: Pool,
    metric: str,
    pair: tuple[str, str],
    condition: str,
    shape: Shape,
    rng: np.random.Generator,
) -> Iterator[Covers]:
    """Yield, study by study, what the intervals cover of an optimizer's lead over another.

    Args:
        pool: what is drawn from.
        metric: loss or accuracy.
        pair: the two optimizers.
        condition: noise that is added, or runs that diverge.
        shape: searches and seeds.
        rng: draws.
    """
    mine, other = (pool.values[metric][optimizer] for optimizer in pair)
    sign, kept = (-1 if metric == "test/loss" else 1), whole(pool)
    d = sign * (mine - other)
    truth, spread = float(d[kept].mean()), float(d[kept].mean(axis=1).std())
    study = make_study(shape[1], shape[0])
    claims = [Claim.better(MINE, than=OTHER, on=metric, scope=s) for s in ("method", "winner")]
    while True:
        at = places(pool, shape, rng)
        added = spread * noise(condition, shape, rng)
        values = {MINE: mine[at] + added, OTHER: other[at]}
        if condition == "divergences":
            values = {
                arm: np.where(rng.random(shape) < DIVERGING, np.inf, own)
                for arm, own in values.items()
            }
        results = DrawnResults(study, {arm: {metric: own} for arm, own in values.items()})
        method, winner = (weigh(results, c, study.looks[-1]).evidence.effect for c in claims)
        of_these = float((d[at[0]].mean(axis=-1) + sign * added).mean())
        yield Covers(
            method.low <= truth <= method.high,
            winner.low <= truth <= winner.high,
            winner.low <= of_these <= winner.high,
        )


def shares(studies: list[Covers]) -> Covers:
    """Return the shares of studies whose intervals cover."""
    return Covers(*(float(share) for share in np.mean(studies, axis=0)))
