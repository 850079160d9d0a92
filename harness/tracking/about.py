"""What a session is told of a study when it is opened, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Known(NamedTuple):
    """A run that need not be trained again."""

    run_id: str
    status: str
    """How its training ended, in the harness's words."""
    closing: Mapping[str, float]
    """Its closing values, by the trainer's names."""
    kept: str = ""
    """Which of its weights were kept, if any: ``best`` or ``last``."""


class About(NamedTuple):
    """What a study is, as its own run in MLflow shows it."""

    title: str
    """What MLflow's UI shows as the experiment's description."""
    spec: Mapping[str, object]
    """The study in plain form."""
    spec_hash: str
    data: str
    """Name of its data set."""
    fingerprint: str
    """Hash of the data's arrays."""
    code: Mapping[str, str] = {}
    """The user's own files that the study's parts come from, by path."""
    notes: tuple[str, ...] = ()
    """What its user was told of it before anything trained, in sentences."""
