"""What a worker on another machine lacks of a study: the user's own code, sent once a worker.

A parcel is known by its hash. A worker says that it lacks it, gets it, and keeps it for as long as
its process lives; the code is that which the study started with, whatever becomes of the files.
"""

from __future__ import annotations

import hashlib
import importlib.machinery
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from harness.core.errors import HarnessError
from harness.core.temporary import TemporaryFolder, temporary_folder
from harness.spec.objects import read_from, write_objects


class Parcel(NamedTuple):
    """A study's own code."""

    digest: str
    """The hash that it is known by."""
    objects: dict[str, bytes]
    """Objects that no other process can import, by name, as cloudpickle wrote them."""
    texts: dict[str, str]
    """Sources of modules, by the path that they are imported from."""


_HAD: set[str] = set()
"""Hashes of the parcels whose code this process has."""


def pack(objects: Iterable[str], texts: Mapping[str, str]) -> Parcel:
    """Return the parcel of a study of this process, which needs none itself.

    Args:
        objects: the names of its objects.
        texts: sources of its modules.

    Raises:
        HarnessError: an object can't be pickled.
    """
    files = write_objects(sorted(objects))
    contents = {name: path.read_bytes() for name, path in files.items()}
    # the names of objects have hashes of what they do: two pickles of one object may differ
    known_by = repr([sorted(contents), sorted(texts.items())])
    parcel = Parcel(hashlib.sha256(known_by.encode()).hexdigest(), contents, dict(texts))
    _HAD.add(parcel.digest)
    return parcel


def has(digest: str) -> bool:
    """Return whether this process has the code of a parcel."""
    return digest in _HAD


def unpack(parcel: Parcel) -> None:
    """Make a parcel's code importable in this process, before any other of the same name.

    Raises:
        HarnessError: this process has imported other code under one of the names.
    """
    if has(parcel.digest):
        return
    folder = Path(_folder().name) / parcel.digest[:16]
    sources = folder / "sources"
    for path, text in parcel.texts.items():
        if path.endswith(".py"):
            _refuse_other(path, text)
        _write(sources / path, text.encode())
    files = {name: folder / f"{i}.pickle" for i, name in enumerate(parcel.objects)}
    for name, file in files.items():
        _write(file, parcel.objects[name])
    read_from(files)
    sys.path.insert(0, str(sources))
    _HAD.add(parcel.digest)


def _refuse_other(path: str, text: str) -> None:
    """Refuse a module's text where this process has imported another of that name.

    What was imported can't be taken out again: programs and classes that were made of it are kept.
    """
    name = ".".join(Path(path).with_suffix("").parts).removesuffix(".__init__")
    module = sys.modules.get(name)
    spec: importlib.machinery.ModuleSpec | None = getattr(module, "__spec__", None)
    if module is None or spec is None or spec.origin is None:
        return
    file = Path(spec.origin)
    if not file.is_file() or file.read_text(encoding="utf-8", errors="replace") != text:
        raise HarnessError(
            f"it has imported another {name} ({file}) than the study's {path}, by an earlier study;"
            " start the workers afresh (with Dask: client.restart())"
        )


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@cache
def _folder() -> TemporaryFolder:
    """Return this process's folder of parcels, which goes when the process ends."""
    return temporary_folder("parcels")
