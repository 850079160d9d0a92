"""The published part of the seventeen pages under docs/fundamentals/: experiment, figure, findings.

    python tools/fundamentals.py      # after reports/ were renewed; `make fundamentals` calls it

What teaches (equation, why, sources) is written by hand in each page; what stands between its marks
comes from the study's script and its published report, so that neither goes stale:
tests/test_fundamentals.py compares them. Needs no store and trains nothing.
"""

from __future__ import annotations

import ast
import html
import json
import re
import textwrap
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "fundamentals"
REPORTS = ROOT / "reports"
MARKS = "<!-- published -->\n", "<!-- end of published -->"
MOST_ROWS = 8
"""Claims shown in a figure and in words; the report has all."""
WORDS = {
    "supported": "Yes",
    "opposite": "No, the opposite holds",
    "smaller than claimed": "Less than claimed",
}
"""How a finding begins, by its verdict; undecided ones and first looks by the verdict itself."""
COLOURS = {"supported": "#12704a", "opposite": "#a3340b", "smaller than claimed": "#8a6100"}


class Finding(NamedTuple):
    """A claim as the published page shows it."""

    verdict: str
    raw: str
    """The claim by the names that are recorded."""
    words: str
    effect: str
    drawing: str
    """What its line in the forest plot holds, from -100 to 100; empty where nothing is drawn."""


class Published(NamedTuple):
    """What a report says."""

    answer: str
    arms: int
    runs: int
    looked: str
    """Searches and seeds, in words."""
    findings: list[Finding]


def read_report(text: str) -> Published:
    """Return what a published page holds, in the order of its claims."""
    found = re.search(r'<script type="application/json" id="about">(.*?)</script>', text)
    looked = re.search(r'<div class="name">.*?·\s*([^·<]*seeds?[^·<]*?)\s*[·<]', text, re.DOTALL)
    assert found, "expected a report with its facts"
    about = json.loads(found[1])
    return Published(
        about["answer"],
        about["arms"],
        about["runs"],
        html.unescape(looked[1]) if looked else "",
        [_finding(row) for row in text.split('<div role="row">')[1:]],
    )


def _finding(row: str) -> Finding:
    verdict = re.search(r'<span class="verdict ([^"]*)"', row)
    claim = re.search(r'class="claim" title="([^"]*)">(.*?)</span>', row, re.DOTALL)
    effect = re.search(r'class="effect">(.*?)</span>', row, re.DOTALL)
    drawn = re.search(r"<svg[^>]*>(.*?)</svg>", row, re.DOTALL)
    assert verdict and claim and effect, row[:200]
    plain = [html.unescape(re.sub(r"<[^>]*>", "", part)) for part in (*claim.groups(), effect[1])]
    lines = [line.strip() for line in drawn[1].splitlines()] if drawn else []
    return Finding(verdict[1], *plain, "".join(lines))


def ids_of_claims() -> dict[tuple[str, str], str]:
    """Return the fundamental of each claim, by study and claim, from the published table."""
    ids = {}
    for line in (REPORTS / "fundamentals.md").read_text(encoding="utf-8").splitlines()[2:]:
        cells = [cell.strip() for cell in line.strip("| ").split(" | ")]
        study = re.search(r"\[(.*?)\]", cells[-1])
        assert study, line
        ids[study[1], cells[1]] = cells[0]
    return ids


def script_of(number: int) -> Path:
    """Return the script of the study that puts a fundamental to the test."""
    (found,) = [
        path
        for path in sorted((ROOT / "experiments").glob("f*.py"))
        if re.search(rf"\(F{number}\)", _docstring(path))
    ]
    return found


def _docstring(script: Path) -> str:
    return ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or ""


def _study_name(script: Path) -> str:
    found = re.search(r'^    name="(.*?)"', script.read_text(encoding="utf-8"), re.MULTILINE)
    assert found, script
    return found[1]


def findings_of(number: int, study: str, published: Published) -> list[Finding]:
    """Return the findings on a fundamental; several share the study of batch sizes."""
    ids = ids_of_claims()
    own = f"F{number}"
    return [f for f in published.findings if ids.get((study, f.raw), own) == own]


