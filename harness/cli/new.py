"""``new``: a commented study to start from."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from string import Template

from harness.core.errors import SpecError
from harness.core.plain_text import copyable

TEMPLATES = {".py": "study.py.txt", ".yaml": "study.yaml.txt", ".yml": "study.yaml.txt"}
"""File beside this one, in ``templates``, that a new study of each kind is filled in from."""


def write_new_study(path: Path) -> None:
    """Write a commented study that runs as it is.

    Args:
        path: the file; the study is named after it, and missing folders are made.

    Raises:
        SpecError: the file is of no kind that studies are written in, or it is there already.
    """
    if path.suffix not in TEMPLATES:
        raise SpecError(f"new: expected a .py or .yaml file, got {path.name!r}")
    if path.exists():
        raise SpecError(f"new: {path} is there already; give another name")
    # from the package and not from a path, so that it is found in a zipped installation too
    template = resources.files(__package__) / "templates" / TEMPLATES[path.suffix]
    text = Template(template.read_text(encoding="utf-8")).substitute(name=path.stem, file=path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    shown = copyable(path)
    print(f"wrote {shown}; look at its plan with: harness plan {shown}")
