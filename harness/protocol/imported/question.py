"""The study that imported runs answer: their arms, the claims about them, and what they are ranked
by."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from harness.core.errors import SpecError, nearest
from harness.core.metric_names import describe, recorded_sources
from harness.protocol.claim_check import claim_mistakes
from harness.protocol.imported.columns import metric_name
from harness.protocol.imported.tidy import ForeignRun
from harness.spec.claims import Claim
from harness.spec.claims.bound import Bound
from harness.spec.claims.fields import Goal
from harness.spec.files import validate
from harness.spec.imported import Imported
from harness.spec.study import Study

PREFERRED = ("test/loss", "test/accuracy", "valid/loss", "valid/accuracy")
"""What arms are ranked by where nothing is said and several metrics are there, best first."""

_TELLING = ("loss", "error", "accuracy")
"""Ends of names that tell which values are better."""

Claims = Sequence[Claim | Mapping[str, object]]
"""Claims, or mappings as in YAML; those may name metrics as the table does."""


def build_question(
    name: str,
    question: str,
    arms: Sequence[str],
    seeds: Sequence[int],
    metric: str,
    claims: Claims,
    imported: Imported,
    steps: int,
    larger_is_better: Mapping[str, bool],
) -> Study:
    """Return the study of imported runs.

    Args:
        name: of the study.
        question: in a sentence; may be empty.
        arms: names, in their order.
        seeds: within a search's block.
        metric: what arms are ranked by, by the harness's name.
        claims: what is tested.
        imported: where the runs come from.
        steps: of the longest run.
        larger_is_better: directions of metrics that the harness does not know, by name without
            the part of the data.

    Raises:
        SpecError: the name can't be one, or a claim does not fit the arms.
    """
    metrics = [
        {"name": "Logged", "metric": called, "larger_is_better": more}
        for called, more in larger_is_better.items()
    ]
    tree = {
        "name": name,
        "question": question,
        "recipe": {"trainer": "Elsewhere", "steps": steps, "metrics": metrics},
        # a level that sets nothing: what an arm is made of only its source knows
        "compare": {"arm": {arm: {} for arm in arms}},
        "seeds": list(seeds),
        "metric": metric,
        "claims": [plain_claim(claim) for claim in claims],
        "imported": imported.model_dump(mode="json"),
    }
    return validate(tree, f"the study of {imported.source}")


def plain_claim(claim: Claim | Mapping[str, object]) -> dict[str, Any]:
    """Return a claim in plain form, its metric by the harness's name."""
    if isinstance(claim, Claim):
        return claim.model_dump(mode="json")
    plain = dict(claim)
    if isinstance(plain.get("on"), str):
        plain["on"] = metric_name(str(plain["on"]))
    return plain


def choose_judged(
    metric: str | None, claims: Sequence[Mapping[str, Any]], recorded: Collection[str]
) -> str:
    """Return what arms are ranked by: what is told, or what the first claim is about, or the one
    metric that there is.

    Args:
        metric: as the user names it, if at all.
        claims: in plain form.
        recorded: metrics that the runs have.

    Raises:
        SpecError: the runs have no such metric, or nothing says which of several is meant.
    """
    if metric is not None:
        chosen = metric if metric in recorded else metric_name(metric)
        return _there("metric", chosen, recorded)
    about = [str(claim["on"]) for claim in claims if claim.get("on") in recorded]
    options = [*about, *(name for name in PREFERRED if name in recorded)]
    if options:
        return options[0]
    if len(recorded) == 1:
        return next(iter(recorded))
    raise SpecError(
        "metric: expected the one that arms are ranked by, got none; say which it is: "
        + ", ".join(sorted(recorded))
    )


