"""The Python of README and the pages under docs/ runs, in the order in which it stands there; their
links lead somewhere, and they tell all that there is to be told."""

import re
import sys
from pathlib import Path

import pytest
from typer.main import get_command

import harness as h
from harness.analysis.audit import CHECKS, IMPORTED_CHECKS
from harness.catalog import KINDS
from harness.cli.commands import app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LESSONS = sorted((ROOT / "docs" / "fundamentals").glob("*.md"))
SNIPPET = re.compile(r"^```python(?: (\w+\.py))?\n(.*?)^```", re.MULTILINE | re.DOTALL)
"""A snippet, and the file that it stands in, where its fence names one."""


def snippets(page):
    return SNIPPET.findall(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", [page for page in PAGES if snippets(page)], ids=lambda p: p.stem)
def test_what_a_page_shows_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    names = {"__name__": page.stem}
    for number, (file, code) in enumerate(snippets(page), 1):
        if file:
            (tmp_path / file).write_text(code, encoding="utf-8")
            # another page may have a file of this name
            monkeypatch.delitem(sys.modules, file.removesuffix(".py"), raising=False)
            continue
        exec(compile(code, f"{page.name}, snippet {number}", "exec"), names)


LINK = re.compile(r"\]\(([^)#\s]+)")
"""Where a link of a page leads, without the place on that page."""


@pytest.mark.parametrize("page", [*PAGES, *LESSONS, ROOT / "CONTRIBUTING.md"], ids=lambda p: p.stem)
def test_links_lead_to_files(page):
    leads = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if ":" not in link]
    assert [link for link in leads if not (page.parent / link).exists()] == []


def test_the_readme_is_short_and_leads_to_every_page():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    assert len(text.encode()) <= 12_000 and "(docs/index.md)" in text
    assert [p.name for p in PAGES[1:] if p.stem != "index" and f"({p.name})" not in index] == []


def test_the_site_has_every_page():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    listed = {name for block in TREE.findall(index) for name in block.split()}
    assert {p.stem for p in PAGES[1:]} - {"index"} <= listed


def untold(page, names):
    """Return the names that a page does not have in its code, by themselves or before an =."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    code = " ".join(re.findall(r"`([^`\n]+)`", text))
    return [name for name in names if not re.search(rf"(?<![\w.-]){name}(?![\w-])", code)]


def test_the_pages_tell_every_field_probe_claim_and_check():
    assert untold("recipes.md", [*h.Recipe.model_fields, *h.Study.model_fields]) == []
    assert untold("protocol.md", h.Search.model_fields) == []
    assert untold("probes.md", KINDS["probe"].parts) == []
    protocol = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    kinds = [kind.replace(" ", "_") for kind in h.Claim.kinds]
    assert [kind for kind in kinds if f"Claim.{kind}(" not in protocol] == []
    audit = (ROOT / "docs" / "statistics.md").read_text(encoding="utf-8").replace("\n", " ")
    assert [check for check in CHECKS if f"| {check} |" not in audit] == []
    assert [check for check in IMPORTED_CHECKS if check not in audit.partition("Of runs")[2]] == []


def test_the_pages_tell_every_command_and_flag():
    commands = get_command(app).commands
    running = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    assert [name for name in commands if not re.search(rf"`(harness )?{name}\b", running)] == []
    flags = {
        option
        for command in commands.values()
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("--") and option != "--help"
    }
    missing = set(untold("running.md", sorted(flags)))
    assert missing & set(untold("frames.md", sorted(missing))) == set()


TREE = re.compile(r"^```{toctree}\n(?::[^\n]*\n)*\n(.*?)^```", re.MULTILINE | re.DOTALL)
