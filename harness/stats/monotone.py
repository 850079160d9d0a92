"""Whether an outcome goes one way at every step between ordered levels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from harness.stats.hierarchy import Scope
from harness.stats.intervals import Interval
from harness.stats.verdict import Evidence, superior


class Steps(NamedTuple):
    """What the steps between neighbouring levels say together."""

    evidence: Evidence
    """Its effect is the smallest step, in the metric's unit and in the claimed direction."""
    step: int
    """The step that decides: from level ``step`` to the next, counted from 0."""


def monotone_steps(
    outcomes: ArrayLike,
    margin: float = 0.0,
    level: float = 0.95,
    *,
    rising: bool = True,
    scope: Scope = "winner",
    resolution: float = 0.0,
) -> Steps:
    """Weigh "every step μ_{j+1} − μ_j is above −m": an intersection–union test (Berger 1982).

    Each of the k − 1 steps is tested against −m as in :func:`~harness.stats.verdict.superior`.

    - Where all means lie above it, p is the largest of the steps'. It needs no correction: the
      claim is false only if some step is at −m or below, and that one has to be missed.
    - Where some do not, p is the smallest of theirs times k − 1 (Bonferroni): the steps of which
      one may refute the claim were not chosen beforehand.

    Both halves of the two-sided p hold their half of the risk. With m = 0 a plateau stays
    undecided, as it is neither a rise nor a fall; with m > 0 it is monotone within m.

    Args:
        outcomes: (levels in their order, K, S), of K searches with S seeds each, or (levels, S) of
            one search. NaN for a run that is missing, infinite for one that diverged.
        margin: by how much a step may go back, m ≥ 0, in the metric's unit.
        level: confidence of the effect's interval.
        rising: whether a rise is claimed, or a fall.
        scope: whether it is said of the method or of these winners.
        resolution: the metric's smallest step; 0 for a continuous one.

    Returns:
        Evidence whose effect is the smallest step's mean. Its interval goes from the smallest lower
        to the smallest upper bound of the steps, the upper ones at (1 − level)/(k − 1), and covers
        the smallest true step.

    Raises:
        ValueError: fewer than three levels.

    >>> found = monotone_steps([[1.0, 1.1, 0.9, 1.0], [2.0, 2.2, 2.1, 2.0], [3.0, 2.9, 3.3, 3.1]])
    >>> found.evidence.favours, round(found.evidence.p, 4), found.step
    (True, 0.0027, 1)
    """
    x = np.asarray(outcomes, dtype=float) * (1 if rising else -1)
    if x.ndim < 2 or len(x) < 3:
        raise ValueError(f"expected outcomes of three levels at least, got shape {x.shape}")
    count = len(x) - 1

    def step(j: int, confidence: float) -> Evidence:
        given = (x[j], x[j + 1], margin, confidence)
        return _step(*given, scope=scope, resolution=resolution)

    steps = [step(j, level) for j in range(count)]
    highs = [step(j, 1 - (1 - level) / count).effect.high for j in range(count)]
    back = [j for j, found in enumerate(steps) if not found.favours]
    if back:
        at = min(back, key=lambda j: steps[j].p)
        p = min(1.0, count * steps[at].p)
    else:
        at = max(range(count), key=lambda j: steps[j].p)
        p = steps[at].p
    # NumPy's minima are NaN where a step's is
    effect = Interval(
        float(np.min([found.effect.mean for found in steps])),
        float(np.min([found.effect.low for found in steps])),
        float(np.min(highs)),
    )
    # a step back beyond the margin goes the other way: both sides have one p
    return Steps(steps[at]._replace(effect=effect, p=p, p_opposite=p), at)


def _step(
    before: np.ndarray,
    after: np.ndarray,
    margin: float,
    level: float,
    *,
    scope: Scope,
    resolution: float,
) -> Evidence:
    """Weigh "after − before is above −margin", a diverged run as far out as its sign says.

    Args:
        before: (K, S) or (S,) outcomes at a level.
        after: those at the next.
        margin: by how much the step may go back.
        level: confidence of the step's interval.
        scope: what is spoken of.
        resolution: the metric's smallest step.
    """
    both = np.concatenate([before, after])
    # more is better in a comparison, and −∞ a run that diverged: where +∞ is, less is better
    upwards = np.isposinf(both).sum() > np.isneginf(both).sum()
    mine, other = (-before, -after) if upwards else (after, before)
    return superior(mine, other, -margin, level, scope=scope, resolution=resolution)
