"""Training a recorded run again from what MLflow has of it, and comparing every point.

For ``harness reproduce``. Nothing is recorded, and the study's files on this machine are not used:
the spec and the user's own code come from the store.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Literal, NamedTuple

from pydantic import ValidationError

from harness.core.errors import HarnessError
from harness.core.records import Outcome
from harness.core.temporary import temporary_folder
from harness.data.base import fingerprint, load_data
from harness.engine.placement import place
from harness.execution.jobs import Job
from harness.execution.local import Serial
from harness.execution.pool import Pool
from harness.protocol.recorded_code import Unseen, find_unseen
from harness.protocol.runs import key_of
from harness.spec.arms import Run, arms_of_search, build_arms
from harness.spec.error_messages import explain
from harness.spec.keys import ENGINE
from harness.spec.object_digest import SCRIPTS
from harness.spec.recipe import Recipe
from harness.spec.resolved import ResolvedRecipe
from harness.spec.space import Choice
from harness.spec.study import Study
from harness.spec.trusted_names import trusted_names_only
from harness.tracking import RecordedRun, RunCurves, load_run
from harness.tracking.provenance import read_environment
from harness.tracking.rows import parameter_texts

TOLERANCE = {"float64": 1e-9, "float32": 1e-4, "bfloat16": 1e-2}
"""Largest relative difference of a point that rounding alone explains, by what rounds it: above
a single rounding's (1e-16, 6e-8, 4e-3), since training makes differences grow."""
TIMED = ("cost/", "throughput/")
"""How the names of metrics begin that are never twice the same."""
COUNTED = ("epoch", "samples")
"""Metrics that follow from the step: they would agree whatever was trained."""
COMPARED_PACKAGES = ("torch", "numpy", "scipy", "scikit-learn")
"""Packages whose version can change a run's numbers."""

Likeness = Literal["identical", "within tolerance", "different"]
"""How two runs compare: the same bits, the same but for rounding, or not the same."""


class Reproduced(NamedTuple):
    """How a run that was trained again compares with its record."""

    verdict: Likeness
    points: int
    """Points compared."""
    largest: float
    """Largest relative difference of a point."""
    where: str
    """Metric and step of that difference; empty if there is none."""
    changed: tuple[str, ...]
    """What is not as it was then: code, data, engine, packages, processor."""


def reproduce(
    run_id: str,
    uri: str | None = None,
    review: Callable[[Sequence[Unseen]], None] | None = None,
    any_name: bool = True,
) -> Reproduced:
    """Train a run again from what MLflow has of it, and compare every recorded point.

    Recipe, seed, probes and the user's own code are those that were recorded. It is trained in this
    process, alone and on one thread.

    Args:
        run_id: MLflow's id of the run.
        uri: MLflow's tracking URI; by default ``MLFLOW_TRACKING_URI`` or ``mlflow.db``.
        review: is given recorded code that is not what lies in the working folder, before any of
            it runs, and raises where it must not; by default it is trusted.
        any_name: let the recipe name what it likes; else what a spec as text may name
            (:mod:`harness.spec.trusted_names`).

    Raises:
        StoreError: there is no such run.
        HarnessError: it can't be trained here, or its arm is no longer in the study's spec.
    """
    with temporary_folder("code") as folder:
        stored, code = load_run(run_id, uri, Path(folder)), Path(folder) / "code"
        unseen = find_unseen(code, Path.cwd(), stored.spec) if review else ()
        if review and unseen:
            review(unseen)
        with importable(code) as own:
            with nullcontext() if any_name else trusted_names_only():
                run = run_of(stored)
            outcome = _train_again(run, test=stored.run.stage == "confirm")
            changed = _changes(stored, _keys_of(run, own))
    return compare_points(stored.curves, outcome, tolerance_of(run.recipe), changed)


def tolerance_of(recipe: ResolvedRecipe) -> float:
    """Return the largest relative difference of a point that rounding alone explains.

    Args:
        recipe: of the run; where its forward pass is in bfloat16, that rounds, whatever the dtype.
    """
    return TOLERANCE["bfloat16" if recipe.amp else recipe.dtype]


@contextmanager
def importable(folder: Path) -> Iterator[set[str]]:
    """Let the user's own modules be imported from a folder, before any others of their names.

    Modules of these names that this process has imported already are set aside, with their packages
    and the data that they made, and are there again afterwards.

    Args:
        folder: has the modules; it may be missing.

    Yields:
        The modules' names, of packages the first part.
    """
    own = {path.relative_to(folder).parts[0].removesuffix(".py") for path in folder.rglob("*.py")}
    aside = _take_modules(own)
    sys.path.insert(0, str(folder))
    try:
        yield own
    finally:
        sys.path.remove(str(folder))
        _take_modules(own)
        sys.modules.update(aside)


def _keys_of(run: Run, own: set[str]) -> set[str]:
    """Return the keys that a run may have been recorded by: its own modules were imported, or one
    was the script that was run, whose objects count one by one."""
    keys = {key_of(run)}
    SCRIPTS.update(own)
    try:
        return keys | {key_of(run)}
    finally:
        SCRIPTS.difference_update(own)


def _take_modules(names: Collection[str]) -> dict[str, ModuleType]:
    """Return the modules of some names and all below them, which are imported no longer."""
    taken = {name: sys.modules[name] for name in [*sys.modules] if name.split(".")[0] in names}
    for name in taken:
        del sys.modules[name]
    if names:  # data by a user's function are known by its name, which now stands for another
        for kept in (load_data, fingerprint, place):
            kept.cache_clear()
    return taken


