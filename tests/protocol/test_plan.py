"""A plan foretells what a study then does."""

import pytest

import harness as h
from harness.core.errors import HarnessError
from harness.data.base import load_data
from harness.protocol.plan import plan_study
from harness.protocol.run import Options, run_study
from tests.studies import small


def test_runs_and_steps_are_those_of_the_study(folder):
    plan = plan_study(small(), workers=0)
    assert plan.runs == run_study(small(), Options(workers=0)).trained == 16
    assert [(a.trials, a.search_runs, a.confirm_runs) for a in plan.arms] == [(6, 6, 2)] * 2
    steps = h.results.load("small").runs["cost/steps"]
    assert {a.steps for a in plan.arms} == set(steps) == {27}
    assert plan.seconds > 0 and all(a.memory > 0 for a in plan.arms)


@pytest.mark.parametrize(("largest", "cohorts"), [(None, 2 + 1 + 1), (4, 4 + 2 + 1), (1, 22 + 4)])
def test_arms_of_one_shape_share_cohorts(folder, monkeypatch, largest, cohorts):
    # rounds of 8 + 8 trials, enough for two cohorts, and of 3 + 3, then 2 + 2 confirm runs
    study = small(search=h.Search(trials=11, batch=3))
    assert plan_study(study, workers=0, largest=largest).cohorts == cohorts
    made = count_jobs(monkeypatch)
    run_study(study, Options(workers=0, cohort=largest))
    assert len(made) == cohorts


def count_jobs(monkeypatch):
    from harness.protocol.dispatch import _Batch

    made, new_job = [], _Batch._new_job
    monkeypatch.setattr(
        _Batch, "_new_job", lambda self, members: made.append(members) or new_job(self, members)
    )
    return made


def test_what_does_not_learn_is_asked_at_once_and_a_grid_has_as_many_trials_as_points():
    one = plan_study(small(search=h.Search(trials=40, sampler="qmc")), workers=0)
    grid = plan_study(small(search=h.Search(trials=40, sampler="grid", grid=5)), workers=0)
    assert one.cohorts == 2 + 1 and [a.trials for a in grid.arms] == [5, 5]


@pytest.mark.parametrize(("batch_size", "cohorts"), [(64, 1), ("full", 3)])
def test_splits_of_the_data_share_a_cohort_and_full_batches_train_apart(
    folder, monkeypatch, batch_size, cohorts
):
    made = count_jobs(monkeypatch)
    study = h.Study(
        name="splits",
        recipe=small().recipe.with_values({"batch_size": batch_size}),
        compare={"data.split": [0, 1, 2]},
        seeds=2,
    )
    assert plan_study(study, workers=0).cohorts == cohorts
    run_study(study, Options(workers=0))
    assert len(made) == cohorts and sum(map(len, made)) == 6
    tested = h.results.load("splits").runs.groupby("arm")["test/loss"].mean()
    assert tested.nunique() == 3


def test_the_time_is_shared_by_the_workers(monkeypatch):
    from harness.protocol import plan

    monkeypatch.setattr(plan, "forecast_seconds", lambda recipe, members: 3.0)
    assert plan_study(small(), workers=0).seconds == plan_study(small(), workers=1).seconds == 48.0
    assert plan_study(small(), workers=4).seconds == 12.0


def test_an_arm_that_can_t_be_batched_trains_alone():
    study = small(
        compare={"optimizer": {"SGD": h.SGD(lr=0.1), "theirs": {"name": "torch.optim.SGD", "lr": 0.1}}},
        search=None,
        claims=(),
    )  # fmt: skip
    together, alone = plan_study(study, workers=0).arms
    assert together.batched and together.cohort > 1
    assert not alone.batched and alone.cohort == 1 and "another library" in alone.why


def test_labels_that_became_classes_are_told_before_training_and_kept(folder, capsys):
    from mlflow import MlflowClient

    from harness.cli.flags import Flags
    from harness.cli.plan import show_plan
    from harness.protocol.progress import Progress
    from harness.tracking import Reader

    class Said(Progress):
        lines = []

        def say(self, text):
            self.lines.append(text)

    note = "data tests.data.given.minus_and_plus: labels -1, 1 became classes 0, 1"
    recipe = small().recipe.with_values(
        {"data": "tests.data.given.minus_and_plus", "steps": 2, "batch_size": 16}
    )
    study = h.Study(name="told", recipe=recipe, seeds=1)
    show_plan(study, Flags(workers=0))
    assert f"note: {note}" in " ".join(capsys.readouterr().out.split())
    run_study(study, Options(workers=0), Said())
    assert note in Said.lines
    client = MlflowClient("sqlite:///mlflow.db")
    assert note in client.get_run(Reader.of("told").study_run()).data.tags["mlflow.note.content"]


def searched(search, **fields):
    """Return the plan of iris with a search, and what was noted."""
    recipe = h.Recipe(
        **{"data": "iris", "model": h.MLP(widths=(4,)), "optimizer": h.SGD(lr=0.1), "epochs": 1}
        | fields
    )
    plan = plan_study(h.Study(name="s", recipe=recipe, search=search, seeds=1), workers=0)
    return plan.arms[0], plan.notes


def test_a_grid_is_planned_by_its_points(folder):
    spaces = {"optimizer": h.SGD(lr=h.LogUniform(0.01, 0.1), nesterov=h.Choice(False, True))}
    whole, notes = searched(h.Search(trials=50, sampler="grid", grid=3), **spaces)
    assert (whole.trials, whole.search_runs, notes) == (6, 6, ())
    cut, (note,) = searched(h.Search(trials=4, sampler="grid", grid=3, repeats=2), **spaces)
    assert (cut.trials, cut.search_runs) == (4, 8)
    assert note == (
        "arm 'base': 4 of the grid's 6 points are trained, chosen at random; "
        "raise search.trials to train them all"
    )


@pytest.mark.parametrize(
    "space, said",
    [
        (h.Choice(8, 90, "full"), None),
        (h.Choice(8, 96, "full"), "batch sizes {n} and 'full' of Choice(8, 96, full) are one recipe"),
        (h.IntUniform(8, 96), None),
    ],
    ids=str,
)  # fmt: skip
def test_a_full_batch_twice_in_a_space_is_told(space, said, folder):
    _, notes = searched(h.Search(trials=2), batch_size=space)
    n = len(load_data(h.Recipe(data="iris", optimizer=h.SGD(lr=0.1), epochs=1).data).train.x)
    assert [note.startswith("arm 'base': " + said.format(n=n)) for note in notes] == (
        [True] if said else []
    )


def test_a_module_that_fails_or_leaves_in_its_first_updates_is_told_in_words():
    for name, said in (
        ("tests.plugins.Failing", r"arm 'base': training fails: RuntimeError: boom \(plugins.py:"),
        ("tests.engine.given.LeavingLater", "arm 'base': training fails: SystemExit: 7"),
    ):
        recipe = small().recipe.with_values({"model": name})
        with pytest.raises(HarnessError, match=said):
            plan_study(h.Study(name="bad", recipe=recipe, seeds=2), workers=0)
