"""Studies from end to end: what is trained, what is recorded, and what is never trained twice."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from mlflow.tracking import MlflowClient

import harness as h
from harness import results
from harness.core.errors import StoreError
from harness.protocol.run import Options, run_study
from harness.tracking.views import without_links
from tests.studies import ADAM, SGD, small

SERIAL = Options(workers=0)


def run(study, **options):
    return run_study(study, SERIAL._replace(**options))


def numbers(name="small"):
    """Return every run's closing numbers by key, its timing left out."""
    runs = results.load(name).runs.set_index("key").sort_index()
    return runs[[c for c in runs if "/" in c and c != "cost/seconds"]].astype(float)


def recorded(name="small"):
    from harness.tracking import Reader

    return Reader.of(name).runs()


def test_runs_are_nested_and_complete_in_mlflow(folder):
    summary = run(small())
    assert (summary.trained, summary.known, summary.failed) == (16, 0, 0)
    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("small")
    note = experiment.tags["mlflow.note.content"]
    assert note.startswith("Which is better? · [Arms](")
    assert without_links(note).startswith("Which is better?\n\n**")
    runs = {
        r.info.run_id: r for r in client.search_runs([experiment.experiment_id], max_results=1000)
    }
    kinds = pd.Series([r.data.tags["harness.kind"] for r in runs.values()]).value_counts().to_dict()
    assert kinds == {"run": 16, "arm": 2, "study": 1}
    assert all(r.info.status == "FINISHED" for r in runs.values())
    leaf = next(r for r in runs.values() if r.data.tags.get("harness.stage") == "confirm")
    arm = runs[leaf.data.tags["mlflow.parentRunId"]]
    assert (
        arm.data.tags["harness.kind"] == "arm"
        and runs[arm.data.tags["mlflow.parentRunId"]].data.tags["harness.kind"] == "study"
    )
    assert {
        "harness.key",
        "harness.arm",
        "harness.trial",
        "harness.seed",
        "harness.engine",
        "harness.commit",
        "harness.dirty",
    } <= set(leaf.data.tags)
    assert leaf.data.params["batch_size"] == "128" and float(leaf.data.params["optimizer.lr"]) > 0
    assert leaf.inputs.dataset_inputs[0].dataset.name == "Digits"
    history = client.get_metric_history(leaf.info.run_id, "valid/loss")
    assert [m.step for m in history] == [0, 9, 18, 27]
    assert [m.value for m in client.get_metric_history(leaf.info.run_id, "epoch")] == [0, 1, 2, 3]
    study = next(r for r in runs.values() if r.data.tags["harness.kind"] == "study")
    assert {a.path for a in client.list_artifacts(study.info.run_id)} >= {
        "spec.json",
        "environment.json",
        "index.json",
    }


def test_tables_agree_with_training_without_a_study(folder):
    run(small())
    loaded = results.load("small")
    assert (
        len(loaded.runs) == 16
        and len(loaded.trials) == 12
        and set(loaded.winners) == {"SGD", "Adam"}
    )
    row = loaded.confirmed.iloc[-1]
    winner = h.Recipe.model_validate(loaded.winners[row["arm"]][0].recipe)
    again = h.train(winner, seeds=[int(row["seed"])], test=True)
    assert row["test/loss"] == pytest.approx(again.runs["test/loss"][0], rel=1e-5)
    curve = loaded.curves[loaded.curves["run_id"] == row["run_id"]].sort_values("step")
    assert list(curve["valid/loss"]) == pytest.approx(list(again.curves["valid/loss"]), rel=1e-5)
    best = loaded.trials.sort_values("value").groupby("arm").first()
    assert best.loc[row["arm"], "optimizer.lr"] == winner.optimizer.lr
    assert not loaded.runs[loaded.runs["stage"] == "search"]["test/loss"].notna().any()


def test_search_and_confirm_share_no_seed(folder):
    run(small())
    seeds = results.load("small").runs.groupby("stage")["seed"].agg(set)
    assert not seeds["search"] & seeds["confirm"]


