"""Runs and curves into MLflow and back, in bulk.

A :class:`Session` records a study while it is run; a :class:`Reader` reads one and can't write.
Both stand on an ``Experiment`` (MLflow's client, for what happens once a study) and its ``Bulk``
(many runs at once: in MLflow's tables where their revision is known, else by the client). What
MLflow's names look like is said in ``schema`` alone. Importing this room imports no MLflow; opening
a store does.
"""

from harness.tracking.about import About, Known
from harness.tracking.reader import Reader, TrainingRun
from harness.tracking.recorded_run import RecordedRun, load_run
from harness.tracking.rows import Record, RunCurves, finite_summary
from harness.tracking.session import Session
from harness.tracking.studies import list_studies
from harness.tracking.uris import default_uri, hide_password, locate_ui

__all__ = [
    "About",
    "Known",
    "Reader",
    "Record",
    "RecordedRun",
    "RunCurves",
    "Session",
    "TrainingRun",
    "default_uri",
    "finite_summary",
    "hide_password",
    "list_studies",
    "load_run",
    "locate_ui",
]
