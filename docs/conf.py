"""The site of docs/: Sphinx with MyST and Furo, which are light and maintained.

    make docs     # writes build/docs/index.html; every warning is an error, dead links among them

Pages are plain Markdown and read well without the site. Links that lead out of docs/ (reports,
scripts) lead to copies in the site's folder ``files/``.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from docutils.nodes import SkipNode
from latex2mathml.converter import convert

ROOT = Path(__file__).parents[1]
project = "harness"
extensions = ["myst_parser"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "harness"
html_copy_source = False
html_show_copyright = False
exclude_patterns = ["_build", "notebooks"]
nitpicky = True
html_math_renderer = "mathml"

LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|!\[[^\]]*\]\([^)]*\))*)\]\(([^)\s#:]+)(?:#[^)\s]*)?\)")
"""A link's text and where it leads; not an image."""


def lead_out(app: Any, page: str, source: list[str]) -> None:
    """Let links that lead out of docs/ lead to copies in the site."""
    here, up = (ROOT / "docs" / page).parent, "../" * page.count("/")

    def place(link: re.Match[str]) -> str:
        target = (here / link[2]).resolve()
        if target.is_relative_to(ROOT / "docs") or not target.is_relative_to(ROOT):
            return link[0]
        inner = target.relative_to(ROOT)
        _copy(inner, Path(app.outdir) / "files")
        return f'<a href="{up}files/{inner.as_posix()}">{link[1]}</a>'

    source[0] = LINK.sub(place, source[0])


def _copy(inner: Path, to: Path) -> None:
    """Copy a file into the site; a report with those beside it, which share a script."""
    if inner.parts[0] == "reports":
        inner = Path("reports")
    source, target = ROOT / inner, to / inner
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)


def write_math(display: str) -> Any:
    """Return what writes a formula as MathML, which browsers draw without any script."""

    def write(writer: Any, node: Any) -> None:
        writer.body.append(convert(node.astext(), display=display))
        raise SkipNode

    return write


def setup(app: Any) -> None:
    """Register what happens to each page's source and formulas."""
    app.connect("source-read", lead_out)
    app.add_html_math_renderer("mathml", (write_math("inline"), None), (write_math("block"), None))
