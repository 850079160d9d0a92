"""What a user should know of a study's own objects before it trains."""

from __future__ import annotations

from collections.abc import Iterator

from harness.execution.parcel import Parcel, pack
from harness.spec.arms import build_arms, targets_of
from harness.spec.component import Component
from harness.spec.objects import changed_since, describe_local, write_objects
from harness.spec.source_code import sources_of
from harness.spec.study import Study


def object_notes(study: Study) -> Iterator[str]:
    """Yield a sentence for each object that no other process can rebuild."""
    for name, path in objects_of(study).items():
        if what := describe_local(name):
            yield (
                f"{path}: {name} is {what}: it works in this process and its workers, and reports"
                " need no more; to reproduce runs elsewhere, define it at the top level of a file"
            )


def changed_objects(study: Study) -> Iterator[str]:
    """Yield a mistake for each object that does something else than when the study was made."""
    for name, path in objects_of(study).items():
        if changed_since(name):
            yield (
                f"{path}: {name} has changed since the study was made: what it reads of its module"
                " or holds was set anew; make the study again"
            )


def send_objects(study: Study) -> None:
    """Write down the objects that workers can't import.

    Raises:
        HarnessError: one of them can't be pickled.
    """
    write_objects(list(objects_of(study)))


def parcel_of(study: Study) -> Parcel:
    """Return the study's own code, for workers on other machines.

    Raises:
        HarnessError: one of its objects can't be pickled.
    """
    targets = [
        target for arm in build_arms(study) for target in targets_of(arm.recipe, study.probes)
    ]
    return pack(objects_of(study), sources_of(tuple(targets)))


def objects_of(study: Study) -> dict[str, str]:
    """Return the names of the user's and libraries' objects, each with the first place of it."""
    parts: list[tuple[str, Component]] = [
        (f"recipe.{path}", part) for arm in build_arms(study) for path, part in arm.recipe.parts()
    ]
    parts += [("probes", probe) for probe in study.probes]
    names: dict[str, str] = {}
    for path, part in parts:
        for name in part.objects():
            names.setdefault(name, path)
    return names
