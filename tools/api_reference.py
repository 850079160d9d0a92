"""The API reference in Markdown, from the docstrings of every public name.

    python tools/api_reference.py docs/reference     # `make docs` does it before the site

A spec's fields are documented by the string under each, so they are shown as a list with types and
defaults, which no generator of the shelf does for pydantic's classes. The pages are made anew for
every site and are not kept in git.
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import Any

import harness
from harness.catalog import KINDS, PUBLIC
from harness.spec.base import Spec
from harness.spec.claims import Claim
from harness.spec.field_docs import field_docs

OWN_PAGES = {
    "studies": ("Studies and recipes", ["Study", "Recipe", "Search", "Searches", "Seeds", "Group"]),
    "spaces": ("Spaces", ["Uniform", "LogUniform", "IntUniform", "Choice"]),
    "running": (
        "Running",
        ["load_study", "run_study", "Options", "train", "compare", "DaskExecutor"],
    ),
    "errors": (
        "Errors",
        ["HarnessError", "SpecError", "ProtocolError", "StoreError", "NoStudyError"],
    ),
}
"""Pages of public names that are no parts: file, title and names in their order."""
MEMBERS = {"Study": ("main", "from_frame", "from_mlflow", "from_wandb"), "Recipe": ("with_values",)}
"""Methods that users call, by class."""


def main(folder: Path) -> None:
    """Write the pages."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = {name: _page(title, names) for name, (title, names) in OWN_PAGES.items()}
    left = set(PUBLIC) - {name for _, names in OWN_PAGES.values() for name in names}
    pages["claims"] = _claims()
    pages["results"] = _results()
    pages["stats"] = _module(harness.stats, "Statistics", harness.stats.__all__)
    for kind, entry in KINDS.items():
        base, external = (place.partition(":")[2] for place in (entry.base, entry.external))
        names = [base, *entry.parts, *filter(None, [external])]
        extra = [name for name in left if PUBLIC[name].partition(".")[2].startswith(f"{kind}s.")]
        left -= set(extra)
        pages[_title(kind).lower()] = _page(_title(kind), [*names, *extra])
    left -= {"Claim"}
    assert not left, f"public names on no page: {left}"
    toc = "\n".join(pages)
    listed = "\n".join(f"- [{text.splitlines()[0][2:]}]({name}.md)" for name, text in pages.items())
    pages["index"] = (
        f"# API reference\n\nEvery public name, from its docstring.\n\n{listed}\n\n"
        f"```{{toctree}}\n:hidden:\n\n{toc}\n```\n"
    )
    for name, text in pages.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")


def _title(kind: str) -> str:
    return {"data": "Data", "loss": "Losses"}.get(kind, f"{kind.capitalize()}s")


def _page(title: str, names: list[str]) -> str:
    parts = [_entry(name, getattr(harness, name)) for name in names]
    return "\n".join([f"# {title}", "", *parts])


def _claims() -> str:
    makers = [name for name in dir(Claim) if _is_maker(name)]
    parts = [_entry("Claim", Claim)]
    parts += [_function(f"Claim.{name}", getattr(Claim, name), "###") for name in makers]
    return "\n".join(["# Claims", "", *parts])


def _is_maker(name: str) -> bool:
    """Return whether a name is one of the constructors, such as ``Claim.better``."""
    return inspect.ismethod(getattr(Claim, name)) and name in {
        cls.__name__.lower() for cls in Claim.kinds.values()
    } | {"no_worse"}


def _results() -> str:
    results = harness.results
    cls = results.Results
    members = [
        name
        for name, value in vars(cls).items()
        if not name.startswith("_") and (inspect.isfunction(value))
    ]
    parts = [_function("results.load", results.load), _entry("Results", cls)]
    parts += [_function(f"Results.{name}", getattr(cls, name), "###") for name in members]
    return "\n".join(["# Results", "", *parts])


def _module(module: Any, title: str, names: list[str]) -> str:
    parts = [_entry(f"stats.{name}", getattr(module, name)) for name in names]
    return "\n".join([f"# {title}", "", markdown(module.__doc__ or ""), "", *parts])


def _entry(name: str, what: Any) -> str:
    if not inspect.isclass(what):
        return _function(name, what) if callable(what) else ""
    lines = [f"## {name}", "", markdown(inspect.getdoc(what) or ""), ""]
    if issubclass(what, Spec):
        lines += [*_fields(what), ""]
    methods = MEMBERS.get(name, ())
    lines += [_function(f"{name}.{own}", getattr(what, own), "###") for own in methods]
    return "\n".join(lines)


def _fields(cls: type[Spec]) -> list[str]:
    """Return a line for each field: name, type, default, what it is."""
    types: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        types |= {n: str(t) for n, t in inspect.get_annotations(base).items()}
    lines = []
    for name, field in cls.model_fields.items():
        default = "" if field.is_required() else f" = {_default(field)}"
        about = " ".join(markdown(field_docs(cls).get(name, "")).split())
        lines.append(f"- `{name}: {types.get(name, '')}{default}`: {about}")
    return lines


def _default(field: Any) -> str:
    text = str(field.get_default(call_default_factory=True))
    return text if len(text) <= 60 else "…"


def _function(name: str, function: Any, level: str = "##") -> str:
    try:
        signature = str(inspect.signature(function)).replace("'", "")
    except ValueError:
        signature = "(…)"
    about = markdown(inspect.getdoc(function) or "")
    return f"{level} {name}\n\n```python\n{name}{signature}\n```\n\n{about}\n"


SECTIONS = ("Args:", "Returns:", "Raises:", "Attributes:", "Yields:")


def markdown(doc: str) -> str:
    """Return a docstring as Markdown: sections as lists, doctests as code.

    >>> print(markdown("Add ``b``.\\n\\nArgs:\\n    b: what is\\n        added."))
    Add `b`.
    <BLANKLINE>
    **Args**
    <BLANKLINE>
    - `b`: what is added.
    """
    doc = re.sub(r":\w+:`~?(?:[\w.]+\.)?(\w+)`", r"``\1``", doc)
    blocks = re.split(r"\n\s*\n", inspect.cleandoc(doc))
    return "\n\n".join(_block(block) for block in blocks if block.strip())


def _block(block: str) -> str:
    head, _, rest = block.partition("\n")
    if head.strip() in SECTIONS:
        return f"**{head.strip(' :')}**\n\n{_items(inspect.cleandoc(rest))}"
    if block.lstrip().startswith(">>>"):
        return f"```python\n{inspect.cleandoc(block)}\n```"
    # an indented block is an equation, which stays as it is
    if all(line.startswith("    ") for line in block.splitlines()):
        return f"```text\n{inspect.cleandoc(block)}\n```"
    return _inline(block)


def _items(text: str) -> str:
    """Return the entries of a section as a list; those of "Returns" are prose."""
    items: list[str] = []
    for line in text.splitlines():
        if line.startswith(" ") and items:
            items[-1] += f" {line.strip()}"
        else:
            items.append(line.strip())
    if not all(re.match(r"\*{0,2}[\w., ]+:", item) for item in items):
        return _inline(" ".join(items))
    pairs = [item.partition(":") for item in items]
    return "\n".join(f"- `{name}`: {_inline(about.strip())}" for name, _, about in pairs)


def _inline(text: str) -> str:
    """Return prose with its code in single backticks and nothing that Markdown would take for
    emphasis, links or HTML."""
    parts = re.split(r"(``.+?``)", text, flags=re.DOTALL)
    return "".join(
        part[1:-1] if part.startswith("``") else re.sub(r"([*_<>\[\]$])", r"\\\1", part)
        for part in parts
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
