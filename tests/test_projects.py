"""The two example projects: their pages show the files, and tiny forms of them give an answer."""

import shutil
import sys
from pathlib import Path

import pytest

import harness as h
from harness.cli import main

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "experiments" / "examples"
PAGES = {
    "example_image.md": ["images/net.py", "images/sign_momentum.py", "images/digits_study.py"],
    "example_language.md": ["language/declaration_study.py"],
}
STUDIES = {
    "images/digits_study.py": ("test/f1", 0.5, 1.0, 4),
    "language/declaration_study.py": ("test/bits_per_byte", 2.0, 8.0, 2),
}
"""The metric that each is judged by, bounds of its best value after an epoch, and its arms."""


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_the_files_of_its_project(page):
    text = (ROOT / "docs" / page).read_text()
    for name in PAGES[page]:
        source = (EXAMPLES / name).read_text()
        assert f"```python {Path(name).name}\n{source}```" in text
        assert len(source.splitlines()) <= 60


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_a_project_gives_an_answer(name, folder, monkeypatch):
    shutil.copytree((EXAMPLES / name).parent, folder, dirs_exist_ok=True)
    monkeypatch.syspath_prepend(folder)
    for module in ("net", "sign_momentum"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    flags = ["--quick", "--trials", "1", "--seeds", "2", "--workers", "0"]
    small = ["--set", "recipe.epochs=1", "--set", "recipe.eval_every=1"]
    monkeypatch.setattr(sys, "argv", ["harness", "run", Path(name).name, *flags, *small])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    (report,) = (folder / "reports").glob("example-*-quick.html")
    results = h.results.load(report.stem)
    metric, low, high, arms = STUDIES[name]
    assert set(results.runs["status"]) == {"finished"}
    assert results.runs["arm"].nunique() == arms
    values = results.confirmed[metric]
    best = values.max() if metric == "test/f1" else values.min()
    assert len(values) == 2 * arms and low < best < high
    assert len(results.verdicts()) == len(results.study.claims)
