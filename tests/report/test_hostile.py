"""Hostile names are shown as text, wherever they come from."""

import re

from mlflow import MlflowClient

import harness as h
from harness import results
from harness.protocol.run import Options, run_study
from harness.report.page import render, write_report
from tests import plugins
from tests.report.pages import Page, assert_safe, figures, finished, many

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "\"quoted\" & 'both' {{ 7*7 }}",
    "🙂 𝔲𝔫𝔦 Ünï \u202e",
    "a" * 300,
    "__proto__",
    "%{x} $\\frac{1}{2}$",
]


def test_hostile_names_are_shown_as_text(folder):
    question = "Is <script>alert('x')</script> <b>safe</b>?"
    study = many(
        HOSTILE,
        name="Two words",
        question=question,
        claims=[h.Claim.better(HOSTILE[0], than=HOSTILE[1])],
    )
    study_results = finished(study)
    text = render(study_results)
    page = assert_safe(text)
    shown = " ".join(page.shown)
    for name in HOSTILE:
        assert name in shown
    assert question in shown and "7*7" in shown and "b" not in page.tags
    assert write_report(study_results, folder / "reports").name == "two-words.html"
    index = Page((folder / "reports" / "index.html").read_text())
    assert question in " ".join(index.shown) and "b" not in index.tags
    assert index.tags.count("script") == 1  # its own, which its policy names by hash


def test_hostile_names_of_the_user_s_own_parts_and_of_tags_are_shown_as_text(folder, monkeypatch):
    names = [name.replace(".", "·") for name in HOSTILE]
    kinds = {"net": plugins.TinyNet, "data": plugins.Stripes, "probe": plugins.WeightSum}
    for name in names:
        for kind, base in kinds.items():
            own = type(f"{name} {kind}", (base,), {"__module__": plugins.__name__})
            own.prefix = name
            monkeypatch.setattr(plugins, own.__name__, own, raising=False)
    arms = {
        n: {
            "model": {"name": f"tests.plugins.{n} net"},
            "data": {"name": f"tests.plugins.{n} data"},
        }
        for n in names
    }
    recipe = h.Recipe(data="iris", model=h.MLP(), optimizer=h.SGD(lr=0.1), batch_size=50, epochs=2)
    probes = [{"name": f"tests.plugins.{name} probe"} for name in names[:2]]
    run_study(
        h.Study(name="own", recipe=recipe, compare={"arm": arms}, seeds=2, probes=probes),
        Options(workers=0),
    )
    for run_id in results.load("own").runs["run_id"]:
        for key in ("mlflow.runName", "mlflow.note.content", "mine"):
            MlflowClient().set_tag(run_id, key, HOSTILE[1])
    page = assert_safe(render(results.load("own")))
    shown = re.sub(r"\s+", " ", " ".join(page.shown))
    assert [name for name in names if f"tests.plugins.{name} net" not in shown] == []
    assert [name for name in names[:2] if f"{name}/all" not in shown] == []
    assert len(figures(page)) > 4


def test_a_study_whose_runs_all_failed_has_a_report(folder):
    recipe = h.Recipe(
        data="iris", model="tests.engine.given.LeavingLater", optimizer=h.SGD(lr=0.1), epochs=1
    )
    study = h.Study(name="all failed", recipe=recipe, seeds=2)
    assert run_study(study, Options(workers=0)).failed == 2
    loaded = results.load("all failed")
    assert set(loaded.runs["detail"].str.partition(":")[0]) == {"SystemExit"}
    assert "2 failed" in " ".join(assert_safe(render(loaded)).shown)
