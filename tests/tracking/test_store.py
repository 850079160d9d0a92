"""The store: the same tables by SQL, by MLflow's client and from its server, and no record lost or half there."""

from __future__ import annotations

import pytest
from mlflow.tracking import MlflowClient

import harness as h
import harness.tracking.store as module
from harness import results
from harness.core.errors import StoreError
from harness.core.records import Outcome, Point
from harness.protocol.run import Options, run_study
from harness.spec.arms import Arm, Run
from harness.tracking import Store
from harness.tracking.rows import POINTS, Record, row_of, thin
from harness.tracking.store import About
from tests.studies import small
from tests.tables import assert_same_tables, tables

SERIAL = Options(workers=0)


@pytest.mark.slow
def test_client_writes_and_reads_what_sql_does(folder, monkeypatch):
    run_study(small(), SERIAL)
    by_sql = tables()
    original = module.connect
    monkeypatch.setattr(module, "connect", lambda uri, create: (original(uri, create)[0], None))
    assert_same_tables(by_sql, tables())  # reads what SQL wrote
    uri = f"sqlite:///{folder / 'client.db'}"
    run_study(small(), SERIAL._replace(uri=uri))
    assert_same_tables(by_sql, tables(uri))  # reads what it wrote itself
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    assert_same_tables(by_sql, tables(uri))  # SQL reads what the client wrote


@pytest.mark.parametrize("path", ["sql", "client"])
def test_long_curves_are_kept_whole(folder, monkeypatch, path):
    if path == "client":
        original = module.connect
        monkeypatch.setattr(module, "connect", lambda uri, create: (original(uri, create)[0], None))
    recipe = h.Recipe(
        data="iris", model=h.MLP(widths=(4,)), optimizer=h.SGD(lr=0.1), steps=400, eval_every=1
    )
    run_study(small(recipe=recipe, compare={}, search=None, claims=(), seeds=1), SERIAL)
    curves = results.load("small").curves
    assert list(curves["step"]) == list(range(401))
    assert curves["train/loss"].notna().all()
    (leaf,) = Store("small", create=False).leaves()
    shown = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}").get_metric_history(
        leaf["run_id"], "train/loss"
    )
    assert len(shown) == POINTS + 1 and {p.step for p in shown} >= {0, 400}


def test_thinned_curve_keeps_its_ends_and_order():
    points = [Point(i, i / 10, i, {"a": float(i)}) for i in range(1234)]
    kept = [p.step for p in thin(points)]
    assert (
        kept[0] == 0 and kept[-1] == 1233 and kept == sorted(set(kept)) and len(kept) == POINTS + 1
    )
    assert thin(points[:50]) == points[:50]


def record(trial=0, key="k0", status="finished", **summary):
    recipe = h.Recipe(data="iris", model=h.MLP(widths=(4,)), optimizer=h.SGD(lr=0.1), epochs=1)
    points = (Point(0, 0.0, 0, {"valid/loss": 1.0}), Point(4, 1.0, 120, {"valid/loss": 0.5}))
    return Record(
        key,
        Run.of(recipe, 0),
        Outcome(status, points, {"valid/loss": 0.5, **summary}),
        "search",
        "arm",
        trial,
        {},
    )


def opened():
    store = Store("s")
    arms = [Arm("arm", {}, record().run.recipe)]
    known = store.open_study(About("title", {"name": "s"}, "hash", "iris", "f" * 64), arms)
    return store, known


def test_half_written_runs_are_thrown_away(folder):
    store, _ = opened()
    run = store.client.create_run(
        store.experiment, tags={"harness.key": "half", "mlflow.parentRunId": store.parent}
    )
    again, known = opened()
    assert known == {}
    assert again.leaves() == []
    assert again.client.get_run(run.info.run_id).info.lifecycle_stage == "deleted"


def test_a_newer_record_takes_the_place_of_the_older_one(folder):
    store, _ = opened()
    (first,) = store.record([record(status="failed")])
    assert store.runs.rows()[-1]["status"] == "FAILED"
    again, known = opened()
    assert known == {}, "a failed run is tried again"
    (second,) = again.record([record()])
    assert [row["run_id"] for row in again.leaves()] == [second] != [first]
    assert list(opened()[1]) == ["k0"]


def test_a_refused_write_leaves_nothing_and_says_so(folder, monkeypatch):
    store, _ = opened()
    broken = [record(key="good"), record(key="bad")]
    rows = [row_of(r, store.parents["arm"]) for r in broken]
    same = [rows[0], rows[1]._replace(run_id=rows[0].run_id)]  # breaks the table's primary key
    with pytest.raises(StoreError, match="refused 2 runs.*finished runs are kept"):
        store._send(
            {"rows": [row._asdict() for row in same], "superseded": [], "parent": store.parent}
        )
    assert store.leaves() == []


def test_unreachable_and_unreadable_stores_are_said_so(folder, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    (folder / "text.db").write_text("this is not a database, whatever its name says" * 40)
    with pytest.raises(StoreError, match="can't be used"):
        Store("s", f"sqlite:///{folder / 'text.db'}")
    with pytest.raises(StoreError, match="127.0.0.1:9") as caught:
        Store("s", "http://user:secret@127.0.0.1:9")
    assert "secret" not in str(caught.value)


def test_tags_and_parameters_in_the_ui_are_flat_and_sortable(folder):
    run_study(small(), SERIAL)
    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("small").experiment_id
    found = client.search_runs(
        [experiment], "tags.`harness.stage` = 'search'", order_by=["metrics.`final/valid/loss` ASC"]
    )
    losses = [r.data.metrics["final/valid/loss"] for r in found]
    assert len(losses) == 12 and losses == sorted(losses)
    assert {"optimizer", "optimizer.lr", "batch_size", "model.widths", "seed"} <= set(
        found[0].data.params
    )
    assert [i.dataset.name for i in found[0].inputs.dataset_inputs] == ["Digits"]
    assert found[0].info.run_name.startswith(("SGD · trial", "Adam · trial"))


def test_environment_spec_and_packages_are_artifacts(folder):
    run_study(small(), SERIAL)
    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("small").experiment_id
    (study,) = client.search_runs([experiment], "tags.`harness.kind` = 'study'")
    assert {"spec.json", "environment.json", "index.json"} <= {
        a.path for a in client.list_artifacts(study.info.run_id)
    }
    environment = results.load("small").environment
    assert environment["packages"]["torch"] and environment["cores"] and environment["commit"]


def test_tracking_uri_of_the_environment_is_honoured(folder, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'elsewhere.db'}")
    run_study(small(compare={}, search=None, claims=(), seeds=1), SERIAL)
    assert (folder / "elsewhere.db").exists() and len(results.load("small").runs) == 1
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    with pytest.raises(StoreError):
        results.load("small")
