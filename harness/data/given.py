"""Arrays by name, as a file or a user's function gives them, to what is split and trained on."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

import numpy as np

from harness.core.errors import HarnessError, nearest
from harness.data.arrays import as_array
from harness.data.dataset import Raw, Task, TaskChoice
from harness.data.labels import are_classes
from harness.data.options import DataOptions
from harness.data.tokens import are_token_targets

OWN_PARTS = ("valid", "test")
"""Parts that a source may have of its own, beside what is trained on."""


def raw_of_arrays(data: DataOptions, given: Mapping[str, Any], x: str = "x", y: str = "y") -> Raw:
    """Return the arrays of a source by their roles.

    Args:
        data: says by which arrays it is split.
        given: arrays by name: inputs and targets, ``<x>_valid``, ``<y>_valid``, ``<x>_test`` and
            ``<y>_test`` of parts of their own, and what it is split by. ``groups`` is split by
            whether it is named or not.
        x: name of the inputs.
        y: name of the targets.

    Raises:
        HarnessError: a name is missing; the message has the nearest one.
    """
    arrays = {name: as_array(_named(data, given, name), name, data.name) for name in (x, y)}
    parts: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for part in OWN_PARTS:
        names = (f"{x}_{part}", f"{y}_{part}")
        if any(name in given for name in names):
            own = [as_array(_named(data, given, name), name, data.name) for name in names]
            parts[part] = (own[0], own[1])
    used = {x, y, *(f"{name}_{part}" for name in (x, y) for part in parts)}
    # arrays that are called groups say that samples belong together, whether the spec does or not
    groups = data.groups or ("groups" if "groups" in given and not _split(data) else None)
    return Raw(
        arrays[x],
        arrays[y],
        test=parts.get("test"),
        valid=parts.get("valid"),
        groups=None if groups is None else np.asarray(_named(data, given, groups, "groups")),
        order=_order(data, given),
        notes=(
            *([f"data {data.name}: no group of {groups!r} is in two parts"] if groups else []),
            *_left_over(data, given, used | {groups, data.order_by}, x, y),
        ),
    )


def _left_over(
    data: DataOptions, given: Mapping[str, Any], used: Container[object], x: str, y: str
) -> list[str]:
    """Return a note on arrays that nothing is made of, such as groups under another name."""
    if not (left := [repr(name) for name in given if name not in used]):
        return []
    known = [x, y, *(f"{name}_{part}" for part in OWN_PARTS for name in (x, y)), "groups"]
    return [
        f"data {data.name}: nothing is made of {', '.join(left)}; arrays that have a meaning are "
        f"{', '.join(known)}, and what data.groups and data.order_by name"
    ]


def task_of_arrays(source: str, raw: Raw, said: TaskChoice) -> Task:
    """Return what is learnt from arrays, by the targets' type and shape unless it is said.

    Args:
        source: name of the data, for errors.
        raw: the arrays.
        said: whether they are classes or numbers; whole numbers of several axes are tokens then.

    Raises:
        HarnessError: they may be meant either way.
    """
    if raw.y.dtype.names:
        return "structured"
    if said == "regression":
        return "regression"
    several = raw.y.ndim > 1 and raw.y.dtype.kind in "iu" and said == "classification"
    if several or are_token_targets(raw.x, raw.y):
        return "tokens"
    if said == "classification":
        return "classification"
    return "classification" if are_classes(source, raw.y) else "regression"


def _split(data: DataOptions) -> bool:
    """Return whether the spec says how to split."""
    return data.stratify or data.order_by is not None


def _order(data: DataOptions, given: Mapping[str, Any]) -> np.ndarray | None:
    """Return the times that a source is split by.

    Raises:
        HarnessError: they are neither numbers nor times.
    """
    if data.order_by is None:
        return None
    order = np.asarray(_named(data, given, data.order_by, "order_by"))
    if order.dtype.kind not in "biufM":
        raise HarnessError(
            f"data.order_by: expected numbers or times in {data.order_by!r}, got an array of type "
            f"{order.dtype}; texts have no order in time"
        )
    return order


def _named(data: DataOptions, given: Mapping[str, Any], name: str, field: str = "") -> Any:
    """Return an array by its name.

    Raises:
        HarnessError: there is none.
    """
    if name in given:
        return given[name]
    where = f"data.{field}" if field else f"data {data.name}"
    raise HarnessError(f"{where}: expected an array {name!r}, got none; {nearest(name, given)}")
