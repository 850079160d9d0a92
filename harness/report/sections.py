"""The figures of a report, section by section."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from harness.analysis.answer import Answer
from harness.analysis.budget import winner_by_budget
from harness.analysis.results import PLACE, Results
from harness.probes.base import probes_of
from harness.report import texts
from harness.report.figures.budget import plot_budget
from harness.report.figures.confusion import compute_confusion, plot_confusion
from harness.report.figures.critical import compute_critical, plot_critical
from harness.report.figures.curves import POINTS, Curves, compute_curves, plain_curves
from harness.report.figures.gap import compute_gap
from harness.report.figures.importance import compute_importance, plot_importance
from harness.report.figures.improvement import compute_improvement, plot_improvement
from harness.report.figures.interaction import compute_interactions, plot_interactions
from harness.report.figures.noise_batch import compute_noise_batch, plot_noise_batch
from harness.report.figures.pairs import compute_pairs, plot_pairs
from harness.report.figures.parallel import compute_parallel, plot_parallel
from harness.report.figures.probes import compute_layers, compute_panels, plot_layers, plot_panels
from harness.report.figures.profile import compute_profile, plot_profile
from harness.report.figures.ranking import compute_ranking, plot_ranking
from harness.report.figures.reliability import compute_reliability, plot_reliability
from harness.report.figures.sensitivity import compute_sensitivity, plot_sensitivity
from harness.report.figures.slices import compute_slices, plot_lines, plot_planes
from harness.report.figures.survival import compute_survival, plot_survival
from harness.report.library import packed
from harness.report.style import Look
from harness.report.texts import Text

METRICS = ("loss", "accuracy")
MOST = 1_000_000
"""Numbers of single runs' curves on a page, from which on each gets fewer points."""


class Figure(NamedTuple):
    """A figure on the page, with what it shows and how to read it."""

    key: str
    text: Text
    packed: str
    """Its Plotly JSON, as :func:`packed`."""
    linked: bool = False
    """Whether it is one of the curves that share switches and zoom."""


class Sections(NamedTuple):
    """All figures."""

    ranking: list[Figure]
    curves: list[Figure]
    units: tuple[str, ...]
    """Units that the curves' horizontal axis can be switched to."""
    metrics: list[Figure]
    """Every other metric's curves; one is shown at a time."""
    statistics: list[Figure]
    diagnostics: list[Figure]
    search: list[Figure]
    thinned: int
    """Points that longer curves were thinned to; 0 where all are shown."""


def sections(results: Results, found: Answer, look: dict[str, Look]) -> Sections:
    """Return the figures of each section that have something to show."""
    names, curves = [place.arm for place in found.ranking], results.confirmed_curves
    others = _others(curves)
    points = _points(results, 2 * len(METRICS) + len(others))
    drawn = [
        compute_curves(curves, metric, names, points) for metric in METRICS if _has(curves, metric)
    ]
    further = [compute_curves(curves, metric, names, points) for metric in others]
    return Sections(
        ranking=_ranking(results, found, look),
        curves=[_curve(data, texts.CURVES, look) for data in drawn if data.bands],
        units=drawn[0].units if drawn else (),
        metrics=[_curve(data, Text(data.metric, ""), look) for data in further if data.bands],
        statistics=_statistics(results, found, look),
        diagnostics=_diagnostics(results, curves, names, look, points),
        search=_search(results, look),
        thinned=points if any(data.thinned for data in (*drawn, *further)) else 0,
    )


def _has(curves: pd.DataFrame, metric: str) -> bool:
    return any(f"{part}/{metric}" in curves for part in ("train", "valid"))


def _others(curves: pd.DataFrame) -> list[str]:
    """Return the recorded metrics that have no figure of their own."""
    own = {
        *PLACE,
        "step",
        "epoch",
        "samples",
        "seconds",
        *(f"{p}/{m}" for p in ("train", "valid") for m in METRICS),
    }
    return sorted(str(c) for c in curves if c not in own and curves[c].notna().any())


