"""The contract of every figure: drawn with no, one, two and four arms, explained, and added by a file and two lines."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import plotly.io
import pytest

import harness as h
from harness.analysis.answer import Answer
from harness.core.errors import HarnessError, SpecError
from harness.report import figures as figures_package
from harness.report import gallery, sections
from harness.report.figure_files import figure_files
from harness.report.figures import registry
from harness.report.figures.base import FigureContext, FigureSet
from harness.report.figures.registry import FIGURES, check_hero
from harness.report.page import render
from harness.report.style import label
from harness.spec.arms import build_arms
from tests.report.pages import assert_safe, figures, finished, many, unpacked

# one process makes the studies once for all
pytestmark = pytest.mark.xdist_group("figures")

OPTIMIZERS = {
    "SGD": h.SGD(lr=h.LogUniform(0.01, 1.0), momentum=h.Uniform(0.0, 0.9)),
    "Adam": h.Adam(lr=h.LogUniform(0.001, 0.1), beta1=h.Uniform(0.5, 0.95)),
}
PROBES = [
    *("GradientNorm", "Confusion", "Calibration", "LossSlice", "NoiseScale"),
    *({"name": "Trajectory", "plane": 3}, {"name": "Surfaces", "steps": 9}),
]


def nothing():
    """Return the context of a study that has no arm, no run and no trial."""
    results = SimpleNamespace(
        study=many([]),
        trials=pd.DataFrame(columns=["arm", "trial", "status", "value"]),
        confirmed_curves=pd.DataFrame(columns=["run_id", "arm", "seed", "step", "epoch"]),
        importances={},
        by_arm={},
    )
    return FigureContext(results, Answer("test/loss", False, (), (), "", "", True), {})


def something(optimizers, batch_sizes):
    """Return the context of a study with a search, two factors, probes, and a claim with a target."""
    first = f"{optimizers[0]} / {batch_sizes[0]}"
    last = f"{optimizers[-1]} / {batch_sizes[-1]}"
    claims = [h.Claim.faster(first, than=last, to=("valid/accuracy", 0.5))] if first != last else []
    study = many(
        [],
        name=f"{len(optimizers) * len(batch_sizes)} arms",
        compare={
            "optimizer": {name: OPTIMIZERS[name] for name in optimizers},
            "batch_size": {str(size): size for size in batch_sizes},
        },
        search=h.Search(trials=10, sampler="random"),
        seeds=4,
        probes=PROBES,
        claims=claims,
    )
    return FigureContext.of(finished(study))


@pytest.fixture(scope="module")
def contexts(tmp_path_factory, template_store):
    """Contexts by their number of arms."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder := tmp_path_factory.mktemp("contexts"))
        shutil.copy(template_store, folder / "mlflow.db")
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield {
            0: nothing(),
            1: something(["SGD"], [16]),
            2: something(["SGD", "Adam"], [16]),
            4: something(["SGD", "Adam"], [16, 32]),
        }


@pytest.mark.parametrize("count", [0, 1, 2, 4])
@pytest.mark.parametrize("entry", FIGURES, ids=lambda entry: entry.name)
def test_a_figure_is_drawn_with_any_number_of_arms(contexts, entry, count):
    context = contexts[count]
    drawn = 0
    for figure in entry.figures(context):
        on_page = figure.on_page(context)
        if on_page is None:
            with pytest.raises(HarnessError, match=f"{figure.name}: expected a study with"):
                figure.draw(context)
            continue
        drawn += 1
        assert on_page.text.title and (on_page.text.shows or figure.section == "metrics")
        own = figure.draw(context)
        assert isinstance(own, go.Figure) and own.data, "Plotly has checked every property of it"
        assert_axes_read_as_the_text_does(own)
        plain = json.loads(unpacked(on_page.packed))
        # the page folds the seeds of an arm into one trace
        assert 0 < len(plain["data"]) <= len(own.data)
        assert count == 1 or missing_arms(context, json.dumps(plain, ensure_ascii=False)) == []
    if count == 0:
        assert drawn == 0, "there is nothing to show"
    if count == 4:
        assert drawn > 0, "this study has all that any figure needs"


def assert_axes_read_as_the_text_does(figure):
    """Check that no axis says 100µ for a ten-thousandth, and that accuracies are in per cent."""
    layout = figure.layout.to_plotly_json()
    axes = [axis for name, axis in layout.items() if name.startswith(("xaxis", "yaxis"))]
    for axis in axes:
        if set(axis) == {"anchor", "domain"}:  # of an odd number of panels the last place is empty
            continue
        assert axis.get("visible") is False or axis["exponentformat"] in ("power", "e")
        title = axis.get("title", {}).get("text", "")
        if "accuracy" in title and " to " not in title:  # the time to an accuracy is none
            assert "%" in axis["tickformat"]


def missing_arms(context, shown):
    """Return the arms that a figure names nowhere, neither by themselves nor by their levels."""
    return [
        arm.name
        for arm in build_arms(context.results.study)
        if label(arm.name) not in shown
        and not all(label(level) in shown for level in arm.levels.values())
    ]


@pytest.fixture(scope="module")
def files(contexts):
    """The files of figures by the number of arms."""
    return {count: figure_files(contexts[count]) for count in (0, 2)}


