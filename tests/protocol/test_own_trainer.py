"""Studies of a user's own training loop: searched, frozen, confirmed, judged, resumed and reproduced as all others."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

import harness as h
from harness import results
from harness.analysis.audit import audit
from harness.core.errors import SpecError
from harness.protocol.runs import key_of
from harness.spec.arms import Run, arms_of_search, build_arms

LOOP = """
from helper import shift

def train(run):
    for step in range(1, run.steps + 1):
        run.log(step, valid_loss=(run.config["x"] - shift) ** 2 + run.split / step)
    if run.confirming:
        run.test(loss=run.seed % 100 + run.config["depth"])
"""


@pytest.fixture
def folder(tmp_path, monkeypatch, quick_stores):
    (tmp_path / "mine_loop.py").write_text(LOOP)
    (tmp_path / "helper.py").write_text("shift = 0.25\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    yield tmp_path
    for name in ("mine_loop", "helper"):
        sys.modules.pop(name, None)


def study(**fields):
    base = {
        "name": "own",
        "recipe": h.Recipe(
            trainer="mine_loop.train", config={"x": h.Uniform(0.0, 1.0), "depth": 1}, steps=10
        ),
        "compare": {"config.depth": [1, 2]},
        "search": h.Search(trials=3, searches=2),
        "seeds": 2,
    }
    return h.Study(**base | fields)


@pytest.mark.slow
def test_a_study_of_an_own_loop_is_searched_confirmed_and_known(folder):
    done = h.run_study(study(), h.Options(workers=2))
    assert (done.trained, done.failed) == (3 * 2 * 2 + 2 * 2 * 2, 0)
    found = results.load("own")
    searched = found.runs[found.runs["stage"] == "search"]
    # the first search is on split 0, the other on split 1
    expected = (searched["config.x"] - 0.25) ** 2 + searched["search"] / 10
    assert np.allclose(searched["valid/loss"], expected)
    assert "test/loss" not in searched or searched["test/loss"].isna().all()
    best = searched.loc[searched.groupby(["arm", "search"])["valid/loss"].idxmin()]
    confirmed = found.confirmed
    assert sorted(set(confirmed["config.x"])) == sorted(set(best["config.x"]))
    assert np.allclose(confirmed["test/loss"], confirmed["seed"] % 100 + confirmed["config.depth"])
    assert (
        [place.arm for place in found.ranking] == ["1", "2"] if hasattr(found, "ranking") else True
    )
    again = h.run_study(study(), h.Options(workers=2))
    assert again.trained == 0 and again.known == 20


def test_pruned_trials_of_an_own_loop_are_the_worst(folder):
    tuned = study(
        search=h.Search(trials=10, pruner="median", sampler="random", batch=5), compare={}, seeds=1
    )
    h.run_study(tuned, h.Options(workers=2))
    runs = results.load("own").runs
    pruned = runs[runs["status"] == "pruned"]
    kept = runs[(runs["status"] == "finished") & (runs["stage"] == "search")]
    assert len(pruned) and pruned["cost/steps"].max() < 10
    assert kept["valid/loss"].min() <= pruned["valid/loss"].min()


def test_keys_go_by_all_own_code_that_a_loop_imports(folder):
    run = Run.of(study(compare={}).recipe.with_values({"config.x": 0.5}), 0)
    key = key_of(run)
    assert key_of(run) == key
    (folder / "helper.py").write_text("shift = 0.26\n")
    changed = key_of(run)
    assert changed != key
    (folder / "unrelated.py").write_text("x = 1\n")
    limited = run.recipe.with_values({"trainer.limit": 5.0})
    assert key_of(Run.of(limited, 0)) == changed, "a limit changes no number"
    assert key_of(Run.of(run.recipe.with_values({"config.depth": 2}), 0)) != changed


def test_a_run_of_an_own_loop_is_reproduced_with_the_code_it_had(folder):
    from harness.protocol.reproduce import reproduce

    h.run_study(study(compare={}, search=h.Search(trials=2)), h.Options(workers=1))
    run_id = results.load("own").confirmed["run_id"].iloc[0]
    (folder / "helper.py").write_text("shift = 0.5\n")
    again = reproduce(run_id)
    assert again.verdict == "identical" and again.points >= 10


def test_recipes_with_a_trainer_need_neither_data_nor_optimizer():
    recipe = h.Recipe(
        trainer="tests.trainers.loops.walk", config={"lr": h.LogUniform(1e-4, 1)}, steps=10
    )
    plain = recipe.dump()
    assert not plain.keys() & {"data", "optimizer", "seconds", "groups"}
    assert h.Recipe.model_validate(plain) == recipe and hash(recipe) == hash(h.Recipe(**plain))
    assert recipe.spaces() == {"config.lr": h.LogUniform(1e-4, 1)}
    made = h.Study(name="s", recipe=recipe, search=h.Search(trials=2, searches=2))
    splits = [arms_of_search(made, k)[0].recipe.data.split for k in range(2)]
    assert splits == [0, 1]
    assert h.Study.model_validate(made.dump()) == made and len(build_arms(made)) == 1


@pytest.mark.parametrize(
    "fields, said",
    [
        ({"trainer": None}, "data: expected a value, got none"),
        ({"trainer": None}, "optimizer: expected a value, got none"),
        ({"steps": None, "seconds": 3.0, "trainer": None, "data": "iris", "optimizer": h.SGD(lr=1)},
         "expected one of epochs, steps, samples, gradients, got seconds"),
        ({"steps": None, "gradients": 3}, "expected one of epochs, steps, samples, seconds, got gradients"),
        ({"trainer": "tests.trainers.loops.nothing"}, "no such name"),
        ({"trainer": {"name": "tests.trainers.loops.walk", "width": 3}}, "goes into recipe.config"),
        ({"config": {"f": object()}}, "expected None, a number, a text"),
        ({"trainer": None, "data": "iris", "optimizer": h.SGD(lr=1), "config": {"a": 1}}, "config: expected a trainer"),
    ],
)  # fmt: skip
def test_mistakes_are_told(fields, said):
    base = {"trainer": "tests.trainers.loops.walk", "steps": 10}
    with pytest.raises(SpecError) as error:
        h.Recipe(**base | fields)
    assert said in str(error.value)


@pytest.mark.slow
def test_a_killed_study_of_own_loops_leaves_no_process(folder):
    (folder / "mine_loop.py").write_text("import time\ndef train(run):\n    time.sleep(300)\n")
    script = (
        "import harness as h\n"
        "recipe = h.Recipe(trainer='mine_loop.train', steps=10)\n"
        "h.run_study(h.Study(name='k', recipe=recipe, seeds=1), h.Options(workers=1))\n"
    )
    driver = subprocess.Popen([sys.executable, "-c", script], cwd=Path.cwd())
    found: list[psutil.Process] = []
    while not found and driver.poll() is None:
        time.sleep(0.2)
        for child in psutil.Process(driver.pid).children(recursive=True):
            if any("trainers.child" in part for part in child.cmdline()):
                found.append(child)
    driver.kill()
    driver.wait()
    psutil.wait_procs(found, timeout=10)
    assert found and not any(child.is_running() for child in found)


def test_seconds_of_an_own_loop_are_its_runs_wall_times_and_the_audit_says_so(folder):
    claim = h.Claim.faster("2", than="1", to=("valid/loss", 0.5), by="seconds")
    done = h.run_study(
        study(
            recipe=h.Recipe(trainer="mine_loop.train", config={"x": 0.5, "depth": 1}, steps=10),
            search=None,
            claims=[claim],
        ),
        h.Options(workers=2),
    )
    assert done.failed == 0
    found = results.load("own")
    ends = found.confirmed_curves.groupby("run_id")["seconds"].max()
    costs = found.confirmed.set_index("run_id")["cost/seconds"]
    assert np.allclose(ends, costs[ends.index])
    assert "wall times" in {finding.check for finding in audit(found)}
