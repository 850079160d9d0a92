"""``status``, ``list`` and ``ui``."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from typing import Any

from rich.console import Console
from rich.table import Table

from harness.core.errors import SpecError, StoreError, nearest
from harness.core.registry import REGISTRY, lookup

TRAINING = "#/experiments?workflowType=machine_learning"
"""Where MLflow's UI shows training runs; by itself it opens on pages for language models."""


def show_components(kind: str | None) -> None:
    """Print the registered components with their parameters."""
    if kind is not None and kind.rstrip("s") not in REGISTRY and kind not in REGISTRY:
        raise SpecError(f"list: unknown kind {kind!r}; {nearest(kind, REGISTRY)}")
    console = Console()
    for name, kind_of_part in REGISTRY.items():
        if kind in (None, name, f"{name}s"):
            console.print(f"\n[bold]{name}[/bold]")
            table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
            for member in kind_of_part.parts:
                table.add_row(f"  {member}", _parameters(lookup(name, member)), style=None)
                table.add_row("", f"[dim]{_first_line(lookup(name, member))}[/dim]")
            console.print(table)
    console.print(
        "\nAnything of your own: a dotted name, such as mymodule.MyModel, from a file beside the spec.",
        highlight=False,
    )


def _parameters(cls: Any) -> str:
    shared = set(_shared(cls))
    return (
        ", ".join(
            f"{n}={_default(f)}" if not f.is_required() else n
            for n, f in cls.model_fields.items()
            if n not in shared
        )
        or "—"
    )


def _shared(cls: Any) -> list[str]:
    """Return the fields that every data set has; they are shown in the documentation of a spec."""
    from harness.data.base import Data

    return (
        [n for n in Data.model_fields if not (n == "standardize" and cls.model_fields[n].default)]
        if issubclass(cls, Data)
        else []
    )


def _default(field: Any) -> str:
    text = str(field.get_default(call_default_factory=True))
    return text if len(text) <= 40 else f"{text[:20]}…)"


def _first_line(cls: Any) -> str:
    from rich.markup import escape

    return escape((cls.__doc__ or "").strip().splitlines()[0])


def show_status(study: str | None, uri: str | None) -> None:
    """Print one row a study, or one row an arm of the named study."""
    from harness.tracking import Store, studies

    console = Console()
    if study is None:
        table = Table("study", "finished", "runs", "ended as", box=None)
        for name in studies(uri):
            store = Store(name, uri, create=False)
            ended = Counter(row["tags"].get("harness.status", "?") for row in store.leaves())
            table.add_row(
                name, "yes" if store.complete() else "no", str(ended.total()), _counts(ended)
            )
        console.print(table)
        return
    leaves = Store(study, uri, create=False).leaves()
    if not leaves:
        raise StoreError(f"study {study!r} has no runs yet")
    table = Table("arm", "search runs", "confirm runs", "ended as", box=None)
    for arm in dict.fromkeys(row["tags"]["harness.arm"] for row in leaves):
        mine = [row["tags"] for row in leaves if row["tags"]["harness.arm"] == arm]
        stages = Counter(tags["harness.stage"] for tags in mine)
        table.add_row(
            arm,
            str(stages["search"]),
            str(stages["confirm"]),
            _counts(Counter(t["harness.status"] for t in mine)),
        )
    console.print(table)
    for tags in (row["tags"] for row in leaves):
        if tags["harness.status"] == "failed":
            console.print(
                f"failed: {tags['mlflow.runName']}: {tags.get('harness.detail', '')}",
                markup=False,
                highlight=False,
            )


def _counts(ended: Counter[str]) -> str:
    return ", ".join(f"{count} {status}" for status, count in ended.most_common())


def serve_ui(uri: str | None, port: int) -> None:
    """Run MLflow's server on the store until Ctrl-C."""
    from harness.tracking import default_uri, public

    where = uri or default_uri()
    if where.startswith("http"):
        print(f"the store is a server already: open {public(where)}")
        return
    if where.startswith("sqlite:///") and not os.path.exists(where.removeprefix("sqlite:///")):
        raise StoreError(
            f"no MLflow store at {where.removeprefix('sqlite:///')}; run a study first, or give --store"
        )
    print(f"MLflow's UI: http://127.0.0.1:{port}/{TRAINING}   (Ctrl-C ends it)", flush=True)
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--backend-store-uri",
        where,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--workers",
        "1",
    ]
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    subprocess.run(command, env=os.environ | quiet, check=False)
