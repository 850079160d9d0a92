"""A server whose answers are lost, and a driver killed before its requests: each run once, nothing
left running."""

from __future__ import annotations

import shutil
from collections import Counter
from functools import partial

import pandas as pd
import pytest

import harness as h
from harness import results
from harness.cli.flags import Flags
from harness.cli.run import run_and_report
from harness.protocol.run import Options, run_study
from harness.report.file_names import slug
from harness.tracking import retry
from harness.tracking.connect import connect
from tests.killing import KILLED, drive, moments
from tests.lossy_proxy import lossy_proxy
from tests.studies import small
from tests.tables import assert_same_tables, tables
from tests.torture import Tally

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("servers")]


def assert_clean(uri, study, arms, count):
    """Check that a study's runs are there once, ended and with their data."""
    client = connect(uri, create=False).client
    experiment = client.get_experiment_by_name(study).experiment_id
    runs = client.search_runs([experiment], max_results=1000)
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert all(run.inputs.dataset_inputs for run in runs)
    keys = [tags["harness.key"] for run in runs if "harness.key" in (tags := run.data.tags)]
    assert len(keys) == len(set(keys)) == count
    kinds = Counter(run.data.tags["harness.kind"] for run in runs)
    assert kinds == {"run": count, "arm": arms, "study": 1}


def test_lost_answers_double_nothing(server, folder, monkeypatch):
    monkeypatch.setenv("HARNESS_CACHE", str(folder / "cache"))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", "0")
    monkeypatch.setattr(retry, "PAUSES", (0.05,))
    study = small(name="lossy", search=h.Search(trials=3))
    run_study(study, Options(workers=0))
    with lossy_proxy(server.port, 0.3) as proxy:
        run_study(study, Options(workers=0, uri=proxy.uri))
    assert proxy.lost > 20
    tally = Tally("answers of a server lost after delivery (30 %)", tries=proxy.lost)
    tally.compare(found(server.uri, "lossy"), found(None, "lossy"))
    tally.write()
    assert_same_tables(tables(study="lossy"), tables(server.uri, "lossy"))
    assert_clean(server.uri, "lossy", arms=2, count=10)
    assert run_study(study, Options(workers=0, uri=server.uri)).answered


def killed(name):
    return h.Study(
        name=name,
        recipe=h.Recipe(data="iris", model=h.MLP(widths=(2,)), epochs=1, optimizer=h.SGD(lr=0.1)),
        compare={"optimizer": {"a": h.SGD(lr=0.2), "b": h.SGD(lr=0.1)}},
        seeds=2,
        probes=[h.Confusion(every=1)],
        claims=[h.Claim.better("a", than="b")],
    )


def run(uri, folder, name):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_CACHE", str(folder / "cache"))
        run_and_report(killed(name), Flags(workers=0, store=uri))


def found(uri, name):
    """The runs' numbers, by their keys."""
    runs = results.load(name, uri).runs.set_index("key").sort_index()
    return runs[[c for c in runs if "/" in c and not c.startswith("cost/")]]


@pytest.mark.timeout(3600)
def test_a_kill_before_any_request_is_gone_on_from(server, tmp_path):
    whole = tmp_path / "whole" / "study"
    whole.mkdir(parents=True)
    assert drive(partial(run, server.uri, whole, "killed"), whole) == 0, error_of(whole)
    undisturbed = found(server.uri, "killed")
    writes = (whole.parent / "writes").read_text().splitlines()
    assert sum(what.startswith("send") for what in writes) > 30
    wrong, tally = [], Tally("killed before a request, or a write (server, spool, report)")
    for at, torn in moments(writes, 100, 200):
        name = f"killed at {at}{' torn' * torn}"
        folder = tmp_path / name / "study"
        folder.mkdir(parents=True)
        work = partial(run, server.uri, folder, name)
        assert drive(work, folder, at, torn) == KILLED, writes[at]
        tally.tries += 1
        try:
            assert drive(work, folder) == 0, error_of(folder)
            again = found(server.uri, name)
            tally.compare(again, undisturbed)
            pd.testing.assert_frame_equal(again, undisturbed, check_exact=True)
            assert_clean(server.uri, name, arms=2, count=4)
            assert "a ends with a better" in (folder / "reports" / f"{slug(name)}.html").read_text()
        except Exception as error:
            tally.stuck += not isinstance(error, AssertionError) or "RUNNING" in str(error)
            wrong.append(f"{at}{' torn' * torn} {writes[at]}: {str(error)[:300]}")
        shutil.rmtree(folder.parent)
    tally.write()
    assert not wrong, "\n".join(wrong)


def error_of(folder):
    return (folder.parent / "error").read_text()
