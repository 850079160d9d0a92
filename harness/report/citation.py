"""How a report is named and cited: an id that follows from what it says, a line, and BibTeX."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from harness.analysis.results import Results
from harness.report.file_names import slug
from harness.spec.source_code import short_digest

_LATEX = {char: f"\\{char}" for char in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


class Citation(NamedTuple):
    """How a report is cited."""

    id: str
    """16 hex digits: two reports of equal spec, code and numbers have one id, wherever and
    whenever they were made."""
    line: str
    bibtex: str


def cite(results: Results) -> Citation:
    """Return how the report of a study is cited.

    Args:
        results: of a finished study.
    """
    study, own = results.study, permanent_id(results)
    title = study.question or study.name
    version = _version(results)
    line = (
        f"{title} Study {study.name}, {results.look} an arm; research harness{version}; id {own}."
    )
    fields = {
        "title": f"{{{latex(title)}}}",
        "howpublished": f"Study \\texttt{{{latex(study.name)}}}, research harness{version}",
        "note": f"{latex(str(results.look))} an arm; id \\texttt{{{own}}}",
    }
    body = ",\n".join(f"  {name} = {{{text}}}" for name, text in fields.items())
    return Citation(own, line, f"@misc{{{_bibtex_key(study.name)}-{own[:6]},\n{body}\n}}")


def permanent_id(results: Results) -> str:
    """Return a hash of the study's spec, of its runs' keys, which hold the code, and their numbers.

    Args:
        results: of a finished study; what its runs cost and the names MLflow gave them don't count.
    """
    numbers = sorted(
        column
        for column in map(str, results.runs)
        if "/" in column and not column.startswith("cost/")
    )
    wanted = ["key", "arm", "stage", "search", "trial", "seed", "status", *numbers]
    rows = results.runs.reindex(columns=wanted).astype(object)
    told = sorted(json.dumps([_plain(v) for v in row]) for row in rows.itertuples(index=False))
    spec = json.dumps(results.spec, sort_keys=True, default=str)
    return short_digest("\n".join([spec, *told]))


def latex(text: str) -> str:
    """Return text with what LaTeX would read as commands escaped.

    >>> latex("50 % of a_b")
    '50 \\\\% of a\\\\_b'
    """
    return re.sub(r"[&%$#_{}\\~^]", lambda found: _LATEX[found[0]], text)


def _plain(value: object) -> str:
    # repr() of a float has all of its digits
    return repr(float(value)) if isinstance(value, (int, float)) else str(value)


def _bibtex_key(name: str) -> str:
    return re.sub(r"[^a-z0-9-]+", "-", slug(name)).strip("-") or "study"


def _version(results: Results) -> str:
    packages = results.environment.get("packages")
    known = packages.get("research-harness") if isinstance(packages, dict) else None
    return f" {known}" if known else ""
