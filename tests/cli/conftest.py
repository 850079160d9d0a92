"""The command line in an empty folder with a small study."""

import sys

import pytest

from harness.cli import main

SPEC = """
name: tiny
question: Which rate?
recipe: {data: iris, model: {name: MLP, widths: [4]}, optimizer: {name: SGD, lr: 0.1}, batch_size: 32, epochs: 2}
compare:
  optimizer:
    SGD: {name: SGD, lr: {log_uniform: [1e-2, 1.0]}}
    Adam: {name: Adam, lr: {log_uniform: [1e-3, 1e-1]}}
search: {trials: 3}
seeds: 2
quick: {search.trials: 1, seeds: 1}
"""


UNTUNED = (
    SPEC.replace("{log_uniform: [1e-2, 1.0]}", "0.1")
    .replace("{log_uniform: [1e-3, 1e-1]}", "0.01")
    .replace("search: {trials: 3}", "")
    .replace("search.trials: 1, ", "")
)


@pytest.fixture
def cli(folder, monkeypatch, capsys):
    """Call ``harness`` in an empty folder with a spec; return status, output and errors."""
    (folder / "tiny.yaml").write_text(SPEC)
    monkeypatch.setenv("COLUMNS", "200")

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["harness", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return ended.value.code or 0, said.out, said.err

    return call
