"""A study being recorded, in both forms of a store: no run is lost, half there or there twice."""

from __future__ import annotations

import json

import pytest
from mlflow.tracking import MlflowClient

from harness import results
from harness.core.errors import StoreError
from harness.core.records import Point
from harness.core.study_record import ClockReading, RunEntry, StudyRecord
from harness.protocol.run import Options, run_study
from harness.tracking import Reader
from harness.tracking.database import Database
from harness.tracking.experiment import Experiment
from harness.tracking.rows import new_run
from harness.tracking.schema import Tag
from tests.studies import small
from tests.tables import assert_same_tables, tables
from tests.tracking.conftest import use_client
from tests.tracking.made import opened, record, recorded

SERIAL = Options(workers=0)


@pytest.mark.slow
def test_client_writes_and_reads_what_the_tables_do(folder, quick_stores, monkeypatch):
    run_study(small(), SERIAL)
    by_tables = tables()
    use_client(monkeypatch)
    assert_same_tables(by_tables, tables())  # reads what the tables were given
    uri = f"sqlite:///{folder / 'client.db'}"
    run_study(small(), SERIAL._replace(uri=uri))
    assert_same_tables(by_tables, tables(uri))  # reads what it wrote itself
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    assert_same_tables(by_tables, tables(uri))  # the tables have what the client wrote


def test_what_is_recorded_is_read(form):
    points = tuple(Point(i, i / 10, i, {"valid/loss": 1 / (1 + i)}) for i in range(20))
    given = record(points=points, arrays={"confusion": [[1, 2]]}, **{"test/loss": 0.25})
    session, _ = opened()
    recorded(session, given)
    (run,) = session.reader.runs()
    assert run[2:9] == ("k0", "arm", "search", 0, 0, "finished", True)
    assert run.closing == {"valid/loss": 0.5, "test/loss": 0.25}
    assert run.params["optimizer.lr"] == "0.1"
    curves = session.reader.curves([run.run_id])[run.run_id]
    assert curves.keys() == {"valid/loss", "epoch", "samples"}
    assert [list(pair) for pair in curves["valid/loss"]] == [[i, 1 / (1 + i)] for i in range(20)]
    one = session.reader.curves([run.run_id], ["valid/loss"])[run.run_id]
    assert one == {"valid/loss": curves["valid/loss"]}
    assert session.reader.arrays(run.run_id) == {"confusion": [[1, 2]]}


def test_half_written_runs_are_thrown_away(form):
    session, _ = opened()
    experiment = session._experiment
    tags = {Tag.KEY: "half", Tag.PARENT: session._parents.study}
    run_id = experiment.client.create_run(experiment.id, tags=tags).info.run_id
    again, known = opened()
    assert known == {} and again.reader.runs() == []
    assert experiment.client.get_run(run_id).info.lifecycle_stage == "deleted"


def test_a_newer_record_takes_the_place_of_the_older_one(form):
    session, _ = opened()
    recorded(session, record(status="failed"))
    (first,) = session.reader.runs()
    assert not first.whole and first.status == "failed"
    again, known = opened()
    assert known == {}, "a failed run is tried again"
    recorded(again, record())
    (second,) = again.reader.runs()
    assert second.whole and second.run_id != first.run_id
    assert opened()[1] == {"k0": (second.run_id, "finished", {"valid/loss": 0.5}, "")}


def test_within_a_session_too_a_newer_record_takes_the_place_of_the_older_one(form):
    session, _ = opened()
    recorded(session, record())
    recorded(session, record(**{"valid/loss": 0.25}))
    assert [run.closing for run in session.reader.runs()] == [{"valid/loss": 0.25}]


def test_a_refused_write_leaves_nothing_and_says_so(folder):
    session, _ = opened()
    assert isinstance(session._experiment.bulk, Database)
    runs = [
        new_run(record(key=key), session._parents.arms["arm"].run_id) for key in ("good", "bad")
    ]
    same = [runs[0], runs[1]._replace(run_id=runs[0].run_id)]  # breaks the table's primary key
    batch = {"rows": [run._asdict() for run in same], "superseded": [], "parent": ""}
    with pytest.raises(StoreError, match="refused 2 runs.*finished runs are kept"):
        session._send(batch)
        session.settle(())
    assert session.reader.runs() == []


