"""``run``, ``plan``, ``report`` and ``train``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from harness.cli.commands import Flags
from harness.core.errors import HarnessError, SpecError, nearest
from harness.spec.arms import arms
from harness.spec.files import override
from harness.spec.study import Study


def run_and_report(study: Study, flags: Flags) -> None:
    """Run the study as the flags say, write its report and print the answer; or show its plan."""
    study = adapted(study, flags)
    if flags.dry_run:
        return show_plan(study, flags)
    from harness.cli.progress import screen
    from harness.protocol.options import Options
    from harness.protocol.run import run_study

    options = Options(flags.workers, flags.cohort, flags.fresh, flags.storage, flags.store)
    try:
        with screen() as shown:
            summary = run_study(study, options, shown)
    except KeyboardInterrupt:
        print(
            "stopped; finished runs are kept, and the same command goes on from there",
            file=sys.stderr,
        )
        raise SystemExit(130) from None
    path = flags.reports / f"{_slug(study.name)}.html"
    print(
        f"study {study.name}: {summary.trained} runs trained, {summary.known} known already, {summary.seconds:.1f} s"
    )
    if summary.failed:
        print(
            f"{summary.failed} runs failed and will be tried again; 'harness status \"{study.name}\"' says why"
        )
    if summary.trained or not path.exists():
        path = write(study.name, flags.store, flags.reports, say=True)
    print(f"report: {path}")
    print(f"runs:   {_place_of_runs(flags.store)}")


def _place_of_runs(store: str | None) -> str:
    """Return where a person sees the runs: MLflow's server, or the command that starts one on the file."""
    from harness.tracking import default_uri, public, site

    if (store or default_uri()).startswith("http"):
        return site(store or default_uri())
    return f"harness ui{f' --store {public(store)}' if store else ''}   (MLflow's UI on http://127.0.0.1:5000)"


def adapted(study: Study, flags: Flags) -> Study:
    """Return the study with the flags' changes."""
    changes: dict[str, Any] = {}
    if flags.quick:
        changes |= study.quick | {"name": f"{study.name}-quick"}
    if flags.trials is not None:
        if study.search is None:
            raise SpecError(f"--trials: study {study.name!r} has no search")
        changes["search.trials"] = flags.trials
    if flags.seeds is not None:
        changes["seeds"] = flags.seeds
    if flags.device is not None:
        changes["recipe.device"] = flags.device
    changes |= parsed(flags.changes)
    return override(study, changes) if changes else study


def parsed(changes: Sequence[str]) -> dict[str, Any]:
    """Turn ``FIELD=VALUE`` texts into values; a value is JSON, or else text."""
    found = {}
    for change in changes:
        field, equals, text = change.partition("=")
        if not equals or not field:
            raise SpecError(f"--set: expected FIELD=VALUE such as recipe.epochs=20, got {change!r}")
        try:
            found[field] = json.loads(text)
        except ValueError:
            found[field] = text
    return found


def write(study: str, store: str | None, folder: Path, say: bool = False) -> Path:
    """Write a study's report from the store; print its answer if asked to."""
    from harness import results
    from harness.analysis.answer import answer
    from harness.report.page import write_report

    found = results.load(study, store)
    if say:
        said = answer(found)
        print(said.sentence)
        for tested in said.claims:
            print(f"  {tested.verdict.verdict}: {tested.claim}")
    try:
        return write_report(found, folder)
    except OSError as error:
        raise HarnessError(
            f"the report can't be written to {error.filename or folder}: {error.strerror}; "
            f'give another folder with --reports, then: harness report "{study}"'
        ) from error


def write_side_by_side(studies: Sequence[str], store: str | None, folder: Path) -> Path:
    """Write one page on several studies."""
    from harness import results
    from harness.report.compare import write_comparison

    if len(set(studies)) < 2:
        raise SpecError(
            f"--compare: expected the names of two studies or more, got {', '.join(studies)}"
        )
    return write_comparison(
        [results.load(study, store) for study in dict.fromkeys(studies)], folder
    )


def _slug(name: str) -> str:
    from harness.report.page import slug

    return slug(name)


def show_plan(study: Study, flags: Flags) -> None:
    """Print what the study would do."""
    from harness.execution.local import default_workers
    from harness.protocol.plan import plan_study

    workers = default_workers() if flags.workers is None else flags.workers
    found = plan_study(study, workers, flags.cohort)
    table = Table(
        "arm",
        "trials",
        "runs",
        "path",
        "cohort",
        "steps a run",
        "time a run",
        "memory",
        title=f"study {study.name}",
        title_justify="left",
    )
    for row in found.arms:
        runs = f"{row.search_runs} + {row.confirm_runs}"
        table.add_row(
            row.arm.name,
            str(row.trials),
            runs,
            "cohort" if row.batched else "alone",
            f"≤ {row.cohort}",
            f"{row.steps:,}",
            _time(row.seconds),
            f"{row.memory / 2**20:.1f} MiB",
        )
    console = Console()
    console.print(table)
    for path, why in sorted(
        {("cohort" if row.batched else "alone", row.why) for row in found.arms}
    ):
        console.print(f"{path}: {why}", highlight=False, markup=False)
    parts = (
        _count(len(found.arms), "arm"),
        _count(found.runs, "run"),
        _count(found.cohorts, "cohort"),
    )
    console.print(
        f"{parts[0]}, {parts[1]} (search + confirm) in at least {parts[2]}", highlight=False
    )
    console.print(
        f"about {_time(found.seconds)} of training on {_count(max(1, workers), 'worker')}",
        highlight=False,
    )


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _time(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def train_recipe(
    study: Study, arm: str | None, seeds: int, changes: Sequence[str], csv: Path | None
) -> None:
    """Train the study's recipe, or an arm's, and print a row a seed."""
    from harness.protocol.train import train

    named = {a.name: a.recipe for a in arms(study)}
    if arm is not None and arm not in named:
        raise SpecError(f"--arm: unknown arm {arm!r}; {nearest(arm, named)}")
    recipe = named[arm] if arm is not None else study.recipe
    values = {path.removeprefix("recipe."): value for path, value in parsed(changes).items()}
    recipe = recipe.with_values(values)
    if spaces := recipe.spaces():
        first = next(iter(spaces))
        raise SpecError(
            f"the recipe has spaces ({', '.join(spaces)}); give values, such as --set {first}=0.1"
        )
    found = train(recipe, seeds)
    if csv is not None:
        found.curves.to_csv(csv, index=False)
    print(
        found.runs.drop(columns=[c for c in ("detail", "batch/loss") if c in found.runs]).to_string(
            index=False
        )
    )
