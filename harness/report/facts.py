"""What the page says of how a study was run: a table of a few lines, and the study's spec."""

from __future__ import annotations

import io

from harness.analysis.results import Results
from harness.spec.arms import build_arms
from harness.spec.study import Study


def list_facts(results: Results) -> list[tuple[str, str]]:
    """Return the rows of the table "How it was run": what is told, and what it was, as texts."""
    study, runs = results.study, results.runs
    tuned, objective = _search(results)
    counts = runs["status"].value_counts().to_dict()
    ended = ", ".join(f"{count} {status}" for status, count in counts.items())
    # pandas leaves NaN, of runs that failed before they cost anything, out of the sums; where all
    # failed there is no such column
    seconds, steps = (
        float(runs[cost].sum()) if cost in runs else 0.0 for cost in ("cost/seconds", "cost/steps")
    )
    return [
        ("Arms", str(len(build_arms(study)))),
        ("Search", tuned),
        ("Objective of the search", objective),
        ("Confirmed with", str(results.look)),
        ("Runs", f"{len(runs)} ({ended})"),
        ("Training time", f"{seconds:,.1f} s on one worker, {steps:,.0f} updates"),
        _source(study),
        *(("Note", note) for note in results.notes),
    ]


def _source(study: Study) -> tuple[str, str]:
    """Return what was trained on, or where runs come from that were trained elsewhere."""
    if study.imported is not None:
        names = [f"{column} is {own}" for column, own in study.imported.names.items()]
        return "Read from", "; ".join([study.imported.source, *names])
    return "Data", str(study.recipe.data.name)


def _search(results: Results) -> tuple[str, str]:
    """Return how the arms were tuned, and by what."""
    search = results.study.search
    if results.study.imported is not None:
        return "elsewhere", "not known"
    if search is None or not len(results.trials):
        return "none", "—"
    tuned = (
        f"{_times(len(results.look.searches))}{search.trials} trials an arm at most, "
        f"{search.sampler} sampler, pruner {search.pruner}"
    )
    return tuned, f"{search.objective} ({search.reduce})"


def _times(searches: int) -> str:
    """Return how often each arm was tuned, if more than once."""
    return f"{searches} searches of " if searches > 1 else ""


def spec_as_yaml(results: Results) -> str:
    """Return the study as YAML, a field on each line, which ``harness run`` takes as it is."""
    # imported here because notebooks that only draw figures do without it
    from ruamel.yaml import YAML

    text = io.StringIO()
    writer = YAML()
    writer.default_flow_style = False
    writer.dump(results.spec, text)
    return text.getvalue()
