"""An arm whose runs fail alike is given up; one that works for some values is not."""

from __future__ import annotations

import pytest

import harness as h
from harness import results
from harness.core.records import Outcome
from harness.protocol.hopeless import Failures
from harness.protocol.progress import Progress

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
