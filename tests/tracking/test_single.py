"""Single runs written into the tables of a file leave what MLflow's client leaves there."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

import pytest

from harness.spec.arms import Arm
from harness.tracking import Session, schema
from harness.tracking.single_client import SingleClient
from harness.tracking.single_tables import SingleTables
from tests.tracking.made import ABOUT, RECIPE

TABLES = (
    "experiments", "experiment_tags", "runs", "tags", "params", "metrics", "latest_metrics", "datasets", "inputs",
    "input_tags",
)  # fmt: skip


def content(folder):
    """Return the rows of every table, without ids, times and the name of the folder."""
    with closing(sqlite3.connect(folder / "mlflow.db")) as database:
        found = {table: map(str, database.execute(f"SELECT * FROM {table}")) for table in TABLES}
        texts = {table: sorted(re.sub(r"[0-9a-f]{32}|\d{13}", "#", row) for row in rows) for table, rows in found.items()}  # fmt: skip
    return {table: [row.replace(str(folder), "") for row in rows] for table, rows in texts.items()}


def write_all(folder, form):
    session = Session("s", f"sqlite:///{folder / 'mlflow.db'}")
    session.open(ABOUT, [Arm("arm", {}, RECIPE)])
    experiment = session._experiment
    single = experiment.single
    assert isinstance(single, form)
    run = single.add("a run", {"kind": "x", "long": "y" * 9000})
    assert [each.run_id for each in single.running()] == [run]
    single.set_values(run, {"kind": "z"}, {"a": 1.5, "b": 2.0})
    single.set_values(run, {"other": "y" * 9000}, {"a": 2.5})
    found = single.find("kind", "z")
    assert [(each.run_id, each.metrics) for each in found] == [(run, {"a": 2.5, "b": 2.0})]
    assert single.claim(run, "mine", "1") and single.claim(run, "mine", "1")
    assert not single.claim(run, "mine", "2") and single.get(run).params == {"mine": "1"}
    for _ in range(2):
        single.set_params(run, {"level.size": "64", "level.rate": "0.1"})
    assert single.get(run).params == {"mine": "1", "level.size": "64", "level.rate": "0.1"}
    for _ in range(2):
        single.set_data(run, ABOUT.data_of(""))
    single.write_text(run, "deep/down.txt", "é")
    assert (
        single.files(run) == ["deep"]
        and experiment.read_bytes(run, "deep/down.txt") == "é".encode()
    )
    for texts in ({"a.json": "1", "b.json": "2"}, {"b.json": "3", "c.json": "é"}):
        single.replace_folder(run, "figures", texts)
    for name, text in {"b.json": "3", "c.json": "é"}.items():
        assert experiment.read_bytes(run, f"figures/{name}") == text.encode()
    assert sorted(single.files(run)) == ["deep", "figures"]
    with pytest.raises(Exception, match="a.json"):
        experiment.read_bytes(run, "figures/a.json")
    single.end(run, 1_700_000_000_000)
    assert single.running() == [] and single.is_active(run)
    single.delete(run)
    assert not single.is_active(run) and single.find("kind", "z") == []
    session.close()
    return content(folder)


@pytest.mark.usefixtures("quick_stores")
def test_both_forms_leave_the_same(tmp_path, monkeypatch):
    (tmp_path / "tables").mkdir(), (tmp_path / "client").mkdir()
    monkeypatch.chdir(tmp_path)
    tables = write_all(tmp_path / "tables", SingleTables)
    monkeypatch.setattr(schema, "KNOWN_REVISIONS", {})
    assert write_all(tmp_path / "client", SingleClient) == tables
