"""Runs and curves into MLflow and back, in bulk."""

from harness.tracking.connect import default_uri
from harness.tracking.rows import CLOSING, Curves, Record, closing
from harness.tracking.store import About, Known, Store, site, studies
from harness.tracking.uris import public

__all__ = [
    "CLOSING",
    "About",
    "Curves",
    "Known",
    "Record",
    "Store",
    "closing",
    "default_uri",
    "public",
    "site",
    "studies",
]
