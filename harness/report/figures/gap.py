"""How far held-out data fall behind training data over training."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from harness.report.figures.curves import POINTS, Curves, compute_curves


def compute_gap(
    curves: pd.DataFrame, metric: str, arms: Sequence[str], points: int = POINTS
) -> Curves:
    """Gather held-out minus training loss, or training minus held-out accuracy; drawn as any other curve."""
    train, valid = f"train/{metric}", f"valid/{metric}"
    if train not in curves or valid not in curves:
        return Curves(f"{metric} gap", ())
    sign = -1 if metric == "accuracy" else 1
    gap = curves.drop(columns=[c for c in curves if str(c).startswith("generalization/")])
    return compute_curves(
        gap.assign(**{f"{metric} gap": sign * (gap[valid] - gap[train])}),
        f"{metric} gap",
        arms,
        points,
    )
