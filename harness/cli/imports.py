"""``import``: runs that were trained elsewhere, judged and reported."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from harness.analysis.results import Results
from harness.cli.report import print_answer, write_and_keep
from harness.core.errors import SpecError
from harness.core.plain_text import copyable
from harness.protocol.imported.frame import from_frame
from harness.protocol.imported.mlflow import from_mlflow
from harness.protocol.imported.wandb import from_wandb

_COMPARED = re.compile(
    r"(?P<arm>.+?) (?:is )?(?P<kind>better than|no worse than|equal to) (?P<than>.+?)"
    r"(?: on (?P<on>\S+))?(?: by (?P<margin>\S+))?"
)
_BOUNDED = re.compile(
    r"(?P<arm>.+?) (?:is )?(?P<kind>above|below) (?P<value>\S+)(?: on (?P<on>\S+))?"
)
_SOURCES: dict[str, Callable[..., Results]] = {
    "table": from_frame,
    "mlflow": from_mlflow,
    "wandb": from_wandb,
}
_KINDS = {"better than": "better", "no worse than": "no worse", "equal to": "equal"}


class Source(NamedTuple):
    """What is imported, and what is asked of it: the command's arguments."""

    source: str
    kind: str
    """``table``, ``mlflow`` or ``wandb``."""
    name: str | None
    question: str
    claims: Sequence[str]
    """Sentences."""
    metric: str | None
    columns: Sequence[str]
    """``role=column``."""
    metrics: Sequence[str] | None
    uri: str | None
    larger: Sequence[str]
    """Metrics of which more is better."""
    smaller: Sequence[str]


def import_runs(asked: Source, store: str | None, folder: Path) -> None:
    """Record the runs as a study, write its report and print the answer.

    Args:
        asked: what is imported, and what is asked of it.
        store: MLflow tracking URI of the store that the study is recorded in.
        folder: where the report goes.

    Raises:
        SpecError: the source can't be read as runs, or a claim does not fit it.
        StoreError: a store can't be reached or written.
    """
    if asked.kind not in _SOURCES:
        raise SpecError(f"--from: expected {', '.join(_SOURCES)}, got {asked.kind!r}")
    options: dict[str, Any] = {
        "name": asked.name,
        "question": asked.question,
        "claims": [parse_sentence(sentence) for sentence in asked.claims],
        "metric": asked.metric,
        "metrics": asked.metrics,
        "larger_is_better": dict.fromkeys(asked.larger, True) | dict.fromkeys(asked.smaller, False),
        "store": store,
    }
    if asked.kind == "mlflow":
        options["uri"] = asked.uri or store
    for given in asked.columns:
        role, equals, column = given.partition("=")
        if not equals or role not in _roles(asked.kind):
            raise SpecError(
                f"--column: expected {'=…, '.join(_roles(asked.kind))}=…, got {given!r}"
            )
        options[role] = column
    results = _SOURCES[asked.kind](asked.source, **options)
    study = results.study
    print(f"study {study.name}: {len(results.runs)} runs of {len(results.by_arm)} arms imported")
    print_answer(results)
    print(f"report: {copyable(write_and_keep(results, store, folder))}")


def _roles(kind: str) -> tuple[str, ...]:
    """Return the columns that can be named, by the kind of source."""
    common = ("arm", "seed", "search")
    if kind == "table":
        return (*common, "step", "epoch", "samples", "metric_column", "value_column")
    return (*common, "pattern") if kind == "wandb" else common


def parse_sentence(text: str) -> dict[str, object]:
    """Return the claim that a sentence makes, as a mapping of YAML; without a metric it is about
    the test loss.

    Raises:
        SpecError: it is none of the sentences that are understood.

    >>> parse_sentence("Adam better than SGD on val_acc by 0.01")
    {'arm': 'Adam', 'kind': 'better', 'than': 'SGD', 'on': 'val_acc', 'margin': 0.01}
    """
    found = _COMPARED.fullmatch(text.strip()) or _BOUNDED.fullmatch(text.strip())
    if found is None:
        raise SpecError(
            f"--claim {text!r}: expected 'A better than B on METRIC by MARGIN', 'A no worse than B "
            "…', 'A equal to B …', 'A above VALUE on METRIC' or 'A below …'"
        )
    given: dict[str, object] = {k: v for k, v in found.groupdict().items() if v is not None}
    given["kind"] = _KINDS.get(str(given["kind"]), given["kind"])
    for field in ("margin", "value"):
        if field in given:
            given[field] = _number(str(given[field]), text)
    return given


def _number(text: str, sentence: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise SpecError(f"--claim {sentence!r}: expected a number, got {text!r}") from None
