"""Filling the templates with content, script, style, plotly.js and a content security policy.

A page loads nothing but, where it is published, one file beside it: all else is in the page. Its
policy lets only the scripts run whose hashes it names, and that file, so that a text which slipped
through unescaped does no harm.
"""

from __future__ import annotations

import math
from functools import lru_cache

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from harness.analysis.quantities import say_p, three_digits
from harness.report.library import packed_plotly, plotly_source, shared_name
from harness.report.script import ASSETS, content_hash, page_script

ABOUT_LIMIT = 65_536
"""Characters at a page's beginning within which its ``about`` stands, for the index to read."""


def fill_page(name: str, published: bool = False, **content: object) -> str:
    """Return a page with figures: a template filled with content, script, style and plotly.js.

    Args:
        name: the template's file in ``assets``.
        published: whether plotly.js lies in a file beside the page; else the page holds it itself.
        content: what the template names; texts are escaped.
    """
    return (
        templates()
        .get_template(name)
        .render(
            number=format_number,
            say_p=say_p,
            plotly="" if published else packed_plotly(),
            library=shared_name() if published else "",
            script=page_script(),
            css=asset("page.css"),
            # published pages too run plotly.js as a script of their own, after unpacking it
            hashes=f"{content_hash(plotly_source())} {content_hash(page_script())}",
            **content,
        )
    )


def format_number(value: object) -> str:
    """Return a number of a text or of a table whose rows have nothing in common: three significant
    digits, nothing for a missing one (None or NaN), and anything else as it is.

    >>> format_number(1 / 3), format_number(float("nan")), format_number("adam")
    ('0.333', '', 'adam')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return three_digits(value) if isinstance(value, float) else str(value)


@lru_cache(maxsize=1)
def templates() -> Environment:
    """Return the templates of ``assets``; whatever they are filled with is escaped.

    Two filters get around that: ``raw`` for the script that :mod:`harness.report.script` makes, and
    ``raw_json`` for JSON in a script element, where HTML's escapes are not read.
    """
    made = Environment(
        loader=FileSystemLoader(ASSETS),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["raw_json"] = _raw_json
    made.filters["raw"] = Markup
    return made


def _raw_json(text: str) -> Markup:
    """Return JSON for a script element, with whatever could end the element written as JSON's own
    escapes."""
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


@lru_cache(maxsize=4)
def asset(name: str) -> str:
    """Return the text of a file in ``assets``."""
    return (ASSETS / name).read_text(encoding="utf-8")
