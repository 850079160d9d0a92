"""Drivers that have nothing in common but servers share one study: each run done once, the bits of
one alone, also where one of them is killed."""

from __future__ import annotations

import os
import signal
import time

import optuna
import pandas as pd
import pytest
from mlflow.tracking import MlflowClient

import harness as h
from harness import results
from harness.protocol.run import Options, run_study
from harness.tracking import lease, sharing
from harness.tracking.schema import Tag
from tests.torture import Tally

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("servers"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="forks its drivers"),
]
RUNS = 2 * (4 + 2)


def study(name):
    return h.Study(
        name=name,
        recipe=h.Recipe(data="iris", model=h.MLP(widths=(4,)), epochs=2, optimizer=h.SGD(lr=0.1)),
        compare={
            "optimizer": {
                "a": h.SGD(lr=h.LogUniform(1e-2, 1.0)),
                "b": h.Adam(lr=h.LogUniform(1e-3, 1e-1)),
            }
        },
        search=h.Search(trials=4, batch=2),
        seeds=2,
        claims=[h.Claim.better("b", than="a")],
    )


class Machine:
    """A driver in a process with a folder and a cache of its own, as on a machine of its own."""

    def __init__(self, folder, asked, options, dies=False):
        self.folder = folder
        folder.mkdir()
        self.pid = os.fork()
        if not self.pid:
            self._drive(asked, options, dies)

    def _drive(self, asked, options, dies):
        status = 1
        try:
            os.chdir(self.folder)
            os.environ["HARNESS_CACHE"] = str(self.folder / "cache")
            for module in (lease, sharing):
                module.BEAT, module.STALE = 0.3, 8.0
            sharing.POLL = 0.05
            take = sharing.Sharing.take

            def take_in_company(self, cohort):
                while sum(tag.startswith("beat.") for tag in self._tags) < 2:
                    time.sleep(0.05)
                    self.look()
                attempt = take(self, cohort)
                if attempt is not None and dies:
                    os.kill(os.getpid(), signal.SIGKILL)
                return attempt

            sharing.Sharing.take = take_in_company
            done = run_study(asked, options)
            (self.folder / "said").write_text(str(done.trained))
            status = 0
        except BaseException as error:
            (self.folder / "said").write_text(f"{type(error).__name__}: {error}")
        finally:
            os._exit(status)

    def wait(self):
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    @property
    def said(self):
        return (self.folder / "said").read_text()

    @property
    def trained(self):
        return int(self.said)


@pytest.mark.parametrize("killed", [False, True])
def test_two_machines_share_a_study(server, databases, folder, killed):
    name = f"joined-{killed}"
    asked = study(name)
    run_study(asked, Options(workers=0, cohort=2))
    options = Options(workers=0, cohort=2, join=True, uri=server.uri, storage=databases["optuna"])
    first = Machine(folder / "first", asked, options)
    client, deadline = MlflowClient(server.uri), time.monotonic() + 300
    while not shared(client, name) and time.monotonic() < deadline:
        time.sleep(0.2)
    second = Machine(folder / "second", asked, options, killed)
    ended = [first.wait(), second.wait()]
    assert ended == [0, -signal.SIGKILL if killed else 0], [
        p.read_text() for p in folder.glob("*/said")
    ]
    tally = Tally(f"two machines on servers{', one killed' * killed}", 1)
    tally.compare(table(name, server.uri), table(name, None))
    tally.write()
    pd.testing.assert_frame_equal(table(name, server.uri), table(name, None))
    there = 0 if killed else second.trained
    assert first.trained + there == RUNS and (killed or there > 0)
    mirrored = optuna.get_all_study_summaries(databases["optuna"])
    assert [s.n_trials for s in mirrored if s.study_name.startswith(f"{name}/")] == [4, 4]


def table(name, uri):
    runs = results.load(name, uri).runs.set_index("key").sort_index()
    return runs[["status", *(c for c in runs if "/" in c and c != "cost/seconds")]]


def shared(client, name):
    """Whether the first driver has begun to share the study."""
    experiment = client.get_experiment_by_name(name)
    return experiment and client.search_runs(
        [experiment.experiment_id], f"tags.`{Tag.KIND}` = 'sharing'"
    )
