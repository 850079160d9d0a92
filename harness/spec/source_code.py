"""The code that a study's own parts come from.

Its hash is in the key of every run, its text is stored beside the results. The harness's own code
is not looked at: its numbers are known by ``ENGINE`` (:mod:`harness.spec.keys`), so that a change
of a comment trains nothing again.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
from collections.abc import Iterator
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import NamedTuple


class OwnSource(NamedTuple):
    """The code of an object that lies in no module, such as one of a notebook or a script."""

    digest: str
    """Hash of all that it does (:func:`harness.spec.object_digest.object_digest`)."""
    texts: dict[str, str]
    """Its source by the path that it is stored under; empty where there is none."""


def short_digest(text: str) -> str:
    """Return the first 16 hex digits of the SHA-256: 64 bits, ample for the files of a study."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class OwnFile(NamedTuple):
    """A file of a user's own that something is started from, such as a command's script."""

    root: Path
    """The folder that its path is taken from."""
    path: str

    @property
    def whole(self) -> Path:
        """The file."""
        return self.root / self.path


def code_of(targets: tuple[object, ...]) -> str:
    """Return a hash of the code that outside components come from.

    Args:
        targets: classes and functions: of a user's file, whose text counts with those of all files
            of the user's that it imports, or of a library, whose version does; or files, or
            :class:`OwnSource`.

    Returns:
        The hash; empty where there are no targets.
    """
    if not targets:
        return ""
    # sorted, so that the hash does not depend on the order in which parts are listed
    return short_digest("\n".join(sorted(_identify(target) for target in targets)))


def sources_of(targets: tuple[object, ...]) -> dict[str, str]:
    """Return the texts of the user's own files that outside components come from.

    They are kept so that a run can be reproduced when the files have changed.

    Args:
        targets: classes and functions, of a user's file or a library; files or
            :class:`OwnSource`.

    Returns:
        Text by the path that a module is imported from, such as ``parts/mine.py``, imported files
        among them; libraries have none.
    """
    texts: dict[str, str] = {}
    for target in targets:
        if isinstance(target, OwnSource):
            texts |= target.texts
            continue
        start = _file_of(target)
        if start is not None:
            texts |= {file.path: _text(file.whole) for file in with_imports(start)}
    return dict(sorted(texts.items()))


def _file_of(target: object) -> OwnFile | None:
    """Return the user's file that a target comes from; None for a library's."""
    if isinstance(target, OwnFile):
        return target
    module = inspect.getmodule(target)
    file = getattr(module, "__file__", None)
    if module is None or file is None or not is_own(file):
        return None
    path = Path(file).resolve()
    name = inspect.getmodulename(file) if module.__name__ == "__main__" else module.__name__
    parts = str(name).split(".")
    # a package is known by its __init__.py, which lies a folder deeper than its name says
    depth = len(parts) if path.name == "__init__.py" else len(parts) - 1
    root = path.parents[depth]
    if path.stem not in ("__init__", parts[-1]):  # a module under another name than its file's
        return OwnFile(path.parent, path.name)
    return OwnFile(root, path.relative_to(root).as_posix())


@lru_cache(maxsize=1024)
def _texts_at(file: Path, changed: int, size: int) -> str:
    """Return a file's text, read again whenever its time or size is another."""
    return file.read_bytes().decode("utf-8", errors="replace")


def _text(file: Path) -> str:
    stat = file.stat()
    return _texts_at(file, stat.st_mtime_ns, stat.st_size)


def with_imports(start: OwnFile) -> list[OwnFile]:
    """Return a file of Python and all files below its root that it imports, whether directly or by
    others, at the top or inside functions.

    Args:
        start: a file; one that is no Python has no imports.

    Returns:
        The files, the first one first, the others by their paths.
    """
    found: dict[str, OwnFile] = {}
    waiting = [start]
    while waiting:
        file = waiting.pop()
        if file.path not in found:
            found[file.path] = file
            waiting += _imported_by(file)
    return [start, *(found[path] for path in sorted(found.keys() - {start.path}))]


def _imported_by(file: OwnFile) -> list[OwnFile]:
    """Return the files below the root that a file imports by itself."""
    if not file.path.endswith(".py"):
        return []
    names = _names_imported(_text(file.whole), Path(file.path).parent.parts)
    # a script imports what lies beside it, wherever the root is
    roots = {file.root, file.whole.parent}
    files = [found for root in sorted(roots) for name in names for found in _files_of(root, name)]
    return [OwnFile(file.root, inner) for found in files if (inner := _below(found, file.root))]


@lru_cache(maxsize=1024)  # asked again for the key of every run
def _names_imported(text: str, package: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return the dotted names of all modules that a text may import, in parts.

    Args:
        text: of a module; one that is no Python imports nothing, and whoever imports it is told.
        package: of the module, which relative imports start from.
    """
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return []
    names: list[tuple[str, ...]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [tuple(alias.name.split(".")) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = (*above, *(node.module.split(".") if node.module else ()))
            # what is imported from a package may be a module of it
            names += [module, *((*module, alias.name) for alias in node.names)]
    # the harness's own code is known by ENGINE, wherever it lies
    return [name for name in names if name and name[0] != "harness"]


def _below(path: Path, root: Path) -> str:
    """Return a path from a root on; empty where it is not below it, or is a library's."""
    if not path.is_relative_to(root) or not is_own(str(path.relative_to(root))):
        return ""
    return path.relative_to(root).as_posix()


def _files_of(root: Path, name: tuple[str, ...]) -> Iterator[Path]:
    """Yield the files that importing a dotted name runs: those of its packages, and its own."""
    for count in range(1, len(name) + 1):
        path = root.joinpath(*name[:count])
        for file in (path / "__init__.py", path.with_name(f"{path.name}.py")):
            if file.is_file():
                yield file


def is_own(file: str) -> bool:
    """Return whether a file is the user's, not an installed package's.

    Debian's Python keeps its packages in ``dist-packages``.
    """
    return "site-packages" not in file and "dist-packages" not in file


def _identify(target: object) -> str:
    """Return what changes whenever the target's code does.

    Returns:
        The hash of a user's file, with those that it imports; or a library's ``name==version``.
    """
    if isinstance(target, OwnSource):
        return target.digest
    start = _file_of(target)
    if start is not None:
        texts = [_text(file.whole) for file in with_imports(start)]
        # a file by itself has the hash that stores have of it
        return short_digest(texts[0] if len(texts) == 1 else "\0".join(texts))
    module = inspect.getmodule(target)
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
