"""A report's study is run again and compared: equal on the same machine, and whatever was changed
on the page is said."""

import re
from pathlib import Path

import pytest

from harness.cli import verify_page
from harness.report.page_record import read_record
from tests.cli.conftest import SPEC

CLAIM = """
claims:
  - {kind: better, arm: Adam, than: SGD, on: test/accuracy}
"""


@pytest.fixture
def page(cli, folder):
    (folder / "tiny.yaml").write_text(SPEC + CLAIM)
    assert cli("run", "tiny.yaml", "--workers", 0)[0] == 0
    return folder / "reports" / "tiny.html"


def changed(page, pattern, by):
    """Write a page anew with the first place of a pattern changed."""
    text, count = re.subn(pattern, by, page.read_text(encoding="utf-8"), count=1)
    assert count == 1
    page.write_text(text, encoding="utf-8")
    return page


def test_a_page_is_equal_here_and_what_was_changed_is_said(cli, page, folder, monkeypatch):
    status, out, _ = cli("verify", page, "--workers", 0)
    assert status == 0 and "1 verdicts and 9 numbers compared" in out and "equal" in out
    assert not list(folder.glob("*verify*"))
    assert cli("export", "tiny")[0] == 0
    # from here on by the archive: nothing is trained
    words = ("verify", page, "--archive", folder / "tiny.zip", "--workers", 0)
    monkeypatch.setattr("harness.protocol.conduct.conduct_study", None)
    status, out, err = cli(*words)
    assert status == 0 and "equal" in out, err

    effect = read_record(page.read_text(encoding="utf-8"), page).claims[0].effect[0]
    whole = page.read_text(encoding="utf-8")
    changed(page, re.escape(f'"effect": [{effect!r}'), '"effect": [0.75')
    status, out, _ = cli(*words)
    assert status == 1 and "0.75 [" in out and f"{effect:.6g} [" in out
    assert "the page's numbers were changed" in out

    page.write_text(whole, encoding="utf-8")
    changed(page, r'(<p class="answer">)', r"\1Surely: ")
    status, out, _ = cli(*words)
    assert status == 1 and "the page answers 'Surely: " in out
    page.write_text(whole, encoding="utf-8")
    changed(page, r'(role="cell" class="effect">)', r"\g<1>9")
    status, out, _ = cli(*words)
    assert status == 1 and "the page shows undecided 9" in out


def test_a_page_that_names_programs_is_refused_and_one_without_numbers_says_so(cli, page):
    changed(
        page, '"data": {"name": "Iris"|"data": "iris"', '"data": {"name": "subprocess.getoutput"'
    )
    status, _, err = cli("verify", page, "--workers", 0)
    assert status == 2 and "subprocess.getoutput" in err
    other = Path("notes.html")
    other.write_text("<p>mine</p>")
    status, _, err = cli("verify", other)
    assert status == 2 and "harness report STUDY" in err
    assert "missing.html: no such file" in cli("verify", "missing.html")[2]


def test_what_is_not_as_it_was_is_told():
    def made(engine, torch, lr):
        with_ = {"engine": engine, "processor": "p", "packages": {"torch": torch}}
        return verify_page.PageRecord({}, with_, "", (), {}, {"A, search 1": {"optimizer.lr": lr}})

    told = verify_page.reasons(made("6", "2.1", 0.1), made("7", "2.2", 0.2))
    assert told == [
        "engine 6, now 7",
        "torch 2.1, now 2.2",
        "another winner: A, search 1 froze optimizer.lr = 0.1, now optimizer.lr = 0.2",
    ]
