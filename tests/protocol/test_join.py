"""Real processes that share one study by its store: each run done once, and the bits of one alone."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from contextlib import closing

import pandas as pd
import pytest

import harness as h
from harness import results
from harness.core.errors import SpecError, StoreError
from harness.execution.jobs import how_cut
from harness.protocol.about import about_study
from harness.protocol.run import Options, run_study
from harness.spec.arms import build_arms
from harness.tracking import Session, sharing
from tests.torture import Tally

RUNS = 2 * (10 + 4)


def study(**fields):
    search = {"trials": 10, "batch": 2, **fields}
    return h.Study(
        name="shared",
        recipe=h.Recipe(data="iris", model=h.MLP(widths=(4,)), epochs=3, optimizer=h.SGD(lr=0.1)),
        compare={
            "optimizer": {
                "a": h.SGD(lr=h.LogUniform(1e-2, 1.0)),
                "b": h.Adam(lr=h.LogUniform(1e-3, 1e-1)),
            }
        },
        search=h.Search(**search),
        seeds=4,
        claims=[h.Claim.better("b", than="a")],
    )


def options(folder, **fields):
    storage, uri = str(folder / "o.journal"), f"sqlite:///{folder / 'mlflow.db'}"
    return Options(workers=0, cohort=2, storage=storage, uri=uri, **fields)


def drive(folder, name, asked, dies=False):
    """Run the study in a process of its own, which takes nothing before there are two of them."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        os.chdir(folder)
        sharing.BEAT, sharing.STALE, sharing.POLL = 0.2, 4.0, 0.05
        take, company = sharing.Sharing.take, iter([2])

        def take_in_company(self, cohort):
            # asked for once: who goes on with what the other left is alone
            expected = next(company, 0)
            while sum(tag.startswith("beat.") for tag in self._tags) < expected:
                time.sleep(0.05)
                self.look()
            attempt = take(self, cohort)
            if attempt is not None and dies:
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(0.01)
            return attempt

        sharing.Sharing.take = take_in_company
        done = run_study(asked, options(folder, join=True))
        (folder / name).write_text(json.dumps([done.trained, done.joined]))
        status = 0
    except BaseException as error:
        (folder / name).write_text(f"{type(error).__name__}: {error}")
    finally:
        os._exit(status)


def drive_two(folder, asked, killed=""):
    first = drive(folder, "first", asked, killed == "first")
    deadline = time.monotonic() + 120
    while told(folder, "beat.%") < 1 and time.monotonic() < deadline:
        time.sleep(0.05)
    second = drive(folder, "second", asked, killed == "second")
    for name, pid in (("first", first), ("second", second)):
        ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        expected = -signal.SIGKILL if name == killed else 0
        assert ended == expected, (folder / name).read_text()


def told(folder, like):
    """Return how many things of a kind the drivers have told each other."""
    with sqlite3.connect(f"file:{folder / 'mlflow.db'}?mode=ro", uri=True) as db:
        query = "select count(*) from {} where key like ?"
        return sum(db.execute(query.format(t), (like,)).fetchone()[0] for t in ("params", "tags"))


def table(folder):
    runs = results.load("shared", f"sqlite:///{folder / 'mlflow.db'}").runs
    runs = runs.set_index("key").sort_index()
    return runs[["status", *(c for c in runs if "/" in c and c != "cost/seconds")]]


def prepared(folder, template):
    folder.mkdir()
    (folder / "mlflow.db").write_bytes(template.read_bytes())
    return folder


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks its drivers")
@pytest.mark.parametrize(
    "killed, pruner",
    [
        ("", "none"),
        pytest.param("second", "none", marks=pytest.mark.slow),
        pytest.param("first", "none", marks=pytest.mark.slow),
        pytest.param("", "median", marks=pytest.mark.slow),
    ],
)
def test_two_drivers_share_a_study(tmp_path, template_store, killed, pruner):
    asked = study(pruner=pruner)
    alone, folder = (prepared(tmp_path / name, template_store) for name in ("alone", "shared"))
    run_study(asked, options(alone))
    drive_two(folder, asked, killed)
    fault = f"the {killed} of two drivers is killed" if killed else f"two drivers, pruner {pruner}"
    tally = Tally(fault, 1)
    tally.compare(table(folder), table(alone))
    tally.write()
    pd.testing.assert_frame_equal(table(folder), table(alone))
    with sqlite3.connect(folder / "mlflow.db") as db:
        keys = [k for (k,) in db.execute("select value from tags where key = 'harness.key'")]
    assert len(keys) == len(set(keys)) == RUNS, "a run was done twice, or not at all"
    if killed != "first":  # one that goes on in its place begins with a list of its own
        assert told(folder, "cohort.%.1") == (killed == "second"), "taken again, and no more"
    if not killed:
        trained, joined = json.loads((folder / "first").read_text())
        there, second = json.loads((folder / "second").read_text())
        assert trained + there == RUNS and there > 0 and (joined, second) == (False, True)
    again = run_study(asked, options(folder, join=True))
    assert again.answered and (again.trained, again.known) == (0, RUNS)


def test_a_driver_joins_its_like_alone(tmp_path, template_store, monkeypatch):
    folder = prepared(tmp_path / "f", template_store)
    monkeypatch.setattr(sharing, "JOINING", 0.1)
    uri, asked = options(folder).uri, study()

    def opened(spec, cut):
        session = Session(spec.name, uri, join=cut)
        return session, session.open(about_study(spec), build_arms(spec))

    first, _ = opened(asked, None)
    with pytest.raises(StoreError, match="is being run by .* start it with --join there"):
        opened(asked, "8")
    first.close()
    first, _ = opened(asked, "8")
    with pytest.raises(StoreError, match="with another spec, other data"):
        opened(study(trials=11), "8")
    with pytest.raises(StoreError, match="--cohort"):
        opened(asked, "2")
    with pytest.raises(SpecError, match="neither fresh nor take_over"):
        run_study(asked, options(folder, join=True, fresh=True))
    first.close()


def test_a_first_driver_that_sleeps_and_keeps_the_study_is_told(
    tmp_path, template_store, monkeypatch
):
    folder = prepared(tmp_path / "f", template_store)
    for name, seconds in (("BEAT", 60.0), ("STALE", 0.3), ("POLL", 0.05)):
        monkeypatch.setattr(sharing, name, seconds)
    first = Session("shared", options(folder).uri, join=how_cut(2))
    first.open(about_study(study()), build_arms(study()))
    with closing(first), pytest.raises(StoreError, match="still has the study; end that process"):
        run_study(study(), options(folder, join=True))
