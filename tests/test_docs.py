"""The Python of the pages under docs/ runs, in the order in which it stands there."""

import re
from pathlib import Path

import pytest

PAGES = sorted((Path(__file__).parents[1] / "docs").glob("*.md"))
SNIPPET = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def snippets(page):
    return SNIPPET.findall(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", [page for page in PAGES if snippets(page)], ids=lambda p: p.stem)
def test_what_a_page_shows_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": page.stem}
    for number, code in enumerate(snippets(page), 1):
        exec(compile(code, f"{page.name}, snippet {number}", "exec"), names)
