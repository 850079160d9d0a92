"""CONTRIBUTING shows how a part of each kind is added; here each is added, to a copy of the project, and its tests run.

A section's ``python`` block is the new file, named in its first line. A ``diff`` block holds the lines that join it
elsewhere, each below a line that stands in the file already. The section's ``bash`` block is what is run then.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
MOST_LINES_ELSEWHERE = 2


class Addition(NamedTuple):
    """What a section says is to be written."""

    files: dict[str, str]
    """New files by path."""
    changes: str
    """The ``diff`` block."""
    command: str


def additions() -> dict[str, Addition]:
    """Read the sections that show an addition, by their titles."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    shown = {}
    for section in re.split(r"^### ", page, flags=re.MULTILINE)[1:]:
        title = section.splitlines()[0]
        blocks = re.findall(r"^```(\w+)\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
        files = dict(_named(text) for language, text in blocks if language == "python")
        rest = dict(blocks)
        if files:
            shown[title] = Addition(files, rest["diff"], rest["bash"])
    return shown


def _named(block: str) -> tuple[str, str]:
    first, _, text = block.partition("\n")
    return first.removeprefix("# ").strip(), text


def apply(changes: str, tree: Path) -> int:
    """Put the lines that are marked with + below the lines before them; return how many there are."""
    added, path, after = 0, tree, ""
    for line in changes.splitlines():
        if line.startswith("+++ "):
            path = tree / line.removeprefix("+++ ")
        elif line.startswith("+"):
            text = path.read_text(encoding="utf-8")
            assert text.count(f"{after}\n") >= 1, f"{path.name} has no line {after!r}"
            place = text.index(f"{after}\n") + len(after) + 1
            path.write_text(f"{text[:place]}{line[1:]}\n{text[place:]}", encoding="utf-8")
            added, after = added + 1, line[1:]
        else:
            after = line[1:]
    return added


def test_every_kind_of_part_is_shown():
    kinds = {"optimizer", "model", "probe", "regularizer", "figure", "claim"}
    assert kinds <= {title.split()[-1] for title in additions()}


@pytest.mark.slow
@pytest.mark.parametrize("title", additions())
def test_a_part_is_one_file_and_two_lines(title, tmp_path):
    addition = additions()[title]
    for name in ("harness", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    assert len(addition.files) == (2 if title == "A kind of claim" else 1)
    for name, text in addition.files.items():
        path = tmp_path / name
        assert not path.exists() and path.parent.is_dir()
        path.write_text(text, encoding="utf-8")
    assert 1 <= apply(addition.changes, tmp_path) <= MOST_LINES_ELSEWHERE
    words = shlex.split(addition.command)
    assert words[0] == "pytest"
    done = subprocess.run(
        [sys.executable, "-m", *words, "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path), "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert re.search(r"^[1-9]\d* passed|\[100%\]", done.stdout, re.MULTILINE), "no test joined"
