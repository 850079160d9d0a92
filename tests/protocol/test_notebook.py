"""A real notebook: compare with its live view, and a study whose parts are defined in cells; skipped
where no kernel is installed."""

from __future__ import annotations

import pytest

pytest.importorskip("ipykernel")
nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")

COMPARE = """
import harness

def train(run):
    for step in range(1, run.steps + 1):
        run.log(step, valid_loss=run.config["size"] / step + run.seed / 100)

harness.compare(
    train, {"a": {"size": 1.0}, "b": {"size": 2.0}}, steps=3, seeds=4, workers=1, name="cells",
    claims=[harness.Claim.better("a", than="b", on="valid/loss")],
)
"""
STUDY = """
from functools import partial
from torch import nn

class Net(nn.Module):
    def __init__(self, input_shape, outputs, width):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(input_shape[0], width), nn.Linear(width, outputs))

    def forward(self, x):
        return self.net(x)

def error(out, y):
    return (out - y).square().mean(-1)

study = harness.Study(
    name="own cells",
    recipe=harness.Recipe(
        data="iris", model=partial(Net, width=4), loss=error, optimizer=harness.SGD(lr=0.1), epochs=1
    ),
    seeds=2,
)
done = harness.run_study(study, harness.Options(workers=1))
print(done.trained, done.failed)
"""
MISTAKE = 'harness.compare(train, {"a": 5}, steps=1)'


@pytest.mark.slow
def test_compare_and_a_study_in_the_cells_of_a_notebook(tmp_path):
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(text) for text in (COMPARE, STUDY, MISTAKE)]
    nbclient.NotebookClient(
        notebook, timeout=300, allow_errors=True, resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    compared, studied, refused = (cell.outputs for cell in notebook.cells)
    shown = [output for output in compared if output.output_type == "display_data"]
    # one output that was renewed, and the results below it
    assert len(shown) == 1 and "confirm · 8 runs" in shown[0].data["text/html"]
    assert "24 of 24 steps" in shown[0].data["text/html"]
    assert "<b>supported</b>" in compared[-1].data["text/html"]
    assert [output.text for output in studied if output.get("name") == "stdout"] == ["2 0\n"]
    assert refused[0].ename == "SpecError" and "arms['a']: expected values" in refused[0].evalue
