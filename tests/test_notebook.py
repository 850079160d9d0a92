"""The notebook runs, and what it shows are tables for people."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[1] / "docs" / "notebooks" / "study.ipynb"


def cells():
    read = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in read if cell["cell_type"] == "code"]


def test_cells_run_in_order_and_show_tables(folder):
    names, shown = {"__name__": "notebook"}, []
    for cell in cells():
        *first, last = ast.parse(cell).body
        exec(compile(ast.Module(first, []), "notebook", "exec"), names)
        # what a cell ends with is what a notebook displays
        assert isinstance(last, ast.Expr), "each cell shows something"
        shown.append(eval(compile(ast.Expression(last.value), "notebook", "eval"), names))
    study, answer, verdict, table, _ = [value._repr_html_() for value in shown]
    assert "Momentum" in study and "LogUniform" in study and "Adam ends with a better" in study
    assert "test loss" in answer or "test/loss" in answer
    assert "Adam" in answer and "<table" in answer
    assert any(word in verdict for word in ("undecided", "supported", "opposite", "smaller"))
    assert "confirm" in table and shown[-1].data, "curves are drawn"


@pytest.mark.slow
def test_a_kernel_runs_it(folder):
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(notebook, timeout=120).execute()
    outputs = [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]
    assert all("text/html" in own[-1].data for own in outputs[:4])