def test_clocks_are_kept_for_the_next_session(form):
    session, _ = opened()
    reading = ClockReading("hash", seconds=0.5, spread=1.0, load=0.0)
    session.set_clock("arm", {0: reading, 2: reading._replace(seconds=0.25)})
    assert session.clocks == {}
    kept = opened()[0].clocks["arm"]
    assert kept == {0: reading, 2: reading._replace(seconds=0.25)}


def test_clocks_of_versions_with_one_search_are_read(form):
    session, _ = opened()
    reading = ClockReading("hash", seconds=0.5, spread=1.0, load=0.0)
    tag = {Tag.CLOCK: json.dumps(reading.to_plain())}
    session._experiment.set_values(session._parents.arms["arm"].run_id, tag)
    assert opened()[0].clocks == {"arm": {0: reading}}


def test_an_answer_is_known_by_its_identity_until_the_study_goes_on(form):
    session, _ = opened()
    with pytest.raises(StoreError, match="has not been run to its end"):
        session.reader.files()
    (run_id,) = recorded(session, record())
    entry = RunEntry(run_id, "key", "arm", {}, "confirm", 0, 0, "finished")
    answer = StudyRecord([entry], [], {}, {}, {})
    session.write_answer(answer, {"runs": 1}, "abc")
    reader = Reader.of("s")
    assert reader.complete() and reader.runs_of_answer("abc") == 1
    assert reader.runs_of_answer("another") is None
    files = reader.files()
    assert files.spec == {"name": "s"} == reader.spec()
    (stored,) = reader.runs()
    assert files.record == answer._replace(runs=[entry._replace(run_id=stored.run_id)])
    opened()
    assert not reader.complete() and reader.runs_of_answer("abc") is None


def test_tags_and_parameters_in_the_ui_are_flat_and_sortable(form, folder):
    run_study(small(), SERIAL)
    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("small").experiment_id
    runs = client.search_runs(
        [experiment], "tags.`harness.stage` = 'search'", order_by=["metrics.`final/valid/loss` ASC"]
    )
    losses = [r.data.metrics["final/valid/loss"] for r in runs]
    assert len(losses) == 12 and losses == sorted(losses)
    assert {"optimizer", "optimizer.lr", "batch_size", "model.widths", "seed"} <= set(
        runs[0].data.params
    )
    assert [i.dataset.name for i in runs[0].inputs.dataset_inputs] == ["Digits"]
    # MLflow's UI groups by parameters; of a level they are the only ones that no reader is given
    arms = client.search_runs([experiment], "tags.`harness.kind` = 'arm'")
    assert {run.data.params["level.optimizer"] for run in [*arms, *runs]} == {"SGD", "Adam"}
    assert all(run.data.params == {"level.optimizer": run.info.run_name} for run in arms)
    assert not any("level.optimizer" in run.params for run in Reader.of("small").runs())
    assert runs[0].info.run_name.startswith(("SGD · trial", "Adam · trial"))


def test_arms_of_older_stores_get_their_levels_as_parameters(form, folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Experiment, "add_levels", lambda *_, **__: None)  # as older versions did
        session, _ = opened(levels={"optimizer": "SGD"})
    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    arm = session._parents.arms["arm"].run_id

    def stored():
        data = client.get_run(arm).data
        return data.params, data.tags["level.optimizer"]

    assert stored() == ({}, "SGD")
    opened(levels={"optimizer": "SGD"})
    assert stored() == ({"level.optimizer": "SGD"}, "SGD")
    # MLflow takes no parameter back: of an arm that has another level now the tag is right
    opened(levels={"optimizer": "momentum"})
    assert stored() == ({"level.optimizer": "SGD"}, "momentum")


def test_environment_spec_and_packages_are_artifacts(form, folder):
    run_study(small(), SERIAL)
    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("small").experiment_id
    (study,) = client.search_runs([experiment], "tags.`harness.kind` = 'study'")
    assert {"spec.json", "environment.json", "index.json"} <= {
        a.path for a in client.list_artifacts(study.info.run_id)
    }
    environment = results.load("small").environment
    assert environment["packages"]["torch"] and environment["cores"] and environment["commit"]
