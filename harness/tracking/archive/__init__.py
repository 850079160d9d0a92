"""A study in one file: a zip of JSON and CSV, from which another store has the same study.

``file`` is the zip, with a manifest of checksums, and what is refused of one from elsewhere;
``form`` what its JSON holds; ``packing`` reads a store into one, ``unpacking`` writes one into a
store. None of them runs or imports any code of the study.
"""

from harness.tracking.archive.file import looks_like_archive
from harness.tracking.archive.packing import pack_study
from harness.tracking.archive.unpacking import Unpacked, unpack_study

__all__ = ["Unpacked", "looks_like_archive", "pack_study", "unpack_study"]
