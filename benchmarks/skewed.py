"""How often an arm that is seldom very bad is called better than a steady one of the same mean.

    python -m benchmarks.skewed [--studies 1500]

Values are μ + a_k + e_kj by search and seed, of which the search makes a given share of the spread.
The calibration's arms are skewed alike, so that their differences are not; here one is alone. It
takes a minute.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np

from harness import stats

SEEDS, STEADY, BAD = 5, 0.3, 0.1
"""Runs of a search; the steady arm's deviation in the other's; how often that one is bad."""
Draw = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]


def lognormal(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Return exp(N(0, 1)), moved and scaled to mean 0 and variance 1."""
    return np.asarray((rng.lognormal(size=shape) - np.exp(0.5)) / np.sqrt(np.e**2 - np.e))


def seldom_bad(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Return one bad value in ten, all others alike, with mean 0 and variance 1."""
    return np.asarray(((rng.random(shape) < BAD) - BAD) / np.sqrt(BAD * (1 - BAD)))


def called_better(
    draw: Draw, searches: int, share: float, studies: int, rng: np.random.Generator
) -> float:
    """Return the share of studies that call the skewed arm better, where 2.5 % are promised.

    Args:
        draw: its noise, of searches and of runs; less is better.
        searches: K.
        share: of the search in the spread.
        studies: how many.
        rng: draws.
    """
    shape, called = (searches, SEEDS), 0
    for _ in range(studies):
        skewed = share**0.5 * draw(rng, (searches, 1)) + (1 - share) ** 0.5 * draw(rng, shape)
        steady = STEADY * rng.standard_normal(shape)
        found = stats.superior(-skewed, -steady, scope="method")
        called += found.favours and found.p <= 0.05
    return called / studies


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--studies", type=int, default=1500)
    studies, rng = parser.parse_args().studies, np.random.default_rng(0)
    for draw in (lognormal, seldom_bad):
        for searches in (5, 8, 16):
            shares = (0.2, 0.5, 0.9)
            found = [called_better(draw, searches, share, studies, rng) for share in shares]
            cells = ", ".join(f"{s:.0%}: {f:.1%}" for s, f in zip(shares, found, strict=True))
            print(f"{draw.__name__}, {searches} searches; by the search's share {cells}")


if __name__ == "__main__":
    main()
