"""The random-effects model of runs in searches, where searches have different numbers of runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Reml(NamedTuple):
    """The model x_kj = μ + a_k + e_kj, fitted."""

    mean: float
    """μ, by generalized least squares."""
    variance: float
    """Of the mean."""
    degrees: float
    """Satterthwaite's degrees of freedom of that variance."""
    searches: float
    """Variance of a_k, 0 at least."""
    seeds: float
    """Variance of e_kj."""


def fit_reml(groups: Sequence[np.ndarray]) -> Reml:
    """Fit x_kj = μ + a_k + e_kj by restricted maximum likelihood (Patterson & Thompson 1971).

    With γ = σ²_a/σ²_e ≥ 0 and weights w_k = n_k/(1 + γn_k), μ = Σ w_k x̄_k / Σ w_k and
    −2 log L = (N − 1) log R + Σ log(1 + γn_k) + log Σ w_k, with R = Σ (x_kj − x̄_k)² +
    Σ w_k (x̄_k − μ)² and σ²_e = R/(N − 1). The degrees of freedom of v = σ²_e/Σ w_k are
    2v²/(gᵀI⁻¹g) (Satterthwaite 1946; Giesbrecht & Burns 1985), with the gradient g of v and
    the expected information I of (σ²_e, σ²_a). Of equal n_k, and γ > 0, this is Student's t
    of the means.

    Args:
        groups: (n_k,) finite values of each search; two searches, and one of two runs, at least.

    Returns:
        The mean, its variance and degrees of freedom, and the two variances.

    >>> fit = fit_reml([np.array([1.0, 1.2]), np.array([0.4, 0.6]), np.array([1.9])])
    >>> round(fit.mean, 2), round(fit.degrees, 1)
    (1.16, 2.0)
    """
    counts = np.array([len(group) for group in groups])
    means = np.array([group.mean() for group in groups])
    within = float(sum(((group - group.mean()) ** 2).sum() for group in groups))
    ratio = _ratio(counts, means, within)
    weights, mean, squares = _least_squares(ratio, counts, means, within)
    seeds = squares / (counts.sum() - 1)
    variance = seeds / float(weights.sum())
    degrees = _satterthwaite(ratio, counts)
    return Reml(mean, variance, degrees, ratio * seeds, seeds)


def _least_squares(
    ratio: float, counts: np.ndarray, means: np.ndarray, within: float
) -> tuple[np.ndarray, float, float]:
    """Return the weights w_k, the mean μ and the squares R at a ratio γ.

    Args:
        ratio: γ.
        counts: (K,) runs of each search.
        means: (K,) their means.
        within: squares within searches.
    """
    weights = counts / (1 + ratio * counts)
    mean = float(weights @ means / weights.sum())
    return weights, mean, within + float(weights @ (means - mean) ** 2)


def _ratio(counts: np.ndarray, means: np.ndarray, within: float) -> float:
    """Return the γ ≥ 0 of the largest restricted likelihood.

    Args:
        counts: (K,) runs of each search.
        means: (K,) their means.
        within: squares within searches.
    """
    from scipy.optimize import minimize_scalar

    def deviance(log_ratio: float) -> float:
        ratio = float(np.exp(log_ratio))
        weights, _, squares = _least_squares(ratio, counts, means, within)
        penalty = np.log1p(ratio * counts).sum() + np.log(weights.sum())
        return float((counts.sum() - 1) * np.log(max(squares, 1e-300)) + penalty)

    # from "no search matters" to "nothing else does": a grid finds the valley, Brent its bottom
    grid = np.linspace(np.log(1e-6), np.log(1e6), 49)
    best = int(np.argmin([deviance(point) for point in grid]))
    if best == 0:
        return 0.0
    around = float(grid[best - 1]), float(grid[min(best + 1, len(grid) - 1)])
    found = minimize_scalar(deviance, bounds=around, method="bounded", options={"xatol": 1e-10})
    return float(np.exp(found.x))


def _satterthwaite(ratio: float, counts: np.ndarray) -> float:
    """Return the degrees of freedom of the mean's variance, 2v²/(gᵀ I⁻¹ g).

    They do not depend on the unit: σ²_e counts as 1 and σ²_a as γ.

    Args:
        ratio: γ.
        counts: (K,) runs of each search.
    """
    search = np.repeat(np.arange(len(counts)), counts)
    same = (search[:, None] == search).astype(float)  # ZZᵀ: whether two runs share a search
    inverse = np.linalg.inv(np.eye(len(search)) + ratio * same)
    ones = inverse.sum(axis=1)
    variance = 1 / ones.sum()
    # P = V⁻¹ − V⁻¹11ᵀV⁻¹v, and I_ij = ½ tr(P V_i P V_j) with V_i = 1 and ZZᵀ
    projection = inverse - variance * np.outer(ones, ones)
    seeds, searches = projection, projection @ same
    information = 0.5 * np.array(
        [[np.sum(a * b.T) for b in (seeds, searches)] for a in (seeds, searches)]
    )
    # ∂v/∂θ_i = v² 1ᵀV⁻¹V_iV⁻¹1
    gradient = variance**2 * np.array([ones @ ones, ones @ same @ ones])
    return float(2 * variance**2 / (gradient @ np.linalg.solve(information, gradient)))
