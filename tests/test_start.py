"""What is imported before a person sees something: each of these takes tenths of a second or more."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STUDY = """
from harness import MLP, SGD, Recipe, Study
study = Study(name="s", recipe=Recipe(data="iris", model=MLP(widths=(4,)), steps=2, optimizer=SGD(lr=0.1)), seeds=1)
"""
TUNED = (
    STUDY.replace("import ", "import LogUniform, Search, ")
    .replace("lr=0.1)", "lr=LogUniform(0.1, 1))")
    .replace("seeds=1", "seeds=1, search=Search(trials=2, searches=1)")
)
AFTERWARDS = {"scipy.stats", "mlflow", "pandas", "plotly", "sklearn", "jinja2", "alembic"}
"""Packages that no study needs before it trains, nor a command that shows no table of results."""
OF_TRAINING = {"torch", "optuna", "scipy", "loky"}
SCRIPT = """
import sys
from harness.execution import pool
def ended(self, job):
    raise SystemExit(0)
pool.Pool._submit = ended  # the first job is where training begins
sys.argv = ["harness", *{words!r}]
from harness.cli import main
try:
    main()
finally:
    imported = {{name.partition(".")[0] for name in sys.modules}}
    print("imported:", *sorted(imported | ({{"scipy.stats"}} & set(sys.modules))))
"""


def imported_by(words, folder):
    """Return the packages that a command imports, up to the first job that would be trained."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(words=words)],
        check=False, cwd=folder, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    last = done.stdout.rpartition("imported: ")[2].split()
    assert last, done.stderr
    return set(last)


@pytest.fixture
def with_study(folder):
    (folder / "study.py").write_text(STUDY, encoding="utf-8")
    return folder


@pytest.mark.parametrize("words", (["--version"], ["status", "s"], ["list"], ["run", "--help"]))
def test_a_command_that_trains_nothing_imports_nothing_of_training(words, with_study):
    imported = imported_by(words, with_study)
    assert not imported & (AFTERWARDS | OF_TRAINING), words


@pytest.mark.parametrize(("study", "needed"), [(STUDY, {"torch"}), (TUNED, {"torch", "optuna"})])
def test_a_study_begins_without_what_it_needs_later(folder, study, needed):
    (folder / "study.py").write_text(study, encoding="utf-8")
    imported = imported_by(["run", "study.py", "--workers", "0"], folder)
    assert needed <= imported, "it came to the first job"
    assert not imported & ((AFTERWARDS | {"optuna"}) - needed)


@pytest.mark.parametrize("study", [STUDY, TUNED])
def test_a_driver_with_workers_does_without_torch(folder, study):
    (folder / "study.py").write_text(study, encoding="utf-8")
    assert "torch" not in imported_by(["run", "study.py", "--workers", "1"], folder)
