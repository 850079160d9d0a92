"""An arm whose runs fail alike is given up; one that works for some values is not."""

from __future__ import annotations

import pytest

import harness as h
from harness import results
from harness.analysis.answer import answer_study
from harness.analysis.audit.failing import failed_runs
from harness.cli.inspect import show_arms
from harness.core.records import Outcome
from harness.protocol.hopeless import Failures
from harness.protocol.progress import Progress
from harness.report.page import render
from tests.studies import small

LOOP = """
import pathlib

def train(run):
    pathlib.Path("tried").open("a").write("x")
    if run.config["arm"] == "bad" or run.config["x"] > run.config["wall"]:
        raise RuntimeError(f"no luck with {run.config['x']}")
    run.log(1, valid_loss=run.config["x"])
    if run.confirming:
        run.test(loss=1.0)
"""

BOMB = {"MLP": h.MLP(widths=(8,)), "bomb": {"name": "tests.plugins.Failing"}}


class Told(Progress):
    def __init__(self):
        self.lines = []

    def say(self, text):
        self.lines.append(text)


def failed(detail):
    return Outcome("failed", (), {}, detail)


def test_three_failures_alike_are_told_once_and_numbers_do_not_count():
    told = Told()
    failures = Failures(told)
    for number in range(2):
        failures.add("a", failed(f"size {number} is wrong"))
    failures.add("a", failed("another"))
    assert not failures.hopeless("a") and not told.lines
    for number in (7.5e-3, 9):
        failures.add("a", failed(f"size {number} is wrong"))
    assert "size 0.0075 is wrong" in failures.hopeless("a") and len(told.lines) == 1
    assert not failures.hopeless("b")


def test_an_arm_that_has_worked_is_never_given_up():
    failures = Failures(Told())
    failures.add("a", Outcome("diverged", (), {}))
    for _ in range(5):
        failures.add("a", failed("same"))
    assert not failures.hopeless("a")


def test_a_hopeless_arm_of_the_engine_is_given_up_in_the_search_and_everything_says_so(folder):
    recipe = small().recipe.with_values({"optimizer.lr": h.LogUniform(1e-2, 1.0)})
    study = small(recipe=recipe, compare={"model": BOMB}, claims=())
    told = Told()
    summary = h.run_study(study, h.Options(workers=0), told)
    assert (summary.trained, summary.failed) == (16, 8)
    runs = results.load("small").runs
    failed = runs[runs["arm"] == "bomb"]
    assert failed["stage"].value_counts().to_dict() == {"search": 6, "confirm": 2}
    reason = "RuntimeError: boom (plugins.py"
    untried = f"not tried, since 3 runs of its arm failed alike: {reason}"
    tried = ~failed["detail"].str.startswith(untried)
    assert tried.sum() == 3 and set(failed["stage"][tried]) == {"search"}
    assert failed["detail"][tried].str.startswith(reason).all()
    assert sum(reason in line for line in told.lines) == 1

    loaded = results.load("small")
    assert "No run of bomb ended well." in answer_study(loaded).sentence
    [finding] = failed_runs(loaded)
    assert "bomb: 8 of its 8 runs failed" in finding.text and reason in finding.text
    assert "5 of them not tried after equal failures" in finding.text
    page = render(loaded)
    assert "failed runs" in page and "bomb: 8 of its 8 runs failed" in page


def test_equal_reasons_are_told_once_by_status(folder, capsys):
    study = small(compare={"model": BOMB}, claims=(), search=None, seeds=5)
    h.run_study(study, h.Options(workers=0))
    capsys.readouterr()
    show_arms("small", None)
    told = capsys.readouterr().out.replace("\n", " ")
    assert told.count("RuntimeError: boom") == 2
    assert "and 2 more: RuntimeError" in told and "and 1 more: not tried" in told


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_the_remaining_runs_of_a_hopeless_arm_are_not_tried(
    tmp_path, monkeypatch, quick_stores, workers
):
    (tmp_path / f"loop{workers}.py").write_text(LOOP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("harness.protocol.run.check_study", lambda study: None, raising=False)
    monkeypatch.setattr("harness.protocol.check.check_study", lambda study: None)
    monkeypatch.setattr("harness.protocol.check.own_notes", lambda study, arm: [])
    monkeypatch.setattr("harness.protocol.check.unread_values", lambda arms, recipes: [])
    recipe = h.Recipe(
        trainer=f"loop{workers}.train",
        config={"arm": "good", "x": h.Uniform(0.0, 1.0), "wall": 0.5},
        steps=1,
    )
    study = h.Study(
        name="hopeless",
        recipe=recipe,
        compare={"config.arm": ["good", "bad"]},
        search=h.Search(trials=6, batch=6, sampler="qmc"),
        seeds=2,
    )
    told = Told()
    h.run_study(study, h.Options(workers=workers), told)
    runs = results.load("hopeless").runs
    bad = runs[runs["arm"] == "bad"]
    good = runs[(runs["arm"] == "good") & (runs["stage"] == "search")]
    assert len(bad) == 8 and set(bad["status"]) == {"failed"}
    assert {"finished", "failed"} == set(good["status"]), "its failures are those of some values"
    tried = len((tmp_path / "tried").read_text())
    assert 3 <= tried - (6 + 2) <= (3 if workers == 0 else 8 - 2)
    assert len([line for line in told.lines if "failed alike" in line]) == 1