@pytest.mark.parametrize("count", [0, 2])
def test_files_of_figures_open_in_plotly_and_show_what_is_drawn(contexts, files, count):
    context = contexts[count]
    every = [figure for entry in FIGURES for figure in entry.figures(context)]
    shown = [figure for figure in every if figure.data_of(context) is not None]
    assert [*files[count]] == [f"{figure.id}.json" for figure in shown]
    assert "/" not in "".join(files[count])
    for figure, text in zip(shown, files[count].values(), strict=True):
        opened, drawn = plotly.io.from_json(text), figure.draw(context)
        assert len(text) < 150_000
        traces = [trace for trace in drawn.data if (trace.meta or {}).get("kind") != "seed"]
        assert [trace.name for trace in opened.data] == [trace.name for trace in traces]
        assert opened.layout.xaxis.title.text == drawn.layout.xaxis.title.text
        for kept, trace in zip(opened.data, traces, strict=True):
            for axis in {"x", "y", "z"} & {*trace}:
                assert_same(kept[axis], trace[axis])
            if trace.meta:
                assert kept.meta["arm"] == trace.meta["arm"], "traces can be chosen by their arm"


def test_a_file_is_restyled_as_the_docs_say(files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = Path(__file__).parents[2] / "docs" / "mlflow.md"
    (snippet,) = re.findall(r"```py\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    file = tmp_path / "curves-loss.json"
    file.write_text(files[2][file.name], encoding="utf-8")
    names: dict[str, go.Figure] = {}
    exec(compile(snippet, page.name, "exec"), names)
    drawn = [trace for trace in names["figure"].data if trace.meta["kind"] == "mean"]
    assert {(trace.meta["arm"], trace.meta["part"], trace.visible) for trace in drawn} == {
        (arm, part, True) for arm in ("SGD / 16", "Adam / 16") for part in ("train", "valid")
    }
    assert {trace.line.color == "black" for trace in drawn} == {True, False}
    assert (tmp_path / "loss.html").stat().st_size > 1e6


def assert_same(kept, drawn):
    """Check that coordinates are those that were drawn, as far as a file has digits."""
    kept, drawn = np.ravel(kept), np.ravel(drawn)
    if drawn.dtype.kind in "fi":
        np.testing.assert_allclose(kept.astype(float), drawn, rtol=1e-4)
    else:
        assert [*kept] == [*drawn]


def test_keys_and_names_are_unique(contexts):
    context = contexts[4]
    keys = [figure.id for entry in FIGURES for figure in entry.figures(context)]
    assert len(set(keys)) == len(keys)
    assert len({entry.name for entry in FIGURES}) == len(FIGURES)


def test_every_file_with_a_figure_is_registered():
    folder = Path(registry.__file__).parent
    text = Path(registry.__file__).read_text(encoding="utf-8")
    for path in folder.glob("*.py"):
        if "_FIGURE = Figure(" in path.read_text(encoding="utf-8"):
            assert f"harness.report.figures.{path.stem} import" in text


def test_a_figure_is_added_by_one_file_and_two_lines(contexts, tmp_path, monkeypatch):
    source = Path(__file__).with_name("added_figure.py").read_text(encoding="utf-8")
    (tmp_path / "worst_seeds.py").write_text(source, encoding="utf-8")
    monkeypatch.setattr(figures_package, "__path__", [*figures_package.__path__, str(tmp_path)])
    text = Path(registry.__file__).read_text(encoding="utf-8")
    first = "from harness.report.figures.survival import"
    added = text.replace(
        first, f"from harness.report.figures.worst_seeds import WORST_SEEDS_FIGURE\n{first}"
    ).replace("    PROFILE_FIGURE,\n", "    PROFILE_FIGURE,\n    WORST_SEEDS_FIGURE,\n")
    assert len(added.splitlines()) == len(text.splitlines()) + 2
    edited = ModuleType("registry")
    exec(added, edited.__dict__)
    monkeypatch.delitem(sys.modules, "harness.report.figures.worst_seeds")
    for module in (sections, gallery):
        monkeypatch.setattr(module, "FIGURES", edited.FIGURES)

    results = contexts[2].results
    page = assert_safe(render(results))
    shown = [
        text
        for text in page.shown
        if text in ("Runs at least as good as a value", "Worst seed of each arm")
    ]
    assert shown == ["Runs at least as good as a value", "Worst seed of each arm"], (
        "it follows the one before it"
    )
    bars = [
        f for f in figures(page) if f["data"][0]["type"] == "bar" and "arm" in f["data"][0]["meta"]
    ]
    assert bars
    drawn = results.figures.worst_seeds()
    worst = {place.arm: place.values.max() for place in contexts[2].answer.ranking}
    assert {trace.meta["arm"]: trace.x[0] for trace in drawn.data} == worst
    assert "worst_seeds" in dir(results.figures)


def test_sets_tell_what_they_have(contexts):
    gallery_of = contexts[4].results.figures
    assert isinstance(gallery_of.survival(), go.Figure), "there is one target alone"
    with pytest.raises(HarnessError, match=r"curves: expected one of: loss, accuracy, "):
        gallery_of.curves()
    with pytest.raises(HarnessError, match=r"no figure 'gradient/al'; did you mean 'gradient/all'"):
        gallery_of.curves("gradient/al")
    with pytest.raises(AttributeError, match="did you mean 'improvement'"):
        gallery_of.improvements()
    names = {entry.name for entry in FIGURES if isinstance(entry, FigureSet)}
    assert names == {"survival", "curves", "probe"}
    assert all(getattr(gallery_of, entry.name).__doc__ for entry in FIGURES)


def test_the_hero_is_a_figure_that_stands_alone():
    check_hero("")
    check_hero("interactions")
    for name in ("interaction", "curves", "probe"):
        with pytest.raises(SpecError, match="unknown figure"):
            check_hero(name)
