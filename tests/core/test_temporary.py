"""Temporary files are removed by the next process, if the one that made them can't."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from harness.core import temporary
from harness.core.temporary import ELSEWHERE_SECONDS, marked, temporary_folder
from harness.core.whole_file import write_whole

KILLED = """
import os, signal, tempfile
from pathlib import Path
from harness.core.temporary import marked, temporary_folder
from harness.core.whole_file import replacing
folder = temporary_folder("test")
within = temporary_folder("kernels", Path("."))
for made in (folder, within):
    (Path(made.name) / "file").touch()
with replacing(Path("page.html")) as file:
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_left_is_removed_by_the_next_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", KILLED], env=environment, check=False)
    left = {path.name.split("-")[0] for path in tmp_path.iterdir()}
    assert left == {"harness", ".kernels", ".page.html"}
    others = ["harness-of-a-user", ".page.html-x", "harness-test-0f0f0f-1-1-abcd"]
    for name in others:
        (tmp_path / name).touch()
    temporary._sweep.cache_clear()
    with temporary_folder("test") as own:
        write_whole(tmp_path / "page.html", "whole")
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
            ["page.html", os.path.basename(own), *others]
        )


def test_those_of_living_processes_and_of_other_machines_are_left_for_a_day(tmp_path):
    mine = tmp_path / f"{marked('mine', tmp_path)}abcdefgh"
    host = "000000" if temporary._host() != "000000" else "111111"
    fresh, old = (tmp_path / f"x-{host}-1-1-{name}" for name in ("freshest", "outdated"))
    for path in (mine, fresh, old):
        path.touch()
    day_ago = time.time() - ELSEWHERE_SECONDS - 60
    os.utime(old, (day_ago, day_ago))
    temporary._sweep.cache_clear()
    marked("other", tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([mine, fresh])


def test_a_folder_is_known_by_its_whole_path_and_not_by_how_it_is_named(tmp_path, monkeypatch):
    for study in ("first", "second"):
        reports = tmp_path / study / "reports"
        reports.mkdir(parents=True)
        # our own number, but of a process that began long ago: it is no more
        left = reports / f".page.html-{temporary._host()}-{os.getpid()}-1-abcdefgh"
        left.touch()
        monkeypatch.chdir(tmp_path / study)
        write_whole(Path("reports/page.html"), "whole")
        assert os.listdir(reports) == ["page.html"]