def _points(results: Results, metrics: int) -> int:
    return int(np.clip(MOST // max(1, len(results.confirmed) * metrics), 20, POINTS))


def figure_of(key: str, text: Text, figure: go.Figure) -> Figure:
    """Return a figure as the page holds it."""
    plain: dict[str, Any] = json.loads(figure.to_json(validate=False))
    plain["layout"].pop("template", None)
    return Figure(key, text, _packed_json(plain))


def curve_of(key: str, text: Text, data: Curves, look: dict[str, Look]) -> Figure:
    """Return curves as the page holds them, without what its script puts together by itself."""
    plain = plain_curves(data, look)
    for trace in plain["data"]:
        kind = trace["meta"]["kind"]
        for side in {"seed": "x", "mean": "xy", "band": "xy"}[kind]:
            del trace[side]
    return Figure(key, text, _packed_json(plain), linked=True)


def _packed_json(plain: dict[str, Any]) -> str:
    return packed(json.dumps(plain, separators=(",", ":")))


def _curve(data: Curves, text: Text, look: dict[str, Look]) -> Figure:
    name = data.metric.capitalize() if data.metric in METRICS else data.metric
    titled = text._replace(title=text.title.format(name))
    return curve_of(f"curves-{data.metric}".replace("/", "-"), titled, data, look)


def _ranking(results: Results, found: Answer, look: dict[str, Look]) -> list[Figure]:
    ranking = compute_ranking(found)
    figures = (
        [figure_of("ranking", texts.RANKING, plot_ranking(ranking, look))] if ranking.rows else []
    )
    return figures + _survival(results, found, look)


def _survival(results: Results, found: Answer, look: dict[str, Look]) -> list[Figure]:
    """Return a figure for each target that the claims name."""
    goals = dict.fromkeys(t.claim.goal for t in found.claims if t.claim.goal is not None)
    figures = []
    for i, goal in enumerate(goals):
        data = compute_survival(results, goal, [place.arm for place in found.ranking])
        if data.arms:
            title = texts.SURVIVAL.title.format(goal.metric, goal.target, goal.unit)
            figures.append(
                figure_of(
                    f"survival-{i}", texts.SURVIVAL._replace(title=title), plot_survival(data, look)
                )
            )
    return figures


def _statistics(results: Results, found: Answer, look: dict[str, Look]) -> list[Figure]:
    figures = []
    if (improvement := compute_improvement(found)) is not None:
        figures.append(figure_of("improvement", texts.IMPROVEMENT, plot_improvement(improvement)))
    if (critical := compute_critical(found)) is not None:
        figures.append(figure_of("critical", texts.CRITICAL, plot_critical(critical, look)))
    profile = compute_profile(found)
    if profile.arms:
        figures.append(figure_of("profile", texts.PROFILE, plot_profile(profile, look)))
    if interactions := compute_interactions(results, found):
        figures.append(figure_of("interaction", texts.INTERACTION, plot_interactions(interactions)))
    return figures


def _diagnostics(
    results: Results, curves: pd.DataFrame, names: Sequence[str], look: dict[str, Look], points: int
) -> list[Figure]:
    """Return the generalization gap, the figures of each probe and its maps of layers, and those of its arrays."""
    gap = compute_gap(curves, "loss", names, points)
    figures = [curve_of("gap", texts.GAP, gap, look)] if gap.bands else []
    for probe in probes_of(results.study.probes):
        kind, about = probe.prefix, (type(probe).__doc__ or "").strip()
        panels = compute_panels(curves, kind, names)
        if any(panel.lines for panel in panels):
            figures.append(
                figure_of(
                    f"probe-{kind}", Text(probe.name, _plain(about)), plot_panels(panels, look)
                )
            )
        for i, layers in enumerate(compute_layers(curves, kind, names)):
            text = texts.LAYERS._replace(title=texts.LAYERS.title.format(layers.title.capitalize()))
            figures.append(figure_of(f"layers-{kind}-{i}", text, plot_layers(layers)))
    noise = compute_noise_batch(results, curves, names)
    if noise.arms:
        figures.append(figure_of("noise-batch", texts.NOISE, plot_noise_batch(noise, look)))
    return figures + _arrays(results, names, look)


def _arrays(results: Results, names: Sequence[str], look: dict[str, Look]) -> list[Figure]:
    arrays = {arm: mine for arm in names if (mine := results.arrays(arm))}
    confusion, reliability, slices = (
        compute_confusion(arrays),
        compute_reliability(arrays),
        compute_slices(arrays),
    )
    found: list[Figure] = []
    if confusion.arms:
        found.append(figure_of("confusion", texts.CONFUSION, plot_confusion(confusion)))
    if reliability.arms:
        found.append(
            figure_of("reliability", texts.RELIABILITY, plot_reliability(reliability, look))
        )
    if slices.lines:
        found.append(figure_of("slice-lines", texts.LINES, plot_lines(slices, look)))
    if slices.planes:
        found.append(figure_of("slice-planes", texts.PLANES, plot_planes(slices)))
    return found


def _plain(docstring: str) -> str:
    """Return a docstring as a caption."""
    return " ".join(docstring.replace("``", "").split())


def _search(results: Results, look: dict[str, Look]) -> list[Figure]:
    sensitivity = compute_sensitivity(results.study, results.trials)
    parallel = compute_parallel(results.study, results.trials)
    importance = compute_importance(results.importances)
    found = []
    budget = winner_by_budget(results)
    if budget is not None and len(budget.budgets) > 1:
        found.append(figure_of("budget", texts.budget_text(budget), plot_budget(budget, look)))
    if sensitivity.panels:
        found.append(
            figure_of("sensitivity", texts.SENSITIVITY, plot_sensitivity(sensitivity, look))
        )
    if pairs := compute_pairs(results.study, results.trials):
        found.append(figure_of("pairs", texts.PAIRS, plot_pairs(pairs)))
    if any(len(axes) > 2 for axes in parallel.arms.values()):
        found.append(figure_of("parallel", texts.PARALLEL, plot_parallel(parallel, look)))
    if importance.arms:
        found.append(figure_of("importance", texts.IMPORTANCE, plot_importance(importance, look)))
    return found
