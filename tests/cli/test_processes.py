"""What each way to start the harness sets in its process, and how little it imports."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from harness.core.process import REPRODUCIBLE_MKL
from harness.execution.local import local_executor
from harness.protocol.run import Options, run_study
from tests.studies import small

SPEC = """
import os
import harness as h

study = h.Study(
    name="small",
    recipe=h.Recipe(data="digits", model="tests.cli.test_processes.Told", epochs=1, optimizer=h.SGD(lr=0.1)),
    seeds=1,
)
if __name__ == "__main__":
    study.main()
"""


def environment():
    """This process's environment as a user's shell has it."""
    return {name: value for name, value in os.environ.items() if name != REPRODUCIBLE_MKL[0]}


def heavy(*modules):
    return f"import sys; loaded = {set(modules)} & set(sys.modules); assert not loaded, loaded"


@pytest.mark.parametrize("words", [["harness", "run", "told.py"], ["told.py"]])
def test_commands_that_train_in_their_own_process_keep_bits_apart_from_memory(folder, words):
    (folder / "told.py").write_text(SPEC)
    prefix = [sys.executable, "-m"] if words[0] == "harness" else [sys.executable]
    said = subprocess.run(
        [*prefix, *words, "--workers", "0", "--dry-run"],
        cwd=folder,
        env=environment() | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "MKL_CBWR is AUTO,STRICT" in said.stdout


def test_workers_keep_bits_apart_from_memory(monkeypatch):
    monkeypatch.delenv(REPRODUCIBLE_MKL[0], raising=False)
    with local_executor(1) as executor:
        assert executor.submit(os.getenv, REPRODUCIBLE_MKL[0]).result() == REPRODUCIBLE_MKL[1]


def test_tests_keep_bits_apart_from_memory():
    assert os.environ[REPRODUCIBLE_MKL[0]] == REPRODUCIBLE_MKL[1]


def test_a_study_with_a_known_answer_needs_neither_torch_nor_optuna(folder):
    run_study(small(search=None, compare={}, claims=()), Options(workers=0))
    script = (
        "from tests.studies import small\n"
        "from harness.protocol.run import Options, run_study\n"
        "summary = run_study(small(search=None, compare={}, claims=()), Options(workers=0))\n"
        "assert (summary.trained, summary.known) == (0, 2)\n"
        f"{heavy('torch', 'optuna')}\n"
    )
    _python(script, folder)


def test_help_needs_none_of_the_large_libraries(tmp_path):
    script = (
        "import sys\n"
        "from harness.cli import main\n"
        "sys.argv = ['harness', '--help']\n"
        "try:\n"
        "    main()\n"
        "except SystemExit:\n"
        "    pass\n"
        f"{heavy('torch', 'mlflow', 'optuna', 'pandas', 'numpy', 'pydantic', 'rich')}\n"
    )
    _python(script, tmp_path)


def _python(script, folder):
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def Told(input_shape, outputs):
    """A network that says what MKL is told."""
    from torch import nn

    print(f"MKL_CBWR is {os.environ.get(REPRODUCIBLE_MKL[0])}")
    return nn.Linear(input_shape[0], outputs)