def test_nothing_is_trained_twice(folder):
    run(small())
    before = numbers()
    assert run(small()).trained == 0
    assert run(small(seeds=3)).trained == 2
    assert run(small(search=h.Search(trials=9, batch=3), seeds=3)).trained in range(
        6, 6 + 1 + 2 * 3
    )
    three = small(
        seeds=3,
        compare={
            "optimizer": {"SGD": SGD, "Adam": ADAM, "Lion": h.Lion(lr=h.LogUniform(1e-4, 1e-2))}
        },
    )
    assert run(three).trained == 9
    keys = [run.key for run in recorded()]
    assert len(keys) == len(set(keys))
    assert run(small()).trained == 0
    pd.testing.assert_frame_equal(numbers(), before)


def test_fresh_trains_all_anew_to_the_same_numbers(folder):
    run(small())
    before, ids = numbers(), {r.run_id for r in recorded()}
    assert run(small(), fresh=True).trained == 16
    assert len(recorded()) == 16 and not ids & {r.run_id for r in recorded()}
    pd.testing.assert_frame_equal(numbers(), before)


def test_results_do_not_depend_on_the_workers(folder):
    study = small(search=h.Search(trials=12, batch=2))  # three rounds, of which two learn
    run(study)
    before, trials = numbers(), results.load("small").trials
    run(study, fresh=True, workers=2)
    pd.testing.assert_frame_equal(numbers(), before)
    pd.testing.assert_frame_equal(results.load("small").trials, trials)


def test_results_do_not_depend_on_the_cohort_s_size(folder):
    run(small())
    before = numbers()
    run(small(), fresh=True, cohort=1)
    pd.testing.assert_frame_equal(numbers(), before, rtol=1e-4)


def test_pruned_trials_end_at_a_rung_and_are_known_again(folder):
    search = h.Search(trials=8, batch=8, pruner="asha", rungs=(0.3, 0.6))
    study = small(search=search, recipe=small().recipe.with_values({"epochs": 10}))
    run(study)
    loaded = results.load("small")
    pruned = loaded.runs[loaded.runs["status"] == "pruned"]
    assert len(pruned) and set(pruned["cost/steps"]) <= {27.0, 54.0}
    assert (loaded.trials["status"] == "pruned").sum() == len(pruned)
    before = numbers()
    assert run(study).trained == 0 and run(study, fresh=True).trained == 16 + 4
    pd.testing.assert_frame_equal(numbers(), before)
    whole = small(search=h.Search(trials=8, batch=8), recipe=study.recipe)
    assert run(whole).trained >= len(pruned)
    assert set(results.load("small").runs["status"]) == {"finished"}


def test_a_run_that_stopped_by_itself_before_a_rung_is_no_trial_to_prune(folder):
    """Stopped at its best, it was judged at the rung by its last value, and barred."""
    recipe = h.Recipe(
        data="digits",
        model=h.MLP(widths=(16,)),
        batch_size=64,
        epochs=16,
        optimizer=h.SGD(lr=0.1),
        regularizers=[h.EarlyStopping(patience=1)],
    )
    sgd = h.SGD(lr=h.LogUniform(1e-2, 3.0), momentum=0.9)
    search = h.Search(trials=9, pruner="asha", rungs=(0.5, 0.75))
    study = small(recipe=recipe, compare={"optimizer": {"SGD": sgd}}, claims=(), search=search)
    run(study)
    loaded = results.load("small")
    runs = loaded.runs[loaded.runs["stage"] == "search"].set_index("trial")
    trials = loaded.trials.set_index("trial")
    stopped = runs.index[runs["status"] == "stopped"]
    assert len(stopped) and (runs["status"] == "pruned").any()
    assert (trials.loc[stopped, "status"] == "finished").all()
    assert ((trials["status"] == "pruned") == (runs["status"] == "pruned")).all()
    complete = trials[trials["status"] == "finished"]
    assert loaded.winners["SGD"][0].trial == complete["value"].idxmin()
    before = numbers()
    assert run(study).trained == 0
    pd.testing.assert_frame_equal(results.load("small").trials, loaded.trials)
    pd.testing.assert_frame_equal(numbers(), before)