def directions(
    said: Mapping[str, bool], names: Mapping[str, str], recorded: Collection[str]
) -> dict[str, bool]:
    """Return the directions that a user says, by names of metrics without the part of the data.

    Args:
        said: whether larger is better, by the table's names or the harness's, with or without the
            part.
        names: the harness's names by the table's.
        recorded: metrics that the runs have.

    Raises:
        SpecError: no run has such a metric, or it has a direction of its own.
    """
    known = {metric.partition("/")[2] for metric in recorded}
    found = {}
    for name, more in said.items():
        full = names.get(name, name)
        short = full if full in known else full.partition("/")[2]
        if short not in known:
            raise SpecError(
                f"larger_is_better: no run has {name!r}: {nearest(name, [*names, *recorded])}"
            )
        if short in ("loss", "accuracy"):
            raise SpecError(f"larger_is_better: {name!r} has a direction of its own; leave it out")
        found[short] = more
    return found


def _check_direction(metric: str, said: Collection[str]) -> None:
    """Refuse a metric of which neither more nor less is known to be better.

    Args:
        metric: by the harness's name.
        said: metrics of which it is said, without the part of the data.

    Raises:
        SpecError: neither is known.
    """
    for source in recorded_sources(metric):
        name = source.partition("/")[2]
        if name in said or name.endswith(_TELLING) or describe(source).description:
            continue
        raise SpecError(
            f"{metric}: expected a metric of which more or less is better, got one of which that "
            f"is not known; say it: larger_is_better={{{name!r}: True}} (or False)"
        )


def _there(field: str, name: str, recorded: Collection[str]) -> str:
    """Return a metric that runs have, or refuse it."""
    if name not in recorded:
        raise SpecError(f"{field}: no run has {name!r}: {nearest(name, recorded)}")
    return name


def check_question(study: Study, runs: Sequence[ForeignRun], whole: bool) -> None:
    """Refuse a ranking and claims on what no run has, or of which it is not known what is better.

    Args:
        study: has the claims.
        runs: of all arms.
        whole: whether every arm has the same seeds.

    Raises:
        SpecError: a claim is about a metric that no run has, about times that can't be told, or
            about a value that its metric can't have.
    """
    recorded, said = metrics_of_runs(runs), study.recipe.declared.keys()
    assert study.metric is not None, "imported runs are ranked by something"
    _check_direction(study.metric, said)
    for mistake in claim_mistakes(study):
        raise SpecError(mistake)
    for position, claim in enumerate(study.claims):
        if claim.on not in recorded:  # a derived metric may also be a column of its own
            for source in claim.recorded:
                _there(f"claims.{position}.on", source, recorded)
        if not claim.direction_given and not isinstance(claim, Bound):
            _check_direction(claim.on, said)
        if claim.goal is not None:
            _check_times(f"claims.{position}", claim.goal, runs, whole)


def _check_times(field: str, goal: Goal, runs: Sequence[ForeignRun], whole: bool) -> None:
    """Refuse a claim about the time to a goal where times are not known of all runs."""
    if not whole:
        raise SpecError(
            f"{field}: expected the same seeds of every arm for a claim about speed, got arms that "
            "lack some; leave the others' out of the table, or claim 'better' on a closing value"
        )
    curved = any(run.curves.get(goal.metric) for run in runs)
    if not curved or not _has_unit(goal.unit, runs):
        raise SpecError(
            f"{field}: expected {goal.metric} by {goal.unit}, got a table without such curves; "
            "give a column 'step' (and 'epoch' or 'samples'), or claim 'better' on a closing value"
        )


def _has_unit(unit: str, runs: Sequence[ForeignRun]) -> bool:
    """Return whether every point of every run has a time in a unit; seconds are of clocks that the
    harness reads itself."""
    if unit == "steps":
        return True
    if unit == "seconds":
        return False
    place = ("epochs", "samples").index(unit)
    positions = (position for run in runs for position in run.positions.values())
    return all(not math.isnan(position[place]) for position in positions)


def metrics_of_runs(runs: Sequence[ForeignRun]) -> list[str]:
    """Return the metrics that any run has, each once, in the order of the table."""
    return list(dict.fromkeys(metric for run in runs for metric in run.closing))
