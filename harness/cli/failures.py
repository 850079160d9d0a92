"""Failures of the machine or the store in a sentence: full disks, folders that can't be written to.

They may come up anywhere, and are no faults of the harness's: a traceback would hide what to do.
"""

from __future__ import annotations

import errno
import sqlite3
import sys

from harness.tracking.retry import StoreUnavailable
from harness.tracking.uris import default_uri, describe_error, hide_in_text

_GO_ON = "what is finished is kept, and the same command goes on from there"
_FIXES = {
    errno.ENOSPC: "make room on that disk",
    errno.EDQUOT: "make room in your quota",
    errno.EFBIG: "raise the limit on the size of files",
    errno.EROFS: "go to a folder that can be written to",
    errno.EACCES: "go to a folder of your own, or mend its permissions",
    errno.EPERM: "go to a folder of your own, or mend its permissions",
    errno.EMFILE: "raise the limit on open files (ulimit -n)",
    errno.ENFILE: "raise the limit on open files (ulimit -n)",
}


def in_a_sentence(error: BaseException) -> str | None:
    """Return what a failure of the machine or the store comes to; None for any other error."""
    if isinstance(error, StoreUnavailable):
        return f"{hide_in_text(str(error), known_store())}; {_GO_ON}"
    if _is_store_s(error):
        return f"the store failed: {describe_error(error, known_store())}; {_GO_ON}"
    if isinstance(error, MemoryError):
        return f"this machine's memory is full; close other programs; {_GO_ON}"
    if not isinstance(error, OSError):
        return None
    what = error.strerror or str(error) or type(error).__name__
    where = f"{error.filename}: " if error.filename else ""
    fix = _FIXES.get(error.errno or 0)
    return f"{where}{what}; {f'{fix}; ' if fix else ''}{_GO_ON}"


def known_store() -> str:
    """Return the store's URI, whose passwords no message may tell; empty where nobody knows it."""
    try:
        return default_uri()
    except OSError:  # the working folder is gone
        return ""


def _is_store_s(error: BaseException) -> bool:
    """Return whether MLflow, SQLAlchemy or SQLite raised it; the first two are not imported for
    that."""
    if isinstance(error, sqlite3.Error):
        return True
    names = {"mlflow.exceptions": "MlflowException", "sqlalchemy.exc": "SQLAlchemyError"}
    loaded = {sys.modules[module]: name for module, name in names.items() if module in sys.modules}
    return any(isinstance(error, getattr(module, name)) for module, name in loaded.items())
