"""Published values of the statistics, and how often their intervals are right."""

from __future__ import annotations

import math
from functools import partial

import harness as h
from harness.core.streams import numpy_stream
from harness.verification.row import Row, RowGroup, at_most, between, within

DEMSAR_Q = (1.960, 2.344, 2.569, 2.728, 2.850, 2.948, 3.031, 3.102, 3.164)
"""Critical values of the Nemenyi test at 0.05 for 2 to 10 competitors."""
X, Y = ((1.0, 2.0), (2.0, 2.0), (1.0, 1.0), (2.0, 1.0)), ((1.0, 1.0), (2.0, 2.0), (3.0, 3.0))
TIMES = ((10.0, 40.0, 30.0), (20.0, 20.0, 90.0), (35.0, 25.0, math.inf))
STUDIES, ARMS = 2000, 6


def _furthest_q() -> float:
    return max(abs(h.stats.nemenyi_q(k) - q) for k, q in enumerate(DEMSAR_Q, start=2))


def _coverage(seeds: int) -> float:
    """Return the share of 95 % intervals that cover a known paired difference of 0.7."""
    rng, covered = numpy_stream(0, "coverage", seeds), 0
    for _ in range(STUDIES):
        shared, own = rng.normal(size=seeds), rng.normal(size=seeds)
        interval = h.stats.superior(shared + own + 0.7, shared).effect
        covered += interval.low <= 0.7 <= interval.high
    return covered / STUDIES


def _called(seeds: int) -> float:
    """Return the share of studies of equal arms that decide any of their claims."""
    rng, called = numpy_stream(0, "equal arms", seeds), 0
    for _ in range(STUDIES):
        first, *others = rng.normal(size=seeds) + rng.normal(size=(ARMS, seeds))
        p = [h.stats.superior(other, first).p for other in others]
        called += min(h.stats.holm(p)) <= 0.05
    return called / STUDIES


STATISTICS = RowGroup(
    "statistics",
    "Statistics",
    "Demšar 2006; Agarwal et al. 2021 (rliable); Dahl et al. 2023 (AlgoPerf); 2,000 made studies",
    (
        Row("furthest of Nemenyi's q for 2 to 10 competitors", at_most(5e-4), _furthest_q),
        Row(
            "critical difference of 4 competitors on 14 data sets, 0.05",
            within(1.25, distance=0.005),
            lambda: h.stats.critical_difference(4, 14),
        ),
        Row(
            "critical difference, 0.10",
            within(1.12, distance=0.005),
            lambda: h.stats.critical_difference(4, 14, 0.10),
        ),
        Row(
            "rliable's interquartile mean of x", within(1.5, distance=1e-12), lambda: h.stats.iqm(X)
        ),
        Row(
            "rliable's interquartile mean of y", within(2.0, distance=1e-12), lambda: h.stats.iqm(Y)
        ),
        Row(
            "rliable's probability that x is above y",
            within(1 / 3, distance=1e-12),
            lambda: h.stats.probability_of_improvement(X, Y),
        ),
        *(
            Row(
                f"AlgoPerf's score of submission {i + 1}",
                within(score, distance=5e-5),
                partial(lambda i: float(h.stats.algoperf_score(TIMES)[i]), i),
            )
            for i, score in enumerate((0.8889, 0.6667, 0.3611))
        ),
        *(
            Row(
                f"coverage of 95 % intervals, {seeds} seeds",
                between(0.935, 0.965),
                partial(_coverage, seeds),
                slow=True,
            )
            for seeds in (5, 10, 20)
        ),
        *(
            Row(
                f"studies of equal arms that call a difference, {seeds} seeds",
                at_most(0.06),
                partial(_called, seeds),
                slow=True,
            )
            for seeds in (5, 10)
        ),
    ),
)
