"""The flags that name a cluster, as the executor of a study."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial

from harness.core.errors import SpecError


def executor_of(
    kind: str | None, scheduler: str | None, resources: Sequence[str] | None
) -> Callable[[], Executor] | None:
    """Return what makes the executor that the flags name; None for this machine's workers.

    Args:
        kind: ``dask``, the only one so far.
        scheduler: its address.
        resources: what a cohort takes of a worker, such as ``GPU=1``.

    Raises:
        SpecError: a flag lacks another, or is none.
    """
    if kind is None:
        if scheduler or resources:
            raise SpecError("--scheduler and --resources: expected --executor dask with them")
        return None
    if kind != "dask":
        raise SpecError(f"--executor: expected dask, got {kind!r}")
    if not scheduler:
        raise SpecError("--executor dask: expected --scheduler with the address of its scheduler")
    from harness.execution.dask_cluster import DaskExecutor

    return partial(DaskExecutor, scheduler, parse_resources(resources or ()))


def parse_resources(texts: Sequence[str]) -> dict[str, float]:
    """Return resources by name.

    Raises:
        SpecError: one is not of the form NAME=NUMBER, with a number above 0.

    >>> parse_resources(["GPU=1"])
    {'GPU': 1.0}
    """
    resources: dict[str, float] = {}
    for text in texts:
        name, _, number = text.partition("=")
        try:
            resources[name] = float(number)
        except ValueError:
            resources[name] = 0.0
        if not name or not 0 < resources[name] < float("inf"):
            raise SpecError(f"--resources: expected NAME=NUMBER such as GPU=1, got {text!r}")
    return resources
