"""The numbers behind figures: those of the runs, and of SciPy and published tables."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from scipy import stats as scipy_stats

import harness as h
from harness.analysis.answer import answer_study
from harness.core.errors import HarnessError
from harness.core.metric_names import describe
from harness.report.figures import curve_data
from harness.report.figures.base import FigureContext
from harness.report.figures.confusion import compute_confusion
from harness.report.figures.critical_difference import compute_critical_difference
from harness.report.figures.curve_data import compute_curves, longest_curve
from harness.report.figures.improvement import compute_improvement
from harness.report.figures.interactions import compute_interactions
from harness.report.figures.layers import compute_layers
from harness.report.figures.noise_batch import compute_noise_batch
from harness.report.figures.pairs import compute_pairs, surface
from harness.report.figures.profile import compute_profile
from harness.report.figures.reliability import compute_reliability
from harness.report.figures.slices import compute_loss_lines, compute_loss_planes
from harness.report.near_best import find_near_best
from harness.report.page import render
from harness.report.progress_table import progress_table
from harness.report.run_table import list_runs
from harness.report.winner_table import winner_table
from tests.report.pages import finished, many
from tests.studies import small


def test_ranking_is_the_mean_and_t_interval_of_the_seeds(folder):
    results = finished(small(seeds=4))
    ranked = answer_study(results)
    assert ranked.metric == "test/loss"
    means = []
    for place in ranked.ranking:
        rows = results.confirmed[results.confirmed["arm"] == place.arm].sort_values("seed")
        values = rows["test/loss"].to_numpy(float)
        # two arms: each at 98 %, so that both hold together with 96 %
        low, high = scipy_stats.t.interval(0.98, 3, values.mean(), scipy_stats.sem(values))
        assert place.interval == pytest.approx((values.mean(), low, high))
        means.append(values.mean())
    assert means == sorted(means)
    one, other = (place.values[0] for place in ranked.ranking)
    # read against 5 %, of which the look spends 4
    assert ranked.ranking[1].p == pytest.approx(
        min(1.0, scipy_stats.ttest_rel(np.log(one), np.log(other)).pvalue * 0.05 / 0.04)
    )


def test_curves_are_the_means_over_seeds(folder):
    results = finished(small(seeds=3))
    curves = results.curves_of(results.confirmed)
    data = compute_curves(curves, "loss", ["SGD", "Adam"])
    band = next(b for b in data.bands if (b.arm, b.part) == ("SGD", "valid"))
    by_step = curves[curves["arm"] == "SGD"].groupby("step")["valid/loss"]
    assert list(band.positions["step"][band.at]) == list(by_step.mean().index)
    centre, low, high = band.centres["mean"]
    assert centre == pytest.approx(by_step.mean().to_numpy())
    assert band.centres["median"][0] == pytest.approx(by_step.median().to_numpy())
    assert (low <= centre).all() and (centre <= high).all()
    assert len(band.singles) == 3


def test_every_trace_of_an_arm_can_be_switched_off(folder):
    claims = [h.Claim.faster("SGD", than="Adam", to=("valid/accuracy", 0.5))]
    results = finished(small(probes=["GradientNorm"], claims=claims))
    drawn = results.figures
    for figure in (
        drawn.ranking(),
        drawn.loss_curves(),
        drawn.sensitivity(),
        drawn.probe("gradient"),
        drawn.survival(),
        drawn.profile(),
        drawn.generalization_gap(),
        drawn.budget(),
    ):
        assert {trace.legendgroup for trace in figure.data} == {"SGD", "Adam"}
    assert {trace.name for trace in drawn.probe("gradient by layer").data} == {"SGD", "Adam"}
    layers = compute_layers(FigureContext.of(results), "gradient", "")
    assert layers.arms["SGD"].layers == ("hidden.0", "out") and layers.log


def test_critical_differences_are_nemenyi_s(folder):
    context = FigureContext.of(finished(many(["a", "b", "c"], seeds=5)))
    data = compute_critical_difference(context)
    assert data.distance == pytest.approx(2.344 * np.sqrt(3 * 4 / (6 * 5)), rel=1e-3)
    assert sum(data.ranks) == pytest.approx(6) and list(data.ranks) == sorted(data.ranks)
    two = context.answer._replace(ranking=context.answer.ranking[:2])
    assert compute_critical_difference(FigureContext(context.results, two, context.looks)) is None


def test_statistics_are_those_of_the_runs(folder):
    context = FigureContext.of(finished(many(["a", "b"], seeds=5)))
    better, worse = context.answer.ranking
    shares = compute_improvement(context).shares
    wins = np.mean([[x < y for y in worse.values[0]] for x in better.values[0]])
    assert shares[0, 1] == pytest.approx(wins) and shares[1, 0] == pytest.approx(1 - wins)
    values, shares = compute_profile(context).arms[better.arm]
    assert list(values) == sorted(better.values[0])
    assert list(shares) == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])


def test_interactions_average_over_the_other_factors(folder):
    levels = {
        "optimizer": {"slow": h.SGD(lr=0.01), "fast": h.SGD(lr=0.3)},
        "batch_size": {"8": 8, "32": 32},
    }
    results = finished(many(["x"], compare=levels, seeds=3))
    pairs = compute_interactions(FigureContext.of(results)).pairs
    assert {(pair.across, pair.by) for pair in pairs} == {
        ("optimizer", "batch_size"),
        ("batch_size", "optimizer"),
    }
    cell = pairs[0].cells["8"]["fast"]
    assert cell.mean == pytest.approx(results.by_arm["fast / 8"]["test/loss"].mean())
    assert len(results.figures.interactions().data) == 4


def test_good_trials_pairs_of_hyperparameters_and_winners(folder):
    space = h.SGD(lr=h.LogUniform(0.01, 1.0), momentum=h.Uniform(0.0, 0.9))
    search = h.Search(trials=12, sampler="random")
    results = finished(many(["x"], compare={"optimizer": {"x": space}}, search=search))
    best = results.trials["value"].min()
    good = results.trials[results.trials["value"] <= 1.1 * best]["optimizer.lr"]
    (near,) = [row for row in find_near_best(results) if row.name == "optimizer.lr"]
    assert (near.low, near.high, near.trials) == (good.min(), good.max(), len(good))
    (pair,) = compute_pairs(FigureContext.of(results)).pairs
    x, y, z = surface(pair)
    assert z.min() >= pair.z.min() and z.max() <= pair.z.max()
    assert x.max() == pytest.approx(pair.x.max())
    (winner,) = winner_table(results).rows
    lr = results.trials.set_index("value").loc[best, "optimizer.lr"]
    assert winner.objective == best and f"optimizer.lr = {lr:.3g}, " in winner.values


def test_arrays_of_probes_become_figures(folder):
    probes = ["Confusion", "Calibration", "LossSlice", "NoiseScale"]
    results = finished(many(["a", "b"], probes=probes, seeds=2))
    context = FigureContext.of(results)
    maps = compute_confusion(context).arms
    assert maps["a"].sum(1) == pytest.approx([1.0, 1.0, 1.0])
    confidence, accuracy, count = compute_reliability(context).arms["a"]
    curves = results.confirmed_curves.dropna(subset=["calibration/confidence"])
    last = curves.groupby(["arm", "seed"])["calibration/confidence"].last()
    assert np.average(confidence, weights=count) == pytest.approx(last["a"].mean())
    assert compute_loss_lines(context).arms["a"][1].shape == (2, 29)
    assert compute_loss_planes(context).arms["b"].shape == (15, 15)
    assert len(results.figures.loss_lines().data) == 6, "two seeds and a mean of each arm"
    sizes = compute_noise_batch(context).arms
    assert all(noise.batch_size == 32 for noise in sizes.values())


def test_figures_are_an_api(folder):
    drawn = finished(small(probes=["GradientNorm"])).figures
    names = "ranking loss_curves accuracy_curves generalization_gap improvement profile budget sensitivity"
    for name in names.split():
        assert isinstance(getattr(drawn, name)(), go.Figure), name
    figure = drawn.curves("gradient/all")
    assert {trace.legendgroup for trace in figure.data} == {"SGD", "Adam"}
    with pytest.raises(HarnessError, match="three arms and four runs .*; 'small' has not"):
        drawn.critical_difference()


def test_the_band_of_a_rate_ends_where_the_rate_does():
    rows = [
        {"arm": "a", "search": 0, "seed": seed, "step": step, "epoch": step, "samples": step}
        | {"valid/accuracy": value, "valid/loss": value}
        for seed, values in enumerate([(0.0, 0.99), (0.2, 1.0), (0.0, 0.8), (0.0, 1.0)])
        for step, value in enumerate(values)
    ]
    [band] = compute_curves(pd.DataFrame(rows), "accuracy", ["a"]).bands
    _, low, high = band.centres["mean"]
    assert (low[0], high[1]) == (0.0, 1.0)
    [band] = compute_curves(pd.DataFrame(rows), "loss", ["a"]).bands
    _, low, high = band.centres["mean"]
    assert low[0] < 0 and high[1] > 1


def test_long_curves_keep_their_extremes_and_the_page_says_so(folder):
    recipe = h.Recipe(
        data="iris", model=h.MLP(widths=(4,)), optimizer=h.SGD(lr=0.1), epochs=400, eval_every=1
    )
    results = finished(many(["a", "b"], recipe=recipe))
    curves = results.confirmed_curves
    assert longest_curve(curves) == 401
    for band in compute_curves(curves, "loss", ["a"], points=50).bands:
        for single in band.singles:
            own = curves[(curves["arm"] == "a") & (curves["seed"] == single.seed)]
            values = own[f"{band.part}/loss"]
            assert len(single.values) <= 52 and {values.min(), values.max()} <= set(single.values)
            assert np.array_equal(values.to_numpy()[single.at], single.values)
    assert "at most 200 points" in render(results)


def test_tables_are_those_of_the_runs(folder):
    results = finished(small())
    ranked = answer_study(results)
    rows = list_runs(results, ranked)
    assert len(rows) == len(results.runs)
    assert [row.stage for row in rows] == ["confirm"] * 4 + ["search"] * 12
    assert [row.arm for row in rows[:4]] == [p.arm for p in ranked.ranking for _ in range(2)]
    confirmed = results.confirmed.set_index("run_id")
    for row in rows[:4]:
        assert row.value == confirmed.loc[row.run_id, "test/loss"]
        assert row.steps == confirmed.loc[row.run_id, "cost/steps"]
    values = results.trials.set_index(["arm", "trial"])["value"]
    assert all(row.value == values[row.arm, row.trial] for row in rows[4:])
    curves = results.confirmed_curves
    progress = progress_table(curves)
    arm, epoch = progress.rows[0]
    mine = curves[(curves["arm"] == arm) & (curves["epoch"] == 1)]
    (column,) = [column for column in progress.columns if column.name == "valid/loss"]
    assert epoch == 1
    assert float(column.cells[0]) == pytest.approx(mine["valid/loss"].mean(), rel=5e-3)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0, 10.0, 100.0], [0.0, 1.0, 2.0]),
        ([0.0, 1e-6, 1.0], [-6.0, -6.0, 0.0]),
        ([0.0, 0.25, 1.0], [0.0, 0.25, 1.0]),
        ([-1.0, 1e-6, 1.0], [-1.0, 1e-6, 1.0]),
    ],
    ids=["positive", "vanished", "shares", "negative"],
)
def test_a_map_of_layers_shows_logarithms_where_values_differ_widely(values, expected):
    curves = pd.DataFrame(
        {"arm": "a", "epoch": [0.0, 1.0, 2.0], "gradient/hidden.0": values, "gradient/all": 1.0}
    )
    context = SimpleNamespace(curves=curves, arms=["a"])
    rows = compute_layers(context, "gradient", "").arms["a"]
    assert rows.layers == ("hidden.0",)
    assert rows.values[0] == pytest.approx(expected)


def test_of_many_runs_some_of_all_are_drawn_one_by_one():
    rows = pd.DataFrame(
        {"arm": "a", "seed": seed, "search": 0, "step": step, "epoch": step, "valid/loss": float(seed)}
        for seed in range(100)
        for step in (0, 1)
    )  # fmt: skip
    band = curve_data._band("a", "valid", rows, "valid/loss", ["epoch"], 20, describe("valid/loss"))
    drawn = [single.seed for single in band.singles]
    assert len(drawn) == 25 and drawn[0] == 0 and drawn[-1] == 96
    assert band.centres["mean"][0][0] == 49.5, "of all of them"
    assert curve_data.most_runs(rows) == 100
