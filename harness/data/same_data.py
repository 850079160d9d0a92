"""Whether data of a user's own come out the same whenever and wherever they are made.

Workers make the data anew. What they train on must be what the run's key tells of, and the same for
all arms: a split that is drawn without a seed would be another one in every process.
"""

from __future__ import annotations

from functools import lru_cache

from harness.core.errors import HarnessError
from harness.data.base import fingerprint, load_data
from harness.spec.component import Component

LARGE = 2**28
"""Bytes above which data are not made twice in one process; workers compare them in any case."""


def check_made_again(data: Component) -> None:
    """Refuse data of a user's own that come out another way when they are made once more.

    Args:
        data: whose arrays are in memory.

    Raises:
        HarnessError: so they do; the message has the fix.
    """
    if data.objects() and load_data(data).nbytes <= LARGE:
        _check_again(data)


@lru_cache(maxsize=64)  # every arm has the same
def _check_again(data: Component) -> None:
    if fingerprint(data, again=True) != fingerprint(data):
        raise HarnessError(_said(data, "when they were made again"))


def known_fingerprint(data: Component) -> str:
    """Return what a worker is to find of data of a user's own; empty for the harness's sources.

    Args:
        data: the spec.
    """
    return fingerprint(data) if data.objects() else ""


def check_same_data(data: Component, known: str) -> None:
    """Refuse data that are others here than in the process that made the study.

    Args:
        data: the spec.
        known: their fingerprint there; empty where nothing is compared.

    Raises:
        HarnessError: so they are; the message has the fix.
    """
    if known and fingerprint(data) != known:
        raise HarnessError(_said(data, "in a worker process"))


def _said(data: Component, where: str) -> str:
    return (
        f"data {data.name}: expected the same samples whenever they are made, got others {where};"
        " give whatever is drawn a seed (random_state=0, numpy.random.default_rng(0),"
        " torch.Generator().manual_seed(0)), and take from the machine only what all processes see"
    )