def run_of(stored: RecordedRun) -> Run:
    """Return the run that a record is of: its arm's recipe with the values of its trial.

    Args:
        stored: the run with its study's spec. Values of spaces are read from the run's parameters;
            everything else of the recipe comes from the spec.

    Raises:
        HarnessError: the study was run again since, without the run's arm, or without its values;
            or a part of it can't be imported here.
    """
    try:
        study = Study.model_validate(stored.spec)
    except ValidationError as error:
        said = explain(error, None, f"study {stored.study!r}", Study)
        raise HarnessError(f"the run can't be trained here: {said}") from None
    if study.imported is not None:
        raise HarnessError(
            f"run {stored.run.run_id} can't be reproduced: it was trained elsewhere, and read from "
            f"{study.imported.source}"
        )
    # every search has a split of its own
    arms = arms_of_search(study, stored.run.search) if study.tuned else build_arms(study)
    recipes = {arm.name: arm.recipe for arm in arms}
    arm = stored.run.arm
    if arm not in recipes:
        raise HarnessError(
            f"study {stored.study!r} no longer has the arm {arm!r}; its spec was replaced"
        )
    # search runs have no probes, whatever the study measures in its confirmation
    probes = study.probes if stored.run.stage == "confirm" else ()
    found = {
        path: _recorded_values(recipes[arm], path, stored.run.params)
        for path in recipes[arm].spaces()
    }
    runs = (
        Run.of(
            recipes[arm].with_values(dict(zip(found, values, strict=True))), stored.run.seed, probes
        )
        for values in product(*found.values())
    )
    first = next(runs)
    # options that are the same text, such as 1 and "1": the run's key knows which it was
    return next((run for run in (first, *runs) if key_of(run) == stored.run.key), first)


def _recorded_values(recipe: Recipe, path: str, params: Mapping[str, str]) -> list[object]:
    """Return what a run had at the path of a space: a number, or the options of a choice that are
    recorded as its parameters were.

    Args:
        recipe: the arm's, with the space.
        path: in the recipe.
        params: the run's parameters; None was left out, and a mapping is spread over several.

    Raises:
        HarnessError: it had none of the options.
    """
    space = recipe.spaces()[path]
    if not isinstance(space, Choice):
        return [_parsed(params[path])]

    def own(texts: Mapping[str, str]) -> dict[str, str]:
        return {k: v for k, v in texts.items() if k == path or k.startswith(f"{path}.")}

    options = [
        option
        for option in space.options
        if own(parameter_texts(recipe.with_values({path: option}).settings())) == own(params)
    ]
    if not options:
        raise HarnessError(f"{path}: expected one of the options of {space}, got {own(params)}")
    return options


def _parsed(text: str) -> object:
    """Return what a parameter's text stands for; MLflow keeps every parameter as text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _train_again(run: Run, test: bool) -> Outcome:
    """Train a run in this process; ``test`` says whether test data are evaluated.

    Raises:
        HarnessError: training fails.
    """
    with Pool(Serial) as pool:
        ((_, done),) = pool.run([Job((0,), (run,), test=test)])
    if not done.outcomes:
        raise HarnessError(f"the run can't be trained here: {done.error}")
    return done.outcomes[0]


def compare_points(
    recorded: RunCurves, outcome: Outcome, tolerance: float, changed: tuple[str, ...] = ()
) -> Reproduced:
    """Compare every recorded point with the new run's.

    Args:
        recorded: curves as the store has them; metrics of time and place are passed over.
        outcome: the new run.
        tolerance: largest relative difference, |a − b| / max(|a|, |b|), that counts as the same.
        changed: what is not as it was then.

    Returns:
        The verdict, and the point that differs most; a point that the new run lacks differs without
        bounds.
    """
    new_values = {
        (name, point.step): value
        for point in outcome.points
        for name, value in point.metrics.items()
    }
    points, largest, where = 0, 0.0, ""
    for name, curve in recorded.items():
        if name.startswith(TIMED) or name in COUNTED:
            continue
        for step, value in curve:
            points += 1
            now = new_values.get((name, int(step)), math.nan)
            difference = _relative_difference(value, now)
            if difference > largest:
                largest, where = difference, f"{name} at step {int(step)}"
    return Reproduced(_verdict(largest, tolerance), points, largest, where, changed)


def _verdict(largest: float, tolerance: float) -> Likeness:
    """Return the verdict on the largest relative difference of all points."""
    if largest == 0:
        return "identical"
    return "within tolerance" if largest <= tolerance else "different"


def _relative_difference(then: float, now: float) -> float:
    """Return |then − now| / max(|then|, |now|); infinite where that is no number."""
    if then == now:  # 0 and 0, and equal infinities, for which the quotient is no number
        return 0.0
    if not math.isfinite(then - now):
        return math.inf
    return abs(then - now) / max(abs(then), abs(now))


def _changes(stored: RecordedRun, keys: Collection[str]) -> tuple[str, ...]:
    """Return what is not as it was when the run was recorded, in words.

    Args:
        stored: the run with its study's environment.
        keys: those that the run may have by what is here and now.
    """
    then, now = stored.environment, read_environment()
    engine = stored.run.engine
    changes = []
    if engine != ENGINE:
        changes.append(f"engine {engine}, now {ENGINE}")
    elif stored.run.key not in keys:  # the engine's version is part of every key
        changes.append("its recipe, data or own code give another key")
    changes += _changed_packages(then.get("packages", {}), now["packages"])
    if then.get("processor") != now["processor"]:
        changes.append(f"processor {then.get('processor')}, now {now['processor']}")
    # records from before there were any name none
    if then.get("kernels", "none") != now["kernels"]:
        changes.append(f"kernels {then.get('kernels', 'none')}, now {now['kernels']}")
    return tuple(changes)


def _changed_packages(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return [
        f"{name} {then[name]}, now {now.get(name)}"
        for name in COMPARED_PACKAGES
        if name in then and then[name] != now.get(name)
    ]