def published_part(number: int) -> tuple[str, str]:
    """Return the part of a page between its marks, and its figure as SVG."""
    script = script_of(number)
    study = _study_name(script)
    report = REPORTS / f"{study}.html"
    published = read_report(report.read_text(encoding="utf-8"))
    findings = findings_of(number, study, published)
    paragraphs = _docstring(script).split("\n\n")
    # the first has the question, one the command; what is left says what is measured, and how
    how = [
        " ".join(p.split()) for p in paragraphs[1:] if "--quick" not in p and "make study" not in p
    ]
    asked = re.sub(r"\s*\((?:F\d+)(?:, F\d+)*\)$", "", paragraphs[0])
    lines = [
        "## The experiment",
        "",
        asked,
        "",
        *[line for p in how for line in (p, "")],
        f"{published.arms} arms, {published.runs} runs, {published.looked}: "
        f"[`{script.relative_to(ROOT)}`](../../{script.relative_to(ROOT)}).",
        "",
        "## What was found",
        "",
        f"![Each claim with its effect, interval and verdict](f{number:02d}.svg)",
        "",
        # a study that tests several fundamentals answers for all of them together
        _escaped(published.answer)
        if len(findings) == len(published.findings)
        else " ".join(map(_sentence, findings[:2])),
        "",
        *_table(findings[:MOST_ROWS]),
        f"All claims, curves and the audit: [the report](../../reports/{study}.html).",
    ]
    return "\n".join(lines) + "\n", forest(findings)


def _sentence(finding: Finding) -> str:
    begins = WORDS.get(finding.verdict, finding.verdict.capitalize())
    return f"{begins}: {_escaped(finding.words)} (effect {finding.effect})."


def _table(findings: list[Finding]) -> list[str]:
    rows = [f"| {f.verdict} | {_escaped(f.words)} | {f.effect} |" for f in findings]
    return ["| verdict | claim | effect [interval] |", "| --- | --- | --- |", *rows, ""]


def _escaped(text: str) -> str:
    """Return a text without what Markdown would take for tables, emphasis or HTML."""
    return re.sub(r"([|*_<])", r"\\\1", text)


LINE, WIDTH, LEFT, RIGHT = 60, 720, 470, 700
"""Pixels: of a claim's height, and where the figure and its lines end."""


def forest(findings: list[Finding]) -> str:
    """Return the claims as a forest plot that stands alone, in light and dark pages."""
    shown = findings[:MOST_ROWS]
    more = len(findings) - len(shown)
    height = LINE * len(shown) + 28 + (20 if more else 0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'font-family="system-ui, sans-serif" font-size="12" fill="#5b6673">',
        "<title>Claims: effect, interval and verdict</title>",
        "<style>.zero,.bound{stroke:#8a949f;stroke-width:1}.bound{stroke-dasharray:3 2}"
        ".interval{stroke:currentColor;stroke-width:2}.cut{fill:none;stroke:currentColor}"
        "line,path{vector-effect:non-scaling-stroke}rect{fill:currentColor}</style>",
        f'<text x="{LEFT}" y="14">against</text>'
        f'<text x="{RIGHT}" y="14" text-anchor="end">in favour</text>',
    ]
    parts += [_row(finding, 28 + LINE * place) for place, finding in enumerate(shown)]
    if more:
        parts.append(f'<text x="0" y="{height - 6}">and {more} more</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _row(finding: Finding, top: int) -> str:
    colour = COLOURS.get(finding.verdict, "#5b6673")
    first, *more = textwrap.wrap(html.escape(finding.words, quote=False), 76, max_lines=2)
    said = html.escape(f"{finding.verdict}: {finding.effect}", quote=False)
    middle, scale = (LEFT + RIGHT) / 2, (RIGHT - LEFT) / 200
    return (
        f'<g color="{colour}"><g fill="#3b4652"><text x="0" y="{top + 12}">{first}</text>'
        f'<text x="0" y="{top + 28}">{" ".join(more)}</text></g>'
        f'<text x="0" y="{top + 28 + 16 * bool(more)}" fill="{colour}">{said}</text>'
        f'<g transform="translate({middle:g} {top + 18}) scale({scale:g} 1)">'
        f"{finding.drawing}</g></g>"
    )


def renewed(page: str, part: str) -> str:
    """Return a page's text with the part between its marks replaced."""
    before, start, rest = page.partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    assert start and end, f"expected the lines {MARKS}"
    return f"{before}{start}\n{part}\n{end}{after}"


def main() -> None:
    """Renew all pages and figures."""
    for page in sorted(PAGES.glob("f*.md")):
        part, figure = published_part(int(page.stem[1:]))
        page.write_text(renewed(page.read_text(encoding="utf-8"), part), encoding="utf-8")
        page.with_suffix(".svg").write_text(figure, encoding="utf-8")


if __name__ == "__main__":
    main()