def test_diverged_arm_is_an_outcome(folder):
    wild = small(
        recipe=h.Recipe(data="digits", loss="mse", model=h.MLP(widths=(16,), activation="identity"), batch_size=128, epochs=3, optimizer=h.SGD(lr=0.1)),
        compare={"optimizer": {"SGD": h.SGD(lr=0.1), "wild": h.SGD(lr=1e9)}}, claims=(), search=None,
    )  # fmt: skip
    summary = run(wild)
    loaded = results.load("small")
    assert summary.failed == 0 and set(loaded.runs.groupby("arm")["status"].first()) == {
        "finished",
        "diverged",
    }
    assert run(wild).trained == 0
    from harness.analysis.answer import answer_study

    ranking = answer_study(loaded).ranking
    assert (
        [p.arm for p in ranking] == ["SGD", "wild"]
        and math.isinf(ranking[1].interval.mean)
        and ranking[1].ended_badly == 2
    )


def test_failing_arm_is_recorded_and_tried_again(folder):
    broken = small(
        compare={"model": {"MLP": h.MLP(widths=(8,)), "bomb": {"name": "tests.plugins.Failing"}}},
        claims=(),
        search=None,
        seeds=5,
    )
    summary = run(broken)
    assert (summary.trained, summary.failed) == (10, 5)
    failed = [run for run in recorded() if run.status == "failed"]
    assert len(failed) == 5 and all("RuntimeError: boom (plugins.py" in r.detail for r in failed)
    given_up = "not tried, since 3 runs of its arm failed alike: RuntimeError: boom"
    assert sum(run.detail.startswith(given_up) for run in failed) == 2
    again = run(broken)
    assert (again.trained, again.known) == (5, 5) and len(recorded()) == 10


@pytest.mark.slow
def test_worker_that_dies_takes_only_its_run_with_it(folder):
    deadly = small(
        compare={"model": {"MLP": h.MLP(widths=(8,)), "deadly": {"name": "tests.plugins.Deadly"}}},
        claims=(),
        search=None,
    )
    summary = run(deadly, workers=2)
    assert (summary.trained, summary.failed) == (4, 2)
    statuses = results.load("small").runs.groupby("arm")["status"].agg(list).to_dict()
    assert statuses == {"MLP": ["finished"] * 2, "deadly": ["failed"] * 2}
    said = {run.detail for run in recorded() if run.status == "failed"}
    assert all("exit code 9: does code of your own call os._exit?" in detail for detail in said)


def test_cohort_that_is_too_large_is_halved(folder):
    tight = small(
        compare={"model": {"tight": {"name": "tests.plugins.Tight", "widths": [8]}}},
        claims=(),
        search=None,
        seeds=5,
    )
    summary = run(tight)
    assert (summary.trained, summary.failed) == (5, 0)


def test_equal_runs_of_two_arms_are_trained_once(folder):
    twins = small(
        compare={"optimizer": {"a": h.SGD(lr=0.1), "b": {"name": "SGD", "lr": 0.1}}},
        claims=(),
        search=None,
    )
    assert run(twins).trained == 2
    runs = results.load("small").runs
    assert len(runs) == 4 and runs["run_id"].nunique() == 2


def test_early_stopping_in_a_study(folder):
    study = small(recipe=small().recipe.with_values({"epochs": 40, "regularizers": [{"name": "EarlyStopping", "patience": 1}], "optimizer.lr": 0.9}),
                  compare={}, claims=(), search=None)  # fmt: skip
    run(study)
    runs = results.load("small").runs
    assert (
        set(runs["status"]) <= {"stopped", "finished"}
        and (runs["best/step"] <= runs["cost/steps"]).all()
    )


def test_studies_that_were_never_run_are_said_so(folder):
    with pytest.raises(StoreError, match="no study 'nothing'"):
        results.load("nothing")


@pytest.mark.gpu
def test_study_on_the_gpu(folder):
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    study = small(recipe=small().recipe.with_values({"device": "cuda"}))
    assert run(study).failed == 0
    on_gpu = results.load("small").confirmed["test/loss"].to_numpy()
    cpu = small(name="cpu", recipe=small().recipe.with_values({"device": "cpu"}))
    run(cpu)
    assert on_gpu == pytest.approx(results.load("cpu").confirmed["test/loss"].to_numpy(), rel=1e-2)
