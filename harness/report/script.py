"""The script of a page: its modules in ``assets/page``, joined into one in the page itself.

The modules are ordinary JavaScript modules, so that editors, ``tsc`` and ``eslint`` understand them
(``make lint-js``). A page is one file that opens without a server, where a browser loads no module
from another file: so they are joined here. Their imports and the word ``export`` go, and a name
means the same in all of them: two modules must not use one name for different things, and an import
can't rename what it imports.

Comments go too, by patterns and not by a parser: a line of a text that begins with ``//`` would be
taken for a comment.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import lru_cache
from pathlib import Path

PAGE_MODULES = (
    "dom",
    "copying",
    "csv",
    "tables",
    "theme",
    "unpacking",
    "table",
    "plots",
    "panels",
    "notes",
    "arms",
    "switches",
    "curves",
    "zoom",
    "film",
    "drawing",
    "saving",
    "scheduling",
    "printing",
    "main",
)
"""The modules in the order they are joined: each after those that it imports."""

ASSETS = Path(__file__).parent / "assets"
# A /** comment */ on lines of its own. It ends at the first */: a type within a line, as in
# `/** @type {X} */ (y)`, must not run on to the end of the next comment.
_BLOCK = re.compile(r"^[ \t]*/\*\*(?:[^*]|\*(?!/))*\*/\n", re.MULTILINE)
_LINE = re.compile(r"^[ \t]*//.*\n", re.MULTILINE)
_IMPORT = re.compile(r"^import [^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)
_BLANK = re.compile(r"\n{2,}")


@lru_cache(maxsize=1)
def page_script() -> str:
    """Return the modules as one script, to be run as a module: strict, its names its own."""
    joined = "\n".join(map(module_source, PAGE_MODULES))
    for gone in (_IMPORT, _EXPORT, _BLOCK, _LINE):
        joined = gone.sub("", joined)
    return _BLANK.sub("\n", joined)


def module_source(name: str) -> str:
    """Return a module as it is written, by its name without ``.js``."""
    return (ASSETS / "page" / f"{name}.js").read_text(encoding="utf-8")


def content_hash(text: str) -> str:
    """Return what a content security policy has to name, so that a script of this very text runs.

    >>> content_hash("")
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
    """
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
