"""A study killed before every single write, in turn, and started again: the same store and report."""

from __future__ import annotations

import os
import re
import shutil
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

import harness as h
from harness import results
from harness.cli.flags import Flags
from harness.cli.run import run_and_report
from harness.tracking.connect import connect
from tests.killing import KILLED, drive, moments
from tests.torture import Tally

STUDY = h.Study(
    name="killed",
    recipe=h.Recipe(data="iris", model=h.MLP(widths=(2,)), epochs=1, optimizer=h.SGD(lr=0.1)),
    compare={"optimizer": {"a": h.SGD(lr=h.LogUniform(0.01, 1.0)), "b": h.SGD(lr=0.1)}},
    search=h.Search(trials=2),
    seeds=2,
    probes=[h.Confusion(every=1)],
    claims=[h.Claim.better("a", than="b")],
)


def run(folder: Path) -> None:
    """Run the study, and write its report."""
    run_and_report(STUDY, Flags(workers=0, store=f"sqlite:///{folder / 'mlflow.db'}"))


def found(folder: Path) -> tuple[pd.DataFrame, str, list[str]]:
    """Return what a user finds: the runs' numbers, the report's claims and MLflow's statuses."""
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    runs = results.load("killed", uri).runs.set_index("key").sort_index()
    kept = [c for c in runs if "/" in c and not c.startswith("cost/")]
    page = (folder / "reports" / "killed.html").read_text(encoding="utf-8")
    said = re.search(r"a ends with a better test/loss than b.{0,2000}", page, re.S)
    assert said, "the report does not tell the claim"
    assert "killed.html" in (folder / "reports" / "index.html").read_text(encoding="utf-8")
    with connect(uri, create=False).engine.connect() as connection:
        states = connection.execute(
            sa.text("SELECT status FROM runs WHERE lifecycle_stage = 'active' ORDER BY status")
        )
        linked = connection.execute(
            sa.text(
                "SELECT count(*) FROM runs r WHERE lifecycle_stage = 'active' AND NOT EXISTS "
                "(SELECT 1 FROM inputs i WHERE i.destination_id = r.run_uuid)"
            )
        ).scalar()
    assert linked == 0, f"{linked} runs without their data set"
    return runs[["status", *kept]], said[0][:200], [row[0] for row in states]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, template_store):
    """The store before the study, and what is found after it, with its list of writes."""
    root = tmp_path_factory.mktemp("killed")
    template, whole = root / "template", root / "whole" / "study"
    template.mkdir()
    shutil.copy(template_store, template / "mlflow.db")
    shutil.copytree(template, whole)
    assert drive(partial(run, whole), whole) == 0, (whole.parent / "error").read_text()
    return template, found(whole), (whole.parent / "writes").read_text().splitlines()


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")
def test_a_kill_before_any_write_is_gone_on_from(undisturbed, tmp_path):
    template, (runs, said, states), writes = undisturbed
    assert len(writes) > 20
    wrong, tally = [], Tally("killed before a write, or within it (SQLite, report, index)")
    for at, torn in moments(writes, 20, 12):
        folder = tmp_path / f"{at}{'t' * torn}" / "study"
        shutil.copytree(template, folder)
        assert drive(partial(run, folder), folder, at, torn) == KILLED, writes[at]
        tally.tries += 1
        try:
            assert drive(partial(run, folder), folder) == 0, (folder.parent / "error").read_text()
            again, said_again, states_again = found(folder)
            tally.compare(again, runs)
            pd.testing.assert_frame_equal(again, runs)
            assert said_again == said and states_again == states
            assert not [path for path in folder.rglob(".*-*") if path.suffix != ".lock"]
        except Exception as error:
            tally.stuck += not isinstance(error, AssertionError) or "RUNNING" in str(error)
            wrong.append(f"{at}{' torn' * torn} {writes[at]}: {str(error)[:300]}")
        shutil.rmtree(folder.parent)
    tally.write()
    assert not wrong, "\n".join(wrong)
