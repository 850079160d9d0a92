"""The seventeen pages say what the studies ask and what their published reports found."""

from __future__ import annotations

import re

import pytest

from tools.fundamentals import PAGES, REPORTS, published_part, read_report, renewed

NUMBERS = range(1, 18)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_page_is_current(number):
    page = PAGES / f"f{number:02d}.md"
    part, figure = published_part(number)
    assert renewed(page.read_text(encoding="utf-8"), part) == page.read_text(encoding="utf-8"), (
        "python tools/fundamentals.py"
    )
    assert page.with_suffix(".svg").read_text(encoding="utf-8") == figure


@pytest.mark.parametrize("number", NUMBERS)
def test_a_page_teaches(number):
    text = (PAGES / f"f{number:02d}.md").read_text(encoding="utf-8")
    heads = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert heads == ["Why", "The experiment", "What was found", "Sources"]
    assert "$$" in text, "an equation"
    assert 1500 < len(text.encode()) < 8000


def test_every_claim_of_the_reports_is_on_a_page_or_in_its_report():
    reports = sorted(REPORTS.glob("f*.html"))
    assert len(reports) == 15
    for report in reports:
        published = read_report(report.read_text(encoding="utf-8"))
        assert published.findings and published.arms > 1 and "seeds" in published.looked
        assert all(f.words and f.raw and f.effect for f in published.findings)
