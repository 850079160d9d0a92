"""The code that a study's own parts come from: its hash is in the key of every run, its text beside
the results."""

from __future__ import annotations

import hashlib
import inspect
from importlib import metadata
from pathlib import Path


def short_digest(text: str) -> str:
    """Return the first 16 hex digits of the SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def code_of(targets: tuple[object, ...]) -> str:
    """Return a hash of the code that outside components come from: the source of a user's file, a
    library's version."""
    return (
        short_digest("\n".join(sorted(_identity(target) for target in targets))) if targets else ""
    )


def sources_of(targets: tuple[object, ...]) -> dict[str, str]:
    """Return the user's own files that outside components come from, by the path that their module
    is imported from."""
    modules = {
        module.__name__: module for t in targets if (module := inspect.getmodule(t)) is not None
    }
    own = {
        name: Path(file)
        for name, module in modules.items()
        if (file := getattr(module, "__file__", None)) and _own(file)
    }
    return {
        f"{name.replace('.', '/')}.py": file.read_text(encoding="utf-8")
        for name, file in sorted(own.items())
    }


def _own(file: str) -> bool:
    return "site-packages" not in file and "dist-packages" not in file


def _identity(target: object) -> str:
    module = inspect.getmodule(target)
    file = getattr(module, "__file__", None)
    package = (getattr(module, "__name__", "") or "").partition(".")[0]
    if file is None or not _own(file):
        owners = metadata.packages_distributions().get(package, [package])
        return ",".join(f"{name}=={_version(name)}" for name in owners)
    return short_digest(Path(file).read_text(encoding="utf-8"))


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "unknown"
