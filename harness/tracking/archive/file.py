"""The zip of a study: written whole with checksums, and read with mistrust."""

from __future__ import annotations

import hashlib
import json
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from harness.core.errors import HarnessError
from harness.core.whole_file import replacing

FORMAT = "harness study"
VERSION = 1
"""Of the archive's form; a reader refuses those of later ones."""
MANIFEST = "manifest.json"
LARGEST_FILE = 2**30
"""Bytes of one file within, unpacked."""
LARGEST_ARCHIVE = 16 * 2**30
"""Bytes of all files together, unpacked."""
MOST_FILES = 400_000
"""Files within: four for each of 100,000 runs."""
_MAGIC = b"PK\x03\x04"
_DATE = (1980, 1, 1, 0, 0, 0)
"""Zip's first; the same study gives the same bytes."""


class ArchiveError(HarnessError):
    """A file that is no archive, or none that can be trusted."""


def looks_like_archive(path: Path) -> bool:
    """Return whether a file begins as a zip does."""
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


class ArchiveWriter:
    """Puts files into a zip and remembers their checksums; made by :func:`writing`."""

    def __init__(self, target: zipfile.ZipFile) -> None:
        self._zip, self._sums = target, dict[str, str]()

    def add(self, name: str, content: bytes) -> None:
        """Add a file, by its path with slashes."""
        self._sums[name] = hashlib.sha256(content).hexdigest()
        info = zipfile.ZipInfo(name, _DATE)
        self._zip.writestr(info, content, zipfile.ZIP_DEFLATED)

    def add_json(self, name: str, content: object) -> None:
        """Add a JSON file."""
        self.add(name, json.dumps(content).encode())

    def finish(self, about: dict[str, object]) -> None:
        """Write the manifest: what the archive is, and a checksum of each file."""
        plain = {"format": FORMAT, "version": VERSION, **about, "sha256": self._sums}
        info = zipfile.ZipInfo(MANIFEST, _DATE)
        self._zip.writestr(info, json.dumps(plain, indent=1), zipfile.ZIP_DEFLATED)


@contextmanager
def writing(path: Path) -> Iterator[ArchiveWriter]:
    """Give a writer of an archive, which has its name once it is whole.

    Raises:
        HarnessError: the folder can't be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file, zipfile.ZipFile(file, "w") as target:
            yield ArchiveWriter(target)
    except OSError as error:
        raise HarnessError(f"--to {path}: can't be written: {error.strerror}") from error


class ArchiveReader:
    """The files of an archive, each checked before its content is given.

    Args:
        path: the zip; it is checked as a whole before anything is unpacked.

    Raises:
        ArchiveError: it is damaged, foreign, newer or too large, or names paths outside of itself.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._telling_damage():
            self._zip = zipfile.ZipFile(path)
            infos = self._zip.infolist()
        self._refuse_unsafe(infos)
        self.sizes = {info.filename: info.file_size for info in infos}
        self.manifest = self._read_manifest()

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    def names(self, folder: str) -> list[str]:
        """Return the files below a folder, in order."""
        return sorted(name for name in self.sizes if name.startswith(f"{folder}/"))

    def read(self, name: str) -> bytes:
        """Return a file's content.

        Raises:
            ArchiveError: there is no such file, or it is not what the manifest says.
        """
        content = self._unpacked(name)
        if hashlib.sha256(content).hexdigest() != self.manifest["sha256"].get(name):
            raise self._error(f"is damaged: {name} has another checksum than its manifest says")
        return content

    def read_json(self, name: str) -> Any:
        """Return what a JSON file holds.

        Raises:
            ArchiveError: it is damaged, or no JSON.
        """
        return self._parsed(name, self.read(name))

    def error(self, name: str, why: str) -> ArchiveError:
        """Return the error of a file that has not the form that it should."""
        return self._error(f"is no archive that harness wrote: {name}: {why}")

    def _unpacked(self, name: str) -> bytes:
        if name not in self.sizes:
            raise self._error(f"is no archive that harness wrote: it has no {name}")
        with self._telling_damage(), self._zip.open(name) as file:
            # zipfile gives no more than the size that the directory declares, which is bounded
            return file.read()

    def _parsed(self, name: str, content: bytes) -> Any:
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise self.error(name, f"no JSON ({type(error).__name__})") from None

    def _refuse_unsafe(self, infos: list[zipfile.ZipInfo]) -> None:
        names = [info.filename for info in infos]
        if len(infos) > MOST_FILES or len({*map(str.lower, names)}) < len(names):
            raise self._error(f"has more than {MOST_FILES:,} files, or two of one name")
        for info in infos:
            if not _is_inside(info.filename) or stat.S_ISLNK(info.external_attr >> 16):
                raise self._error(f"names a path outside of itself, or a link: {info.filename!r}")
            if info.file_size > LARGEST_FILE:
                raise self._error(
                    f"is too large: {info.filename} has {info.file_size:,} bytes, "
                    f"expected at most {LARGEST_FILE:,}"
                )
        if sum(info.file_size for info in infos) > LARGEST_ARCHIVE:
            raise self._error(f"is too large: expected at most {LARGEST_ARCHIVE:,} bytes unpacked")

    def _read_manifest(self) -> dict[str, Any]:
        if MANIFEST not in self.sizes:
            raise self._error("is a zip, and no archive that harness wrote: it has no manifest")
        plain = self._parsed(MANIFEST, self._unpacked(MANIFEST))
        if not isinstance(plain, dict) or plain.get("format") != FORMAT:
            raise self.error(MANIFEST, f"expected the format {FORMAT!r}")
        version = plain.get("version")
        if not isinstance(version, int) or version < 1:
            raise self.error(MANIFEST, "expected a version")
        if version > VERSION:
            raise self._error(
                f"is of form {version}, made by harness {str(plain.get('harness'))[:40]}; this one "
                f"reads form {VERSION}: update harness"
            )
        sums = plain.get("sha256")
        if not isinstance(sums, dict) or {*sums, MANIFEST} != {*self.sizes}:
            raise self._error("is damaged: its files are not those of its manifest")
        return plain

    @contextmanager
    def _telling_damage(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise self._error("is not there") from None
        except OSError as error:
            raise self._error(f"can't be read: {error.strerror or error}") from None
        except (
            zipfile.BadZipFile,
            zipfile.LargeZipFile,
            zlib.error,
            EOFError,
            NotImplementedError,
            RuntimeError,  # of encrypted files
            ValueError,
        ) as error:
            raise self._error(f"is damaged or no zip: {str(error)[:100]}") from None

    def _error(self, what: str) -> ArchiveError:
        return ArchiveError(f"{self.path} {what}; nothing was imported")


def _is_inside(name: str) -> bool:
    """Return whether a file's name is a plain path with slashes below a folder, for every system.

    >>> [_is_inside(n) for n in ("a/b.json", "../a", "/a", "a/../../b", "C:/a", "a\\\\b", "a/")]
    [True, False, False, False, False, False, False]
    """
    parts = name.split("/")
    odd = any(c in name for c in "\\\0:") or not name.isprintable()
    return not odd and not {"", ".", ".."} & {*parts} and not PurePosixPath(name).is_absolute()
