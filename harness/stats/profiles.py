"""Performance profiles over workloads, and the AlgoPerf score."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def performance_ratios(times: ArrayLike) -> np.ndarray:
    """Return r = t / min t over the competitors, workload by workload (Dolan & Moré 2002).

    Args:
        times: (competitors, workloads) times to the target; infinite where it was missed.
    """
    t = np.asarray(times, dtype=float)
    best = t.min(axis=0)
    return np.where(np.isfinite(t), t / np.where(np.isfinite(best), best, 1), np.inf)


def performance_profile(times: ArrayLike, taus: ArrayLike) -> np.ndarray:
    """Return ρ(τ): the share of workloads on which a competitor is within τ times the fastest.

    Args:
        times: (competitors, workloads); infinite where the target was missed.
        taus: (points,) ratios from 1.

    Returns:
        (competitors, points).
    """
    ratios = performance_ratios(times)
    return np.asarray((ratios[:, :, None] <= np.asarray(taus, dtype=float)).mean(axis=1))


def algoperf_score(times: ArrayLike, tau: float = 4.0) -> np.ndarray:
    """Return ∫₁^τ ρ(r) dr / (τ − 1): the area under each performance profile, exactly (Dahl et al. 2023).

    Args:
        times: (competitors, workloads); infinite where the target was missed.
        tau: largest ratio that counts.

    Returns:
        (competitors,) from 0 to 1, more is better.

    >>> [round(float(s), 4) for s in algoperf_score([[10, 40, 30], [20, 20, 90], [35, 25, np.inf]])]
    [0.8889, 0.6667, 0.3611]
    """
    ratios = performance_ratios(times)
    return np.asarray(np.clip(tau - ratios, 0, None).mean(axis=1) / (tau - 1))
