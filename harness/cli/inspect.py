"""``list`` and ``status``: what there is to name, and what the store has."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from pydantic.fields import FieldInfo
from rich.markup import escape
from rich.table import Table

from harness.cli.console import PlainConsole
from harness.core.errors import SpecError, StoreError, nearest
from harness.core.registry import REGISTRY, lookup
from harness.spec.base import Spec
from harness.spec.claims import Claim
from harness.spec.objects import reading_stored

if TYPE_CHECKING:
    from harness.tracking.run_ends import RunEnd

LONGEST_DEFAULT = 40
"""Characters of a default value from which it is cut short in the list of components."""


def show_components(kind: str | None) -> None:
    """Print the parts that specs can name, all of them or those of one kind, with parameters.

    Args:
        kind: such as ``optimizer``, or its plural; None for all.

    Raises:
        SpecError: there is no such kind.
    """
    kinds = [*REGISTRY, "claim"]
    if kind is not None and kind.removesuffix("s") not in kinds and kind not in kinds:
        raise SpecError(f"list: unknown kind {kind!r}; {nearest(kind, kinds)}")
    console = PlainConsole()
    for name, kind_of_part in REGISTRY.items():
        if kind in (None, name, f"{name}s"):
            console.print(f"\n[bold]{name}[/bold]")
            parts = {part: lookup(name, part) for part in kind_of_part.parts}
            console.print(_table_of(parts))
    if kind in (None, "claim", "claims"):
        console.print("\n[bold]claim[/bold]")
        console.print(_table_of(Claim.kinds))
    console.print(
        "\nAnything of your own: a dotted name, such as mymodule.MyModel, "
        "from a file beside the spec.",
        highlight=False,
    )


def _table_of(parts: Mapping[str, type[Spec]]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for name, part in parts.items():
        table.add_row(f"  {name}", _parameters(part))
        # a docstring may hold [brackets], which are markup to rich
        table.add_row("", f"[dim]{escape(_summary(part))}[/dim]")
    return table


def _parameters(part: type[Spec]) -> str:
    """Return a part's parameters with their defaults, as a call would name them."""
    shown = [
        name if field.is_required() else f"{name}={_default(field)}"
        for name, field in part.model_fields.items()
        if name != "kind" and not _shared_by_all_data(part, name)
    ]
    return ", ".join(shown) or "—"


def _shared_by_all_data(part: type[Spec], field: str) -> bool:
    """Return whether every data set has the field; the documentation of specs tells those once."""
    from harness.data.base import Data  # NumPy, which other kinds of parts may do without

    if not issubclass(part, Data) or field not in Data.model_fields:
        return False
    # a data set that is standardized by itself differs from the others, and says so
    return not (field == "standardize" and part.model_fields[field].default)


def _default(field: FieldInfo) -> str:
    text = str(field.get_default(call_default_factory=True))
    return text if len(text) <= LONGEST_DEFAULT else f"{text[: LONGEST_DEFAULT // 2]}…)"


def _summary(part: type[Spec]) -> str:
    """Return the first paragraph of a part's docstring without its marks of code."""
    first = (part.__doc__ or "").strip().partition("\n\n")[0]
    return re.sub(r"(?::class:)?`+([^`]+)`+", r"\1", " ".join(first.split()))


@reading_stored()
def show_studies(uri: str | None) -> None:
    """Print one row a study of the store.

    Args:
        uri: MLflow's tracking URI; by default :func:`harness.tracking.default_uri`.

    Raises:
        StoreError: there is no store, or it can't be read.
    """
    from harness.tracking.run_ends import read_run_ends

    table = Table("study", "finished", "runs", "ended as", box=None)
    for name, ends in read_run_ends(uri).items():
        statuses = Counter(run.status for run in ends.runs)
        finished = "yes" if ends.complete else "no"
        table.add_row(name, finished, str(statuses.total()), _counts(statuses))
    PlainConsole().print(table)


@reading_stored()
def show_arms(study: str, uri: str | None) -> None:
    """Print one row an arm of the named study, and why runs failed.

    Args:
        study: name of a study, which may still be running.
        uri: MLflow's tracking URI; by default :func:`harness.tracking.default_uri`.

    Raises:
        StoreError: the study has no runs.
    """
    from harness.tracking.run_ends import read_run_ends

    runs = read_run_ends(uri, study)[study].runs
    if not runs:
        raise StoreError(f"study {study!r} has no runs yet")
    table = Table("arm", "search runs", "confirm runs", "ended as", box=None)
    by_arm: dict[str, list[RunEnd]] = {}
    for run in runs:
        by_arm.setdefault(run.arm, []).append(run)
    for arm, own in by_arm.items():
        stages = Counter(run.stage for run in own)
        statuses = Counter(run.status for run in own)
        table.add_row(arm, str(stages["search"]), str(stages["confirm"]), _counts(statuses))
    console = PlainConsole()
    console.print(table)
    for why in _failures(runs):
        console.print(why, markup=False, highlight=False)


def _failures(runs: Iterable[RunEnd]) -> Iterator[str]:
    """Yield why runs failed, once where runs of an arm failed for the same reason."""
    alike: dict[tuple[str, str], list[str]] = {}
    for run in runs:
        if run.status == "failed":
            alike.setdefault((run.arm, run.detail), []).append(run.name)
    for (_, detail), (first, *more) in alike.items():
        yield f"failed: {first}{f' and {len(more)} more' if more else ''}: {detail}"


def _counts(statuses: Counter[str]) -> str:
    return ", ".join(f"{count} {status}" for status, count in statuses.most_common())
