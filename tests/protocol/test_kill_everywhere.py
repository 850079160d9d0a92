"""A study killed before every single write, in turn, and started again: the same store and report.

Writes are found by enumeration, not by hand. Python tells of every file that is opened for writing,
renamed, linked or removed (PEP 578), SQLAlchemy of every transaction. Between two of them nothing
that lasts is done, so that killing before each one covers every moment; files that are opened for
writing are also left empty, as a kill in the middle of a write leaves them.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

import harness as h
from harness import results
from harness.cli.flags import Flags
from harness.cli.run import run_and_report
from harness.tracking.connect import connect

EVERY = "HARNESS_KILL_EVERYWHERE" in os.environ
"""Whether all writes are tried, which takes minutes (``make torture``), or some of each kind."""
KILLED = 77
CHANGES = {"os.rename", "os.link", "os.remove", "os.rmdir", "os.mkdir", "os.truncate"}
STUDY = h.Study(
    name="killed",
    recipe=h.Recipe(data="iris", model=h.MLP(widths=(2,)), epochs=1, optimizer=h.SGD(lr=0.1)),
    compare={"optimizer": {"a": h.SGD(lr=h.LogUniform(0.01, 1.0)), "b": h.SGD(lr=0.1)}},
    search=h.Search(trials=2),
    seeds=2,
    probes=[h.Confusion(every=1)],
    claims=[h.Claim.better("a", than="b")],
)


class Killer:
    """Counts the writes under a folder, and ends the process at one of them.

    Args:
        folder: what lies elsewhere (caches, pipes) does not count.
        at: number of the write, from 0; None for none of them.
        torn: leave the file that is opened empty.
    """

    def __init__(self, folder: Path, at: int | None, torn: bool) -> None:
        self.folder, self.at, self.torn = str(folder), at, torn
        self.writes: list[str] = []
        sys.addaudithook(self._audited)
        sa.event.listen(sa.engine.Engine, "commit", lambda connection: self._write("commit"))

    def _audited(self, event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and isinstance(arguments[0], (str, Path)):
            path, _, flags = arguments
            if int(flags) & (os.O_WRONLY | os.O_RDWR) and self._counts(path):
                self._write(f"open {path}", str(path))
        elif event in CHANGES and self._counts(arguments[0]):
            self._write(f"{event} {arguments[0]}")

    def _counts(self, path: object) -> bool:
        return os.path.abspath(str(path)).startswith(self.folder)

    def _write(self, what: str, opened: str = "") -> None:
        number, at = len(self.writes), self.at
        self.writes.append(what)
        if number == at and (opened or not self.torn):
            if self.torn:
                self.at = None  # this opening is our own
                Path(opened).write_bytes(b"")
            os._exit(KILLED)


def drive(folder: Path, at: int | None = None, torn: bool = False) -> int:
    """Run the study in a process of its own; return its exit status, and leave a list of its writes
    beside the folder."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        os.chdir(folder)
        with (folder.parent / "said").open("w") as said:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
        killer = Killer(folder, at, torn)
        run_and_report(STUDY, Flags(workers=0, store=f"sqlite:///{folder / 'mlflow.db'}"))
        (folder.parent / "writes").write_text("\n".join(killer.writes))
        status = 0
    except BaseException as error:
        (folder.parent / "error").write_text(f"{type(error).__name__}: {error}")
    finally:
        os._exit(status)


def found(folder: Path) -> tuple[pd.DataFrame, str, list[str]]:
    """Return what a user finds: the runs' numbers, the report's claims and MLflow's statuses."""
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    runs = results.load("killed", uri).runs.set_index("key").sort_index()
    kept = [c for c in runs if "/" in c and not c.startswith("cost/")]
    page = (folder / "reports" / "killed.html").read_text(encoding="utf-8")
    said = re.search(r"a ends with a better test/loss than b.{0,2000}", page, re.S)
    assert said, "the report does not tell the claim"
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
def undisturbed(tmp_path_factory):
    """The store before the study, and what is found after it, with its list of writes."""
    root = tmp_path_factory.mktemp("killed")
    template, whole = root / "template", root / "whole" / "study"
    template.mkdir()
    connect(f"sqlite:///{template / 'mlflow.db'}", create=True).engine.dispose()
    shutil.copytree(template, whole)
    assert drive(whole) == 0, (whole.parent / "error").read_text()
    return template, found(whole), (whole.parent / "writes").read_text().splitlines()


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")
def test_a_kill_before_any_write_is_gone_on_from(undisturbed, tmp_path):
    template, (runs, said, states), writes = undisturbed
    assert len(writes) > 20
    wrong = []
    for at, torn in moments(writes):
        folder = tmp_path / f"{at}{'t' * torn}" / "study"
        shutil.copytree(template, folder)
        assert drive(folder, at, torn) == KILLED, writes[at]
        try:
            assert drive(folder) == 0, (folder.parent / "error").read_text()
            again, said_again, states_again = found(folder)
            pd.testing.assert_frame_equal(again, runs)
            assert said_again == said and states_again == states
        except Exception as error:
            wrong.append(f"{at}{' torn' * torn} {writes[at]}: {str(error)[:300]}")
        shutil.rmtree(folder.parent)
    assert not wrong, "\n".join(wrong)


def moments(writes: list[str]) -> list[tuple[int, bool]]:
    """Return the moments that are tried: before a write, or with its file left empty."""
    whole = [(at, False) for at in range(len(writes))]
    torn = [(at, True) for at, what in enumerate(writes) if what.startswith("open")]
    return whole + torn if EVERY else whole[::20] + torn[::12]
