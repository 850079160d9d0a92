"""What MLflow's UI shows of a study and its arms, in both forms of the store."""

import json
import math

import pytest
from mlflow.tracking import MlflowClient

from harness.core.study_record import RunEntry, StudyRecord
from harness.tracking.about import Mean, ShownAnswer, ShownArm
from harness.tracking.schema import Tag
from harness.tracking.show import keep_report
from harness.tracking.views import views_of, without_links
from tests.tracking.made import ABOUT, opened, record, recorded


def shown(mean, runs=2):
    of = f"mean over {runs} seeds"
    closing = {
        "test/loss": Mean(mean, mean - 1, mean + 1, runs),
        "best/step": Mean(4, -math.inf, math.inf, 1),
    }
    arm = ShownArm(of, closing, {"valid/loss": [(0, 2.0), (4, mean)]}, {0: 0.0, 4: 1.5})
    return ShownAnswer(f"**{mean}**", {"arm": arm})


def answered(session, run_ids, mean):
    entries = [RunEntry(i, f"k{i}", "arm", {}, "confirm", 0, 0, "finished") for i in run_ids]
    session.write_answer(
        StudyRecord(entries, [], {}, {}, {}), {"runs": 1.0}, "id", lambda _: shown(mean)
    )


@pytest.fixture
def client(folder):
    return MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")


def test_arms_have_means_intervals_and_curves_and_a_later_answer_replaces_them(form, client):
    session, _ = opened()
    (run_id,) = recorded(session, record())
    arm = session._parents.arms["arm"]
    answered(session, [run_id], 0.5)
    run = client.get_run(arm.run_id)
    wanted = {
        "test/loss": 0.5,
        "test/loss/low": -0.5,
        "test/loss/high": 1.5,
        "test/loss/n": 2,
        "best/step": 4,
        "best/step/n": 1,
    }
    assert run.data.metrics == {**wanted, "valid/loss": 0.5}  # no bound that is not finite
    assert run.data.tags[Tag.MEAN_OF] == "mean over 2 seeds"
    curve = client.get_metric_history(arm.run_id, "valid/loss")
    assert [(point.step, point.timestamp - arm.start) for point in curve] == [(0, 0), (4, 1500)]

    session, _ = opened()
    answered(session, [run_id], 0.25)
    assert client.get_run(arm.run_id).data.metrics["test/loss"] == 0.25
    last = client.get_metric_history(arm.run_id, "valid/loss")[-1].value
    # a server's curves can't be taken back: they stay those of the first answer
    assert last == (0.25 if form == "tables" else 0.5)


def test_the_answer_is_the_description_and_the_report_an_artifact(form, client, folder):
    session, _ = opened()
    (run_id,) = recorded(session, record())
    answered(session, [run_id], 0.5)
    experiment = client.get_experiment_by_name("s")
    assert without_links(experiment.tags[Tag.NOTE]) == "**0.5**"
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"
    study = client.get_run(session._parents.study)
    assert study.data.tags[Tag.NOTE] == "**0.5**"
    keep_report("s", None, "<p>page</p>", {"claims.svg": "<svg/>", "survival-0.json": "{}"})
    assert "report.html" in {file.path for file in client.list_artifacts(study.info.run_id)}
    # a later report has its own figures alone
    keep_report("s", None, "<p>page</p>", {"claims.svg": "<svg></svg>"})
    (picture,) = client.list_artifacts(study.info.run_id, "figures")
    assert picture.path == "figures/claims.svg"
    kept = session._experiment.read_bytes(study.info.run_id, picture.path)
    assert kept == b"<svg></svg>"


def test_a_tag_says_which_runs_are_the_answers(form, client):
    session, _ = opened()
    first, second = recorded(session, record(key="a"), record(key="b"))
    answered(session, [first, second], 0.5)

    def said():
        return [client.get_run(i).data.tags[Tag.ANSWERS] for i in (first, second)]

    assert said() == ["yes", "yes"]
    session, _ = opened()
    answered(session, [second], 0.5)
    assert said() == ["no", "yes"]
    session, _ = opened()
    answered(session, [first, second], 0.5)
    assert said() == ["yes", "yes"]


def test_parents_end_with_their_last_run(form, client):
    session, _ = opened()
    made = record()
    late = made._replace(outcome=made.outcome._replace(started=2e9, times={0: 2e9, 4: 2e9 + 7}))
    (run_id,) = recorded(session, late)
    answered(session, [run_id], 0.5)
    assert client.get_run(session._parents.arms["arm"].run_id).info.end_time == 2_000_000_007_000
    assert client.get_run(run_id).info.start_time == 2_000_000_000_000


def test_views_are_kept_in_the_form_of_mlflows_ui(folder, client):
    views = views_of(["optimizer"], ["test/loss", "test/accuracy"], ["optimizer.lr"], True)
    session, _ = opened(about=ABOUT._replace(views=views, metric="test/loss"))
    tags = client.get_experiment_by_name("s").tags
    kept = {
        name.removeprefix(Tag.SAVED_VIEW): json.loads(text)
        for name, text in tags.items()
        if name.startswith(Tag.SAVED_VIEW)
    }
    assert [kept[view.name]["name"] for view in views] == [
        "Arms",
        "Arms over time",
        "Runs that answer",
        "Search",
    ]
    state = json.loads(kept["harness-arms"]["state"])
    assert state["orderByKey"] == "metrics.`test/loss`" and state["orderByAsc"] is True
    assert state["selectedColumns"][:3] == [
        "tags.`level.optimizer`",
        "metrics.`test/loss`",
        "metrics.`test/loss/low`",
    ]
    # the filters are MLflow's own language
    for view in views:
        client.search_runs([client.get_experiment_by_name("s").experiment_id], view.runs)
    session.close()
