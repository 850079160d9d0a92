"""Do intervals cover what they should, and how often is a difference seen where there is none?

    python -m benchmarks.calibration [--studies 2000] [--json FILE]

Synthetic studies with known truths go through the code that judges real ones.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np

from harness import stats

LOOKS = (5, 10, 20, 40)
Draw = Callable[[np.random.Generator, int], np.ndarray]
SHAPES: dict[str, Draw] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "skewed (gamma 4)": lambda rng, n: (rng.gamma(4.0, size=n) - 4) / 2,
    "heavy tails (t, 4 df)": lambda rng, n: rng.standard_t(4, size=n) / np.sqrt(2),
}


def covers(interval: stats.Interval, truth: float) -> bool:
    return interval.low <= truth <= interval.high


def coverage(studies: int, rng: np.random.Generator) -> dict[str, float]:
    """Return the share of 95 % intervals that cover a known difference of 0.7 of paired arms."""
    covered: dict[str, float] = {}
    for shape, draw in SHAPES.items():
        for n in (5, 10, 20):
            hits = []
            for _ in range(studies):
                shared, own = rng.normal(size=n), draw(rng, n)
                hits.append(covers(stats.superior(shared + own + 0.7, shared).effect, 0.7))
            covered[f"t interval, {shape}, {n} seeds"] = float(np.mean(hits))
    for method in ("percentile", "bca"):
        for n in (20, 50):
            hits = [
                covers(
                    stats.bootstrap(rng.normal(size=n), rng=rng, method=method, resamples=1000), 0.0
                )
                for _ in range(studies)
            ]
            covered[f"bootstrap {method}, normal, {n} seeds"] = float(np.mean(hits))
    return covered


def false_positives(studies: int, rng: np.random.Generator) -> dict[str, float]:
    """Return the share of studies without any difference that call one."""
    called: dict[str, float] = {}
    for shape, draw in SHAPES.items():
        called[f"5 claims, 10 seeds, {shape}"] = rate(
            studies, lambda draw=draw: claims_call(draw, rng, (10,))
        )
        called[f"5 claims, looks at {LOOKS}, {shape}"] = rate(
            studies, lambda draw=draw: claims_call(draw, rng, LOOKS)
        )
        called[f"ranking of 6 arms, 10 seeds, {shape}"] = rate(
            studies, lambda draw=draw: ranking_calls(draw, rng)
        )
    called["trend over 5 levels, 10 seeds"] = rate(
        studies, lambda: stats.page_trend(rng.normal(size=(5, 10))).p <= 0.05
    )
    called["interaction 3 × 3, 10 seeds"] = rate(studies, lambda: interaction_called(rng))
    called["permutation test, 8 seeds"] = rate(
        studies, lambda: stats.permutation(rng.normal(size=8)) <= 0.05
    )
    called["Wilcoxon, 8 seeds"] = rate(studies, lambda: stats.wilcoxon(rng.normal(size=8)) <= 0.05)
    called["equivalence at the margin, 10 seeds"] = rate(studies, lambda: equal_called(rng))
    return called


def rate(studies: int, called: Callable[[], bool]) -> float:
    return float(np.mean([called() for _ in range(studies)]))


def claims_call(draw: Draw, rng: np.random.Generator, looks: tuple[int, ...]) -> bool:
    """Return whether any of five claims about equal arms is decided at any look."""
    seeds = rng.normal(size=looks[-1])
    arms = [seeds + draw(rng, looks[-1]) for _ in range(6)]
    p = [[stats.superior(arm[:n], arms[0][:n]).p for arm in arms[1:]] for n in looks]
    return any(q <= 0.05 for _, q in stats.decide(p, stats.spending(looks)))


def ranking_calls(draw: Draw, rng: np.random.Generator) -> bool:
    """Return whether the ranking tells the best of six equal arms apart from any other."""
    arms = sorted((draw(rng, 10) for _ in range(6)), key=np.mean)
    return (
        min(stats.holm([stats.compare_paired(a, b).p for a, b in combinations(arms, 2)])[:5])
        <= 0.05
    )


def interaction_called(rng: np.random.Generator) -> bool:
    cells = (
        rng.normal(size=(3, 3, 10))
        + rng.normal(size=(3, 1, 1))
        + rng.normal(size=(1, 3, 1))
        + rng.normal(size=10)
    )
    return stats.factorial_effects(cells, ["a", "b"])[-1].p <= 0.05


def equal_called(rng: np.random.Generator) -> bool:
    """Return whether arms that differ by exactly the margin are called equal or unequal."""
    return stats.equivalent(rng.normal(0.5, 0.3, 10), np.zeros(10), 0.5).p <= 0.05


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results/calibration.json"))
    given = parser.parse_args()
    rng = np.random.default_rng(2026)
    measured = {
        "studies": given.studies,
        "coverage": coverage(given.studies, rng),
        "false positives": false_positives(given.studies, rng),
    }
    for title in ("coverage", "false positives"):
        print(f"{title}, of {given.studies} synthetic studies each:")
        for name, share in measured[title].items():
            print(f"  {name:52s} {share:6.1%}")
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    print(f"written to {given.json}")


if __name__ == "__main__":
    main()
