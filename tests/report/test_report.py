"""The report: true numbers, safe with any name, complete with one arm and with thirty, and nothing from the network."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest
from scipy import stats as scipy_stats

import harness as h
from harness import results
from harness.analysis.answer import answer
from harness.analysis.budget import Budget, winner_by_budget
from harness.core.errors import HarnessError
from harness.report.compare import write_comparison
from harness.report.figures.budget import plot_budget
from harness.report.figures.confusion import compute_confusion, plot_confusion
from harness.report.figures.critical import compute_critical, plot_critical
from harness.report.figures.curves import compute_curves, plot_curves
from harness.report.figures.gap import compute_gap
from harness.report.figures.importance import compute_importance, plot_importance
from harness.report.figures.improvement import compute_improvement, plot_improvement
from harness.report.figures.interaction import compute_interactions, plot_interactions
from harness.report.figures.noise_batch import NoiseBatch, compute_noise_batch, plot_noise_batch
from harness.report.figures.pairs import compute_pairs, plot_pairs, surface
from harness.report.figures.parallel import compute_parallel, plot_parallel
from harness.report.figures.probes import compute_layers, compute_panels, plot_layers, plot_panels
from harness.report.figures.profile import Profile, compute_profile, plot_profile
from harness.report.figures.ranking import Ranking, compute_ranking, plot_ranking
from harness.report.figures.reliability import compute_reliability, plot_reliability
from harness.report.figures.sensitivity import compute_sensitivity, plot_sensitivity
from harness.report.figures.slices import compute_slices, plot_lines, plot_planes
from harness.report.figures.survival import SurvivalCurves, compute_survival, plot_survival
from harness.report.page import render, write_report
from harness.report.style import looks
from harness.spec.arms import arms
from tests.report.pages import Page, assert_safe, figures, finished, many
from tests.studies import small


def test_page_of_a_tuned_study(folder):
    found = finished(small())
    text = render(found)
    page = assert_safe(text)
    assert text == render(found), "the same results give the same bytes"
    assert len(figures(page)) >= 4
    shown = " ".join(page.shown)
    assert "Which is better?" in shown and "Adam ends with a better" in shown
    for row in found.confirmed.itertuples():
        assert row.run_id[:8] in text


def test_ranking_is_the_mean_and_t_interval_of_the_seeds(folder):
    found = finished(small(seeds=4))
    said = answer(found)
    assert said.metric == "test/loss"
    means = []
    for place in said.ranking:
        values = (
            found.confirmed[found.confirmed["arm"] == place.arm]
            .sort_values("seed")["test/loss"]
            .to_numpy(float)
        )
        low, high = scipy_stats.t.interval(0.95, 3, values.mean(), scipy_stats.sem(values))
        assert place.interval == pytest.approx((values.mean(), low, high))
        means.append(values.mean())
    assert means == sorted(means)
    one, other = ([*place.values] for place in said.ranking)
    assert said.ranking[1].p == pytest.approx(
        scipy_stats.ttest_rel(np.log(one), np.log(other)).pvalue
    )


def test_curves_are_the_means_over_seeds(folder):
    found = finished(small(seeds=3))
    data = compute_curves(found.curves_of(found.confirmed), "loss", ["SGD", "Adam"])
    band = next(b for b in data.bands if (b.arm, b.part) == ("SGD", "valid"))
    mine = found.curves[(found.curves["arm"] == "SGD") & (found.curves["stage"] == "confirm")]
    expected = mine.groupby("step")["valid/loss"].mean()
    assert list(band.positions["step"][band.at]) == list(expected.index)
    centre, low, high = band.centres["mean"]
    assert centre == pytest.approx(expected.to_numpy())
    assert band.centres["median"][0] == pytest.approx(
        mine.groupby("step")["valid/loss"].median().to_numpy()
    )
    assert (low <= centre).all() and (centre <= high).all()
    assert len(band.singles) == 3


@pytest.mark.parametrize("count", [1, 2, 30])
def test_any_number_of_arms(folder, count):
    found = finished(many([f"arm {i:02d}" for i in range(count)]))
    page = assert_safe(render(found))
    rows = [
        figure
        for figure in figures(page)
        if figure["layout"]["xaxis"].get("title", {}).get("text") == "test/loss"
    ]
    assert len(rows) == 1 and len(rows[0]["data"]) == 2 * count
    look = looks([f"arm {i:02d}" for i in range(count)])
    assert len(set(look.values())) == count
    assert ('name="bands" checked' in render(found)) == (count < 30)


def test_one_arm_without_a_search_or_factors(folder):
    study = many(["x"], compare={}, seeds=1)
    page = assert_safe(render(finished(study)))
    assert figures(page)


def test_all_arms_diverged(folder):
    recipe = h.Recipe(
        data="digits", model=h.MLP(widths=(8,)), optimizer=h.SGD(lr=1e9), loss="mse", epochs=2
    )
    study = many(
        ["a", "b"], recipe=recipe, compare={"optimizer": {"a": h.SGD(lr=1e9), "b": h.SGD(lr=1e8)}}
    )
    found = finished(study)
    assert set(found.confirmed["status"]) == {"diverged"}
    page = assert_safe(render(found))
    assert "diverged" in " ".join(page.shown)


def test_index_lists_every_report_with_its_answer(folder):
    reports = folder / "reports"
    both = [
        finished(many(["x", "y"], name=name, question=f"What of {name}?"))
        for name in ("first", "second")
    ]
    for found in both:
        write_report(found, reports)
    write_comparison(both, reports)
    (reports / "mine.html").write_text("<html>somebody's notes</html>")
    page = Page((reports / "index.html").read_text())
    assert [load for load in page.loads if load.endswith(".html")] == [
        "first.html",
        "second.html",
        "compare-first-second.html",
    ]
    assert "first · second" in page.shown and "What of second?" in " ".join(page.shown)


NOTHING = many([])
EMPTY = results.pd.DataFrame(columns=["arm", "trial", "status", "value"])


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plot_ranking(Ranking("test/loss", (), ()), {}),
        lambda: plot_curves(compute_curves(EMPTY.assign(seed=[], step=[]), "loss", []), {}),
        lambda: plot_sensitivity(compute_sensitivity(NOTHING, EMPTY), {}),
        lambda: plot_parallel(compute_parallel(NOTHING, EMPTY), {}),
        lambda: plot_importance(compute_importance({}), {}),
        lambda: plot_panels(compute_panels(EMPTY, "gradient", []), {}),
        lambda: plot_survival(SurvivalCurves("valid/loss", 1.0, "steps", {}, {}), {}),
        lambda: plot_budget(Budget("valid/loss", False, False, (), {}, ()), {}),
        lambda: plot_profile(Profile("test/loss", False, {}), {}),
        lambda: plot_interactions(()),
        lambda: plot_pairs(compute_pairs(NOTHING, EMPTY)),
        lambda: plot_curves(compute_gap(EMPTY, "loss", []), {}),
        lambda: plot_confusion(compute_confusion({})),
        lambda: plot_reliability(compute_reliability({}), {}),
        lambda: plot_lines(compute_slices({}), {}),
        lambda: plot_planes(compute_slices({})),
        lambda: plot_noise_batch(NoiseBatch({}), {}),
    ],
    ids=[
        "ranking",
        "curves",
        "sensitivity",
        "parallel",
        "importance",
        "probes",
        "survival",
        "budget",
        "profile",
        "interactions",
        "pairs",
        "gap",
        "confusion",
        "reliability",
        "lines",
        "planes",
        "noise",
    ],
)
def test_every_figure_can_be_empty(draw):
    assert isinstance(draw(), go.Figure)


def test_every_figure_shows_every_arm(folder):
    found = finished(
        small(
            probes=["GradientNorm"],
            claims=[h.Claim.faster("SGD", than="Adam", to=("valid/accuracy", 0.5))],
        )
    )
    look = looks([arm.name for arm in arms(found.study)])
    said = answer(found)
    drawn = {
        "ranking": plot_ranking(compute_ranking(said), look),
        "curves": plot_curves(
            compute_curves(found.curves_of(found.confirmed), "loss", list(look)), look
        ),
        "sensitivity": plot_sensitivity(compute_sensitivity(found.study, found.trials), look),
        "probes": plot_panels(compute_panels(found.confirmed_curves, "gradient", list(look)), look),
        "survival": plot_survival(
            compute_survival(found, found.study.claims[0].goal, list(look)), look
        ),
        "profile": plot_profile(compute_profile(said), look),
        "gap": plot_curves(compute_gap(found.confirmed_curves, "loss", list(look)), look),
        "budget": plot_budget(winner_by_budget(found), look),
    }
    (layers,) = compute_layers(found.confirmed_curves, "gradient", list(look))
    assert [trace.name for trace in plot_layers(layers).data] == list(look)
    assert layers.arms["SGD"][1] == ("hidden.0", "out") and layers.log
    for figure in drawn.values():
        assert {trace.legendgroup for trace in figure.data} == set(look)


def test_critical_differences_are_nemenyi_s(folder):
    found = finished(many(["a", "b", "c"], seeds=5))
    said = answer(found)
    data = compute_critical(said)
    assert data.distance == pytest.approx(2.344 * np.sqrt(3 * 4 / (6 * 5)), rel=1e-3)
    assert sum(data.ranks) == pytest.approx(6) and list(data.ranks) == sorted(data.ranks)
    assert {trace.name for trace in plot_critical(data, looks(["a", "b", "c"])).data} >= {
        "a",
        "b",
        "c",
    }
    assert compute_critical(said._replace(ranking=said.ranking[:2])) is None


def test_the_page_shows_the_audit_the_diagnostics_and_the_failures(folder):
    wild = many(["mild", "wild"], compare={"optimizer": {"mild": h.SGD(lr=0.1), "wild": h.SGD(lr=1e9)}}, probes=["light"], seeds=3,
                recipe=h.Recipe(data="iris", model=h.MLP(widths=(4,), activation="identity"), loss="mse", optimizer=h.SGD(lr=0.1), epochs=12),
                claims=[h.Claim.equal("mild", than="wild", margin=0.1)])  # fmt: skip
    page = assert_safe(render(finished(wild)))
    shown = " ".join(page.shown)
    assert "Checked: equal budgets" in shown and "loss not finite at step" in shown
    assert "Diagnostics" in shown and "GradientNorm" in shown and "Gradient by layer" in shown


def test_statistics_are_those_of_the_runs(folder):
    found = finished(many(["a", "b"], seeds=5))
    said = answer(found)
    better, worse = said.ranking
    data = compute_improvement(said)
    wins = np.mean([[x < y for y in worse.values] for x in better.values])
    assert data.shares[0, 1] == pytest.approx(wins) and data.shares[1, 0] == pytest.approx(1 - wins)
    assert isinstance(plot_improvement(data), go.Figure)
    values, shares = compute_profile(said).arms[better.arm]
    assert list(values) == sorted(better.values) and list(shares) == pytest.approx(
        [0.2, 0.4, 0.6, 0.8, 1.0]
    )


def test_interactions_average_over_the_other_factors(folder):
    levels = {
        "optimizer": {"slow": h.SGD(lr=0.01), "fast": h.SGD(lr=0.3)},
        "batch_size": {"8": 8, "32": 32},
    }
    found = finished(many(["x"], compare=levels, seeds=3))
    pairs = compute_interactions(found, answer(found))
    assert {(p.across, p.by) for p in pairs} == {
        ("optimizer", "batch_size"),
        ("batch_size", "optimizer"),
    }
    cell = pairs[0].cells["8"]["fast"]
    assert cell.mean == pytest.approx(found.by_arm["fast / 8"]["test/loss"].mean())
    assert len(plot_interactions(pairs).data) == 4


def test_good_trials_and_pairs_of_hyperparameters(folder):
    space = h.SGD(lr=h.LogUniform(0.01, 1.0), momentum=h.Uniform(0.0, 0.9))
    found = finished(
        many(
            ["x"], compare={"optimizer": {"x": space}}, search=h.Search(trials=12, sampler="random")
        )
    )
    data = compute_sensitivity(found.study, found.trials)
    best = found.trials["value"].min()
    good = found.trials[found.trials["value"] <= 1.1 * best]["optimizer.lr"]
    (near,) = [n for n in data.near if n.name == "optimizer.lr"]
    assert (near.low, near.high, near.trials) == (good.min(), good.max(), len(good))
    (pair,) = compute_pairs(found.study, found.trials)
    x, y, z = surface(pair)
    assert (
        z.min() >= pair.z.min()
        and z.max() <= pair.z.max()
        and x.max() == pytest.approx(pair.x.max())
    )
    assert len(plot_pairs((pair,)).data) == 2


def test_arrays_of_probes_become_figures(folder):
    found = finished(
        many(["a", "b"], probes=["Confusion", "Calibration", "LossSlice", "NoiseScale"], seeds=2)
    )
    arrays = {arm: found.arrays(arm) for arm in ("a", "b")}
    maps = compute_confusion(arrays).arms
    assert maps["a"].sum(1) == pytest.approx([1.0, 1.0, 1.0])
    confidence, accuracy, count = compute_reliability(arrays).arms["a"]
    last = (
        found.confirmed_curves.dropna(subset=["calibration/confidence"])
        .groupby(["arm", "seed"])["calibration/confidence"]
        .last()
    )
    assert np.average(confidence, weights=count) == pytest.approx(last["a"].mean())
    slices = compute_slices(arrays)
    assert slices.lines["a"][1].shape == (2, 29) and slices.planes["b"].shape == (15, 15)
    look = looks(["a", "b"])
    drawn = (
        plot_confusion(compute_confusion(arrays)),
        plot_reliability(compute_reliability(arrays), look),
        plot_planes(slices),
    )
    assert [len(figure.data) for figure in drawn] == [2, 2, 2] and len(
        plot_lines(slices, look).data
    ) == 6
    sizes = compute_noise_batch(found, found.confirmed_curves, ["a", "b"]).arms
    assert all(size == 32 for size, *_ in sizes.values()) and len(
        plot_noise_batch(NoiseBatch(sizes), look).data
    ) == 1 + len(sizes)


def test_figures_are_an_api(folder):
    figures = finished(small(probes=["GradientNorm"])).figures
    for name in ("ranking", "loss_curves", "accuracy_curves", "generalization_gap", "improvement", "profile", "budget", "sensitivity",
                 "pairs", "parallel", "importance", "interactions"):  # fmt: skip
        assert isinstance(getattr(figures, name)(), go.Figure), name
    drawn = figures.curves("gradient/all")
    assert {trace.legendgroup for trace in drawn.data} == {"SGD", "Adam"}
    with pytest.raises(HarnessError, match=r"no run recorded 'gradient/al'.*gradient/all"):
        figures.curves("gradient/al")
    with pytest.raises(HarnessError, match="three arms and four seeds"):
        figures.critical_difference()


def test_long_curves_keep_their_extremes_and_the_page_says_so(folder):
    study = many(
        ["a", "b"],
        recipe=h.Recipe(
            data="iris", model=h.MLP(widths=(4,)), optimizer=h.SGD(lr=0.1), epochs=400, eval_every=1
        ),
    )
    found = finished(study)
    whole = found.confirmed_curves
    data = compute_curves(whole, "loss", ["a"], points=50)
    assert data.thinned
    for band in data.bands:
        for single in band.singles:
            mine = whole[(whole["arm"] == "a") & (whole["seed"] == single.seed)][
                f"{band.part}/loss"
            ]
            assert len(single.values) <= 52 and {mine.min(), mine.max()} <= set(single.values)
            assert np.array_equal(mine.to_numpy()[single.at], single.values)
    assert "at most 200 points" in render(found)
