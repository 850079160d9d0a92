"""Recorded code runs by ``harness reproduce`` only where it is the reader's own, or agreed to."""

import sys

import pytest

import harness as h
from harness import results
from harness.cli import verdicts
from harness.core.errors import HarnessError
from harness.protocol.recorded_code import find_unseen
from harness.protocol.run import Options, run_study

DATA = """
import pathlib

pathlib.Path("was-run").touch()

def load():
    return [[float(i % 2)] for i in range(20)], [i % 2 for i in range(20)]
"""


def test_recorded_code_is_shown_and_agreed_to(folder, monkeypatch, capsys):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.syspath_prepend(str(folder))
    own = folder / "recorded_here.py"
    own.write_text(DATA)
    recipe = h.Recipe(
        data="recorded_here.load", model="MLP", optimizer=h.SGD(lr=0.1), epochs=1, batch_size=4
    )
    run_study(h.Study(name="s", recipe=recipe, seeds=1), Options(workers=0))
    run_id = results.load("s").confirmed["run_id"].iloc[0]
    sys.modules.pop("recorded_here")
    (folder / "was-run").unlink()
    # the same file here: nobody is asked
    verdicts.show_reproduced(run_id, None)
    assert (folder / "was-run").exists() and "have not here" not in capsys.readouterr().out
    for change, why in ((DATA + "\n", "differs from yours"), (None, "is not in this folder")):
        (folder / "was-run").unlink(missing_ok=True)
        own.unlink() if change is None else own.write_text(change)
        with pytest.raises(HarnessError, match="agree to it with --trust"):
            verdicts.show_reproduced(run_id, None)
        shown = capsys.readouterr().out
        assert why in shown and "recorded_here.py (" in shown and "import pathlib" in shown
        assert not (folder / "was-run").exists()
    verdicts.show_reproduced(run_id, None, trust=True)
    assert (folder / "was-run").exists() and "identical" in capsys.readouterr().out


def test_commands_are_programs_and_control_characters_are_not_printed(tmp_path):
    code, own = tmp_path / "code", tmp_path / "own"
    (code / "parts").mkdir(parents=True)
    own.mkdir()
    (code / "parts" / "mine.py").write_text("x = 1 \x1b[2J\rhidden\n" * 9)
    (code / "same.py").write_text("a\n")
    (own / "same.py").write_text("a\n")
    spec = {"recipe": {"trainer": {"name": "Command", "command": "curl x"}}, "compare": {"t": {}}}
    file, command = find_unseen(code, own, spec)
    assert (file.path, command.text) == ("parts/mine.py", "curl x")
    assert "\x1b" not in str(file) and "\r" not in str(file) and len(str(file).splitlines()) <= 6
