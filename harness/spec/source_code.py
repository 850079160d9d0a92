"""The code that a study's own parts come from.

Its hash is in the key of every run, its text is stored beside the results. The harness's own code
is not looked at: its numbers are known by ``ENGINE`` (:mod:`harness.spec.keys`), so that a change
of a comment trains nothing again.
"""

from __future__ import annotations

import hashlib
import inspect
from importlib import metadata
from pathlib import Path


def short_digest(text: str) -> str:
    """Return the first 16 hex digits of the SHA-256: 64 bits, ample for the files of a study."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def code_of(targets: tuple[object, ...]) -> str:
    """Return a hash of the code that outside components come from.

    Args:
        targets: classes and functions: of a user's file, whose text counts, or of a library, whose
            version does.

    Returns:
        The hash; empty where there are no targets. It covers the whole file that a target is
        defined in, but not the files that this one imports.
    """
    if not targets:
        return ""
    # sorted, so that the hash does not depend on the order in which parts are listed
    return short_digest("\n".join(sorted(_identify(target) for target in targets)))


def sources_of(targets: tuple[object, ...]) -> dict[str, str]:
    """Return the texts of the user's own files that outside components come from.

    They are kept so that a run can be reproduced when the files have changed.

    Args:
        targets: classes and functions, of a user's file or a library.

    Returns:
        Text by the path that a module is imported from, such as ``parts/mine.py``; libraries have
        none.
    """
    texts = {}
    for target in targets:
        module = inspect.getmodule(target)
        file = getattr(module, "__file__", None)
        if module is not None and file and _is_own(file):
            path = f"{module.__name__.replace('.', '/')}.py"
            texts[path] = Path(file).read_text(encoding="utf-8")
    return dict(sorted(texts.items()))


def _is_own(file: str) -> bool:
    """Return whether a file is the user's, not an installed package's.

    Debian's Python keeps its packages in ``dist-packages``.
    """
    return "site-packages" not in file and "dist-packages" not in file


def _identify(target: object) -> str:
    """Return what changes whenever the target's code does.

    Returns:
        The hash of a user's file, or a library's ``name==version``.
    """
    module = inspect.getmodule(target)
    file = getattr(module, "__file__", None)
    if file is not None and _is_own(file):
        return short_digest(Path(file).read_text(encoding="utf-8"))
    # A package's name on the index may be another than the one it is imported by, and several
    # distributions may share a package.
    package = (getattr(module, "__name__", "") or "").partition(".")[0]
    owners = metadata.packages_distributions().get(package, [package])
    return ",".join(f"{name}=={_version(name)}" for name in owners)


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "unknown"
