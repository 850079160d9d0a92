"""The side-by-side with other tools: our study is what the others run, and lines are counted alike."""

import ast

import pytest

from benchmarks.peers.measure import HERE, TOOLS, code_lines
from benchmarks.peers.with_harness import study
from harness.spec.arms import build_arms


def test_our_study_is_that_of_the_others():
    assert [arm.name for arm in build_arms(study)] == [
        f"{optimizer} / {size}" for optimizer in ("SGD", "momentum", "Adam") for size in (32, 128)
    ]
    assert (len(study.seeds), study.search.trials, study.recipe.epochs) == (5, 5, 5)


@pytest.mark.parametrize("tool", TOOLS)
def test_the_files_of_a_tool_are_there_and_are_python(tool):
    files, (script, *_) = TOOLS[tool]
    assert script in files
    for file in files:
        ast.parse((HERE / file).read_text(encoding="utf-8"))


def test_lines_are_counted_without_comments_and_docstrings(tmp_path):
    path = tmp_path / "code.py"
    path.write_text(
        '"""Of\ntwo lines."""\n\n# why\nx = 1\n\n\ndef f():\n    "what"\n    return x\n'
    )
    assert code_lines(path) == 3
