"""Performance profiles over workloads, and the AlgoPerf score."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def performance_ratios(times: ArrayLike) -> np.ndarray:
    """Return r = t / min t over the competitors, workload by workload (Dolan & Moré 2002).

    Args:
        times: (competitors, workloads) times to the target; infinite where it was missed.

    Returns:
        (competitors, workloads) from 1; infinite where the target was missed.

    >>> performance_ratios([[10.0, 40.0], [20.0, np.inf]]).tolist()
    [[1.0, 1.0], [2.0, inf]]
    """
    t = np.asarray(times, dtype=float)
    best = t.min(axis=0)
    # where all missed the target there is no best time, and every ratio is infinite: not ∞/∞
    return np.where(np.isfinite(t), t / np.where(np.isfinite(best), best, 1), np.inf)


def performance_profile(times: ArrayLike, taus: ArrayLike) -> np.ndarray:
    """Return ρ(τ), the share of workloads on which a competitor is within τ times the fastest.

    The performance profile of Dolan & Moré 2002: ρ(1) is the share of workloads won, and ρ(τ) for
    large τ the share on which the target is reached at all.

    Args:
        times: (competitors, workloads); infinite where the target was missed.
        taus: (points,) ratios from 1.

    Returns:
        (competitors, points).

    >>> performance_profile([[10.0, 40.0], [20.0, np.inf]], [1.0, 2.0]).tolist()
    [[1.0, 1.0], [0.0, 0.5]]
    """
    ratios = performance_ratios(times)
    return np.asarray((ratios[:, :, None] <= np.asarray(taus, dtype=float)).mean(axis=1))


def algoperf_score(times: ArrayLike, tau: float = 4.0) -> np.ndarray:
    """Return ∫₁^τ ρ(r) dr / (τ − 1), the area under each performance profile (Dahl et al. 2023).

    A workload with ratio r adds τ − r to the integral, so that it is exact.

    Args:
        times: (competitors, workloads); infinite where the target was missed.
        tau: largest ratio that counts.

    Returns:
        (competitors,) from 0 to 1, more is better.

    >>> [round(float(s), 4) for s in algoperf_score([[10, 40, 30], [20, 20, 90], [35, 25, np.inf]])]
    [0.8889, 0.6667, 0.3611]
    """
    ratios = performance_ratios(times)
    # ∫₁^τ of a step from 0 to 1 at r is max(0, τ − r)
    return np.asarray(np.clip(tau - ratios, 0, None).mean(axis=1) / (tau - 1))
