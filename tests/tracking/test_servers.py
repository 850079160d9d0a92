"""A real PostgreSQL and a real MLflow server: the same study, nothing lost while they are away, no
password anywhere."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading

import optuna
import pytest
import sqlalchemy as sa
from mlflow.tracking import MlflowClient

from harness import results
from harness.core.study_record import ClockReading
from harness.protocol import clocks
from harness.protocol.run import Options, run_study
from harness.protocol.timing import work_of
from harness.report.page import render
from harness.spec.arms import Arm
from harness.tracking import Reader, Session, retry
from harness.tracking.client_api import ClientApi
from tests import servers
from tests.studies import small
from tests.tables import assert_same_tables, tables
from tests.tracking.made import ABOUT, RECIPE, record, recorded

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("servers")]


@pytest.fixture
def away(server, folder, monkeypatch):
    """A server that may be stopped; nothing is waited for long."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("HARNESS_CACHE", str(folder / "cache"))
    monkeypatch.setattr(retry, "PAUSES", (0.2,))
    yield server
    if server.process is None:
        server.start()


def leaves(uri, study):
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name(study).experiment_id
    return [
        run
        for run in client.search_runs([experiment], max_results=1000)
        if "harness.key" in run.data.tags
    ]


def assert_each_once(uri, study, count):
    runs = leaves(uri, study)
    keys = [run.data.tags["harness.key"] for run in runs]
    assert len(keys) == len(set(keys)) == count and {run.info.status for run in runs} == {
        "FINISHED"
    }


def plain(text):
    """Return a report without what the store and the hour decide."""
    text = re.sub(r"http://127.0.0.1:\d+/#/experiments/\d+/runs/[0-9a-f]{32}", "LINK", text)
    text = re.sub(r"\b[0-9a-f]{8,32}\b", "ID", text)
    return re.sub(
        r"\b\d+(\.\d+)?(e-?\d+)?\b",
        "NUMBER",
        re.sub(r'<script type="application/gzip".*?</script>', "", text),
    )


@pytest.mark.parametrize("kind", ["server", "database"])
def test_the_study_is_the_same_on_servers_as_in_files(folder, server, databases, kind, monkeypatch):
    monkeypatch.setattr(
        clocks, "read_clock", lambda recipe: ClockReading(work_of(recipe), 1e-3, 1.0, 0.0)
    )
    uri = server.uri if kind == "server" else databases["mlflow"]
    study = small(name=f"same {kind}")
    run_study(study, Options(workers=0))
    on_servers = Options(workers=0, uri=uri, storage=databases["optuna"])
    run_study(study, on_servers)
    assert_same_tables(tables(study=study.name), tables(uri, study.name))
    here, there = (render(results.load(study.name, place)) for place in (None, uri))
    assert plain(here) == plain(there)
    again = run_study(study, on_servers)
    assert (again.trained, again.known) == (0, 16)
    mirrored = [
        s.n_trials
        for s in optuna.get_all_study_summaries(databases["optuna"])
        if s.study_name.startswith(study.name)
    ]
    assert mirrored == [6, 6]


def test_curves_are_read_in_bulk(folder, server, monkeypatch):
    study = small(name="bulk", compare={}, search=None, claims=(), seeds=5)
    run_study(study, Options(workers=0, uri=server.uri))
    monkeypatch.setattr(
        MlflowClient, "get_metric_history", lambda *a: pytest.fail("asked for a single curve")
    )
    reader = Reader.of("bulk", server.uri)
    experiment = reader._experiment
    ids = [run.run_id for run in reader.runs()]
    by_file = reader.curves(ids)
    assert isinstance(experiment.bulk, ClientApi) and len(by_file) == 5
    by_request = experiment.bulk.curves(ids, None)
    for run_id in ids:
        assert {
            name: [list(p) for p in points] for name, points in by_request[run_id].items()
        } == by_file[run_id]
    (batch,) = {run.curves_at.name for run in reader.runs()}
    files = experiment.client.list_artifacts(reader.study_run(), "curves")
    assert batch in [file.path for file in files]


def test_a_server_that_goes_away_in_mid_study_gets_everything_once(away, folder, caplog):
    study = small(name="away", seeds=6)
    run_study(study, Options(workers=0))
    original, recorded = Session.record, []

    def record(session, records):
        recorded.append(len(records))
        if len(recorded) == 2:
            away.stop()
            threading.Timer(4, away.start).start()
        return original(session, records)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Session, "record", record)
        run_study(study, Options(workers=0, uri=away.uri))
    assert_same_tables(tables(study="away"), tables(away.uri, "away"))
    assert_each_once(away.uri, "away", 24)
    said = [r.getMessage() for r in caplog.records if r.name == "harness"]
    assert any("can't be reached" in line for line in said) and said[-1] == "the store is back"


