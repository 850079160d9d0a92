"""A user's own code is run where a study is run, and nowhere else."""

from __future__ import annotations

import sys

import pytest

from harness.cli import main

PARTS = """
from torch import nn
from harness.probes.base import Probe

class Net(nn.Module):
    def __init__(self, input_shape, outputs):
        super().__init__()
        self.out = nn.Linear(input_shape[0], outputs)
    def forward(self, x):
        return self.out(x)

def squares(out, y):
    return (out - y).square().mean(-1)

class Largest(Probe):
    prefix = "biggest"
    def measure(self, scene, memory):
        return {"weight": scene.w_KP.abs().amax(1)}
"""
SPEC = """
name: own
recipe: {data: iris, model: {name: parts_of_mine.Net}, loss: parts_of_mine.squares, batch_size: 32, epochs: 2, optimizer: {name: SGD, lr: 0.1}}
compare: {optimizer.lr: {slow: 0.01, fast: 0.1}}
seeds: 2
probes: [parts_of_mine.Largest]
claims: [{kind: better, arm: fast, than: slow, on: test/loss}]
"""
TRAP = "import pathlib; pathlib.Path(__file__).with_suffix('.ran').touch(); raise SystemExit('no')"


@pytest.fixture
def call(monkeypatch, capsys):
    def call(*words):
        monkeypatch.setattr(sys, "argv", ["harness", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return ended.value.code or 0, said.out + said.err

    return call


def test_results_are_read_in_any_folder_without_the_code_that_made_them(
    call, folder, monkeypatch, tmp_path
):
    monkeypatch.setattr(sys, "path", [*sys.path])
    (folder / "parts_of_mine.py").write_text(PARTS)
    (folder / "own.yaml").write_text(SPEC)
    assert call("run", "own.yaml", "--workers", 0)[0] == 0
    shown = (folder / "reports" / "own.html").read_text()

    # elsewhere a file of the same name, which is neither imported nor believed
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "parts_of_mine.py").write_text(TRAP)
    (elsewhere / "own.yaml").write_text(SPEC)
    monkeypatch.chdir(elsewhere)
    sys.path[:] = [str(elsewhere), *(entry for entry in sys.path if entry != str(folder))]
    monkeypatch.delitem(sys.modules, "parts_of_mine")
    store = f"sqlite:///{folder / 'mlflow.db'}"
    for command in ("report", "audit", "verdicts", "status"):
        given = "own.yaml" if command == "report" else "own"
        status, said = call(command, given, "--store", store)
        assert status == 0 and said, said
    assert not (elsewhere / "parts_of_mine.ran").exists()
    page = (elsewhere / "reports" / "own.html").read_text()
    assert "biggest" in shown and 'id="probe-biggest"' in page
    # what the probe is called stands in the page all the same
    assert "parts_of_mine.Largest" in page
    # whoever trains it needs the code, and is told what is wrong with it
    status, said = call("plan", "own.yaml")
    assert status == 2 and "its module fails: SystemExit: no (parts_of_mine.py:1)" in said