SCRIPT = """
from harness.protocol.run import Options
from harness.tracking import Session, retry
from tests.studies import small
import sys, os, time
retry.PAUSES = (0.2,)
original = Session.record
def record(session, records):
    made = original(session, records)
    print("recorded", flush=True)
    time.sleep(0.2)
    return made
Session.record = record
from harness.protocol.run import run_study
run_study(small(name="killed", seeds=6), Options(workers=0, uri=sys.argv[1], cohort=3))
print("whole", flush=True)
"""


def start(folder, uri):
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, uri],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": root, "HARNESS_STORAGE": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.usefixtures("without_kernels")
def test_a_study_killed_while_the_server_is_away_goes_on(away, folder):
    run_study(small(name="killed", seeds=6), Options(workers=0))
    process, seen = start(folder, away.uri), 0
    for line in process.stdout:
        seen += line.startswith("recorded")
        if seen == 1 and away.process is not None:
            away.stop()
        if seen == 5:
            process.send_signal(signal.SIGKILL)
            break
    process.communicate()
    waiting = list((folder / "cache" / "spool").glob("*/*.json"))
    assert len(waiting) >= 3, "what the server did not take waits on disk"
    away.start()
    again = start(folder, away.uri)
    said, _ = again.communicate(timeout=200)
    assert again.returncode == 0, said
    assert_same_tables(tables(study="killed"), tables(away.uri, "killed"))
    assert_each_once(away.uri, "killed", 24)
    assert not list((folder / "cache" / "spool").glob("*/*.json"))


def test_what_was_half_sent_is_deleted_and_other_runs_are_left(server, folder, monkeypatch):
    monkeypatch.setenv("HARNESS_CACHE", str(folder / "cache"))
    opened = []
    for _ in range(2):
        session = Session("half", server.uri)
        opened.append(session.open(ABOUT, [Arm("arm", {}, RECIPE)]))
        if not opened[-1]:
            recorded(session, record())
            client, experiment = session._experiment.client, session._experiment.id
            tags = {"harness.key": "k1", "harness.kind": "run"}
            half = client.create_run(experiment, tags=tags).info.run_id
            foreign = client.create_run(experiment).info.run_id
        session.close()
    assert set(opened[1]) == {"k0"}
    stages = {run_id: client.get_run(run_id).info.lifecycle_stage for run_id in (half, foreign)}
    assert stages == {half: "deleted", foreign: "active"}
    assert_each_once(server.uri, "half", 1)


def test_optunas_storage_may_be_away_too(folder, databases, monkeypatch):
    from harness.protocol.trial_storage import TrialStorage

    monkeypatch.setattr(retry, "PAUSES", (0.1,))
    original, failures = TrialStorage._add_missing, iter([1, 1, 1])

    def shaky(mirror, *arguments):
        if next(failures, None):
            raise sa.exc.OperationalError(
                "select", {}, Exception("the database system is shutting down")
            )
        return original(mirror, *arguments)

    monkeypatch.setattr(TrialStorage, "_add_missing", shaky)
    run_study(small(name="shaky"), Options(workers=0, storage=databases["optuna"]))
    counts = [
        s.n_trials
        for s in optuna.get_all_study_summaries(databases["optuna"])
        if s.study_name.startswith("shaky")
    ]
    assert counts == [6, 6]


def test_passwords_are_nowhere(folder, databases, monkeypatch, capfd):
    monkeypatch.setenv("HARNESS_STORAGE", databases["optuna"])
    monkeypatch.setenv("MLFLOW_TRACKING_URI", databases["mlflow"])
    monkeypatch.setenv("HARNESS_CACHE", str(folder / "cache"))
    study = small(
        name="secret",
        compare={},
        claims=(),
        seeds=1,
        recipe=small().recipe.with_values({"optimizer": small().compare["optimizer"]["SGD"]}),
    )
    run_study(study, Options(workers=0))
    page = render(results.load("secret"))
    engine = sa.create_engine(databases["mlflow"])
    tables_ = sa.inspect(engine).get_table_names()
    with engine.connect() as connection:
        rows = [
            str(row)
            for table in tables_
            for row in connection.execute(sa.text(f'SELECT * FROM "{table}"'))
        ]
    engine.dispose()
    files = [
        path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".db"
    ]
    printed = "".join(capfd.readouterr())
    assert rows and servers.PASSWORD not in page + printed + "".join(rows)
    assert not any(servers.PASSWORD.encode() in content for content in files)
