"""Mistakes of a study that only show when its parts are put together, before any training.

`run` and `plan` ask here. Specs check what can be said without data and torch;
this loads the data and builds each arm's network.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from harness.core.errors import HarnessError, SpecError, did_you_mean
from harness.data.base import Data, load_data
from harness.engine.build_network import build_network
from harness.engine.hyperparameters import dropout_rate
from harness.engine.metric_trial import metric_notes, try_metrics
from harness.engine.optimizer_checks import has_batch_statistics
from harness.engine.program import Program, program_of
from harness.metrics.base import Metric
from harness.metrics.logged import Logged
from harness.probes.base import probes_of
from harness.protocol.claim_check import claim_mistakes, descending, unreachable_goals
from harness.protocol.claim_notes import claim_notes, equal_arms
from harness.protocol.command_check import unread_values, untold_values
from harness.protocol.object_notes import changed_objects, object_notes
from harness.protocol.own_trial import trainer_notes, try_trainer, untold
from harness.protocol.recipe_check import check_recipe
from harness.protocol.representative import representative
from harness.protocol.search_notes import search_notes
from harness.protocol.width_check import mistakes_of_heads
from harness.regularizers.base import Regularizer
from harness.spec.arms import Arm, build_arms
from harness.spec.component import as_a
from harness.spec.metrics import tells_direction
from harness.spec.recipe import Recipe
from harness.spec.space import Space, largest_of
from harness.spec.study import Study

ALWAYS_RECORDED = {
    "batch/loss",
    "batch/noise",
    "best/step",
    "best/epoch",
    "best/valid/loss",
    "cost/steps",
    "cost/gradients",
}
"""Metrics that every run has, whatever its data and loss; claims about others of the run's own are
refused."""


def check_study(study: Study) -> None:
    """Build every arm's network, data and optimizer without training.

    Args:
        study: an arm that is to be tuned is built with the middle of each space.

    Raises:
        SpecError: parts do not go together; all mistakes of all arms, each with the arm's name.
    """
    if study.imported is not None:
        raise SpecError(
            f"study {study.name!r} can't be run: its runs were trained elsewhere, and read from "
            f"{study.imported.source}; 'harness import' reads them again"
        )
    mistakes = [*changed_objects(study), *claim_mistakes(study), *unreachable_goals(study)]
    arms = build_arms(study)
    for arm in arms:
        mistakes += _mistakes_of(study, arm)
    if not mistakes:  # data that can't be loaded have no size
        recipes = {arm.name: representative(arm.recipe) for arm in arms}
        mistakes = [
            *_equal_batches(arms),
            *mistakes_of_heads(recipes),
            *untold_values(arms, recipes),
        ]
    if mistakes:
        listed = "\n  ".join(dict.fromkeys(mistakes))  # each once, in their order
        raise SpecError(f"study {study.name!r} can't be run:\n  {listed}")


def notes_of(study: Study) -> tuple[str, ...]:
    """Return what a user should know of the study before it trains, in sentences.

    Args:
        study: one that can be run; the data of all its arms are loaded.
    """
    notes = [*claim_notes(study), *equal_arms(study), *descending(study), *object_notes(study)]
    arms = build_arms(study)
    notes += unread_values(arms, {arm.name: representative(arm.recipe) for arm in arms})
    for arm in arms:
        notes += load_data(arm.recipe.data).notes
        if arm.recipe.trainer is not None:
            notes += own_notes(study, arm)
            continue
        notes += _accumulation_notes(arm)
        notes += _average_notes(arm)
        if arm.recipe.metrics and arm.recipe.trainer is None:
            notes += metric_notes(program_of(representative(arm.recipe)))
        if study.search:
            notes += search_notes(arm, study.search)
    return tuple(dict.fromkeys(notes))  # each once, in their order


def _accumulation_notes(arm: Arm) -> list[str]:
    """Return a sentence where an update of several micro-batches is not one of the whole batch."""
    recipe = representative(arm.recipe)
    if recipe.accumulate == 1:
        return []
    network = build_network(recipe, load_data(recipe.data))
    notes = []
    if has_batch_statistics(network):
        notes.append(
            f"arm {arm.name!r}: batch normalization goes by each of the {recipe.accumulate}"
            " micro-batches of an update and not by the whole batch, so that the numbers are others"
            " than without recipe.accumulate"
        )
    if dropout_rate(recipe):
        notes.append(
            f"arm {arm.name!r}: with recipe.accumulate={recipe.accumulate} dropout drops other"
            " units than in one pass, equally many"
        )
    return notes


def _average_notes(arm: Arm) -> list[str]:
    """Return a sentence where evaluations at an average pass over the training part once more."""
    recipe = representative(arm.recipe)
    network = build_network(recipe, load_data(recipe.data))
    if recipe.average is None or not has_batch_statistics(network):
        return []
    return [
        f"arm {arm.name!r}: {recipe.average.name} is evaluated with statistics of batch"
        " normalization that each evaluation gathers anew, in a pass over the training part"
    ]


def _mistakes_of(study: Study, arm: Arm) -> list[str]:
    """Return an arm's mistakes in words; of one that can't be built the metrics are not known."""
    mistakes = []
    if arm.recipe.spaces() and study.search is None:
        spaces = ", ".join(arm.recipe.spaces())
        mistakes.append(
            f"search: arm {arm.name!r} has spaces ({spaces}); "
            "expected 'search' to say how they are tuned, got none"
        )
    if arm.recipe.trainer is not None:
        said = _unmeasured(arm.recipe) + _undirected(study, arm.recipe)
        return mistakes + said + own_mistakes(study, arm)
    try:
        _check_batch_space(arm.recipe, load_data(arm.recipe.data).count("train"))
        _check_searches(study, arm.recipe)
        _check_picture_spaces(arm.recipe)
        program = check_recipe(representative(arm.recipe), probes_of(study.probes))
        _check_splits(as_a(Data, arm.recipe.data))
        recorded = recorded_metrics(program)
    except HarnessError as error:
        return [*mistakes, f"arm {arm.name!r}: {error}"]
    return mistakes + _unrecorded_metrics(study, arm, recorded)


def _undirected(study: Study, recipe: Recipe) -> list[str]:
    """Return a mistake for each metric of a trainer that the study goes by and nobody described:
    more of it may be better or less."""
    needed = {
        f"claims.{i}.on": claim.on
        for i, claim in enumerate(study.claims)
        if not claim.direction_given
    }
    if study.metric is not None:
        needed["metric"] = study.metric
    if study.tuned and study.search is not None and study.search.direction == "auto":
        needed["search.objective"] = study.search.objective
    return [
        f"{field}: expected a metric of which more or less is better, got {metric!r}, which the "
        f"trainer records and nothing describes; declare it in recipe.metrics: {{name: Logged, "
        f"metric: {metric.partition('/')[2]}, larger_is_better: true}} (or false)"
        for field, metric in needed.items()
        if not tells_direction(metric, recipe.declared)
    ]


def _unmeasured(recipe: Recipe) -> list[str]:
    """Return a mistake for metrics of outputs beside a trainer, whose outputs nobody sees."""
    names = [as_a(Metric, m).recorded for m in recipe.metrics if not isinstance(m, Logged)]
    if not names:
        return []
    return [
        f"recipe.metrics: expected metrics that the trainer records, got {', '.join(names)}, which "
        f"are measured where the harness trains; record them (run.log(step, valid_{names[0]}=...)) "
        f"and declare those of your own: {{name: Logged, metric: {names[0]}, larger_is_better: "
        "true}"
    ]


def _check_batch_space(recipe: Recipe, samples: int) -> None:
    """Refuse a space whose batches may have more samples than there are.

    Raises:
        HarnessError: so they may; a trial would record another size than it used.
    """
    space = recipe.batch_size
    if not isinstance(space, Space):
        return
    largest = largest_of(space)
    if isinstance(largest, int | float) and largest > samples:
        raise HarnessError(
            f"recipe.batch_size: expected a space up to {samples} (the training samples), got "
            f"{space}"
        )


def _check_picture_spaces(recipe: Recipe) -> None:
    """Refuse spaces of what changes pictures whose trials may leave nothing of them.

    Raises:
        HarnessError: so they may.
    """
    parts = [part for part in recipe.regularizers if isinstance(part, Regularizer)]
    if any(part.for_pictures for part in parts):
        shape = load_data(recipe.data).input_shape
        for part in parts:
            # others than pictures are refused with the rest of the recipe
            if part.for_pictures and len(shape) in (2, 3):
                part.check_picture(shape)


def _check_searches(study: Study, recipe: Recipe) -> None:
    """Refuse searches on splits of their own where the data have one split alone.

    Raises:
        HarnessError: so they are; what they share must be said, since verdicts then tell nothing of
            other samples.
    """
    search, searches = study.search, len(study.looks[-1].searches)
    if search is None or searches < 2 or "split" in search.fixed:
        return
    if load_data(recipe.data).splits == "one":
        why = "order_by" if as_a(Data, recipe.data).order_by else "a validation part of its own"
        raise HarnessError(
            f"search.fixed: {recipe.data.name} has one split ({why}), which all {searches} "
            "searches share; say so: search.fixed: [split]"
        )


def _check_splits(data: Data) -> None:
    """Refuse data of a user's own class whose arrays depend on the split: runs on several splits
    train together, and all are tested on the same samples.

    Raises:
        HarnessError: the sizes of the parts or the test samples differ from split to split.
    """
    # the harness's own are tested; a function is not told the split
    if type(data).__module__.startswith("harness."):
        return
    here = load_data(data)
    try:
        other = load_data(data.model_copy(update={"split": data.split + 1}))
    except HarnessError:  # what is wrong with that split is told if it is asked for
        return
    sizes = [[len(part.x) for part in each[:3]] for each in (here, other)]
    if sizes[0] != sizes[1] or not np.array_equal(here.test.x, other.test.x):
        raise HarnessError(
            f"data.split: expected the same arrays of {data.name} for every split, got parts of "
            f"{sizes[0]} and {sizes[1]} samples, or other test samples, for splits {data.split} "
            f"and {data.split + 1}; raw must not depend on split, which is done to what it returns"
        )


def _equal_batches(arms: Sequence[Arm]) -> list[str]:
    """Return a mistake for arms that differ in the name of their batch size alone: "full" is the
    number of training samples."""
    alike: dict[str, list[Arm]] = {}
    for arm in arms:
        samples = load_data(arm.recipe.data).count("train")
        full = arm.recipe.batch_size in ("full", samples)
        plain = arm.recipe.dump() | ({"batch_size": "full"} if full else {})
        alike.setdefault(json.dumps(plain, sort_keys=True), []).append(arm)
    return [
        f"recipe.batch_size: arms {', '.join(repr(arm.name) for arm in same)} are one recipe: "
        f"'full' is {load_data(same[0].recipe.data).count('train')} samples; leave out all but one"
        for same in alike.values()
        if len({arm.recipe.batch_size for arm in same}) > 1
    ]


def recorded_metrics(program: Program) -> set[str]:
    """Return the names of the metrics that a run records, those of probes left out.

    Args:
        program: what the run is trained by; it has accuracies where the data have classes, and
            validation and test metrics where there are such data.

    Raises:
        HarnessError: one of its metrics fails.
    """
    names: tuple[str, ...] = ("loss", "accuracy") if program.classify else ("loss",)
    names += try_metrics(program)
    parts = [part for part, size in program.sizes().items() if size]
    return {f"{part}/{name}" for part in parts for name in names} | ALWAYS_RECORDED


def _unrecorded_metrics(study: Study, arm: Arm, recorded: set[str]) -> list[str]:
    """Return a mistake for each metric that the search or a claim needs and the arm's runs lack.

    What a probe records is not known before it measures (names of layers): of the study's own
    probes any name is taken to exist.
    """
    mistakes = []
    if study.search and arm.recipe.spaces() and study.search.objective not in recorded:
        mistakes.append(_unrecorded("search.objective", study.search.objective, arm, recorded))
    probed = {probe.prefix for probe in probes_of(study.probes)}
    for i, claim in enumerate(study.claims):
        # a claim about factors names no arms, and may be about all of them
        if claim.arms and arm.name not in claim.arms:
            continue
        needed = {name for name in claim.recorded if name.partition("/")[0] not in probed}
        if not needed <= recorded:
            mistakes.append(_unrecorded(f"claims.{i}.on", claim.on, arm, recorded))
    return mistakes


def _unrecorded(field: str, got: str, arm: Arm, recorded: set[str]) -> str:
    """Return the mistake in words: the field, what the arm records, and what was asked for."""
    hint = ""
    if got.startswith("valid/") and "valid/loss" not in recorded:
        hint = " (validation data come from data.valid_fraction)"
    if question := did_you_mean(got, recorded):
        hint += f"; {question}"
    return f"{field}: arm {arm.name!r} records {', '.join(sorted(recorded))}; got {got!r}{hint}"


def own_mistakes(study: Study, arm: Arm) -> list[str]:
    """Return the mistakes of an arm with a trainer of a user's own, found out by trying it."""
    mistakes = []
    if study.search and study.search.pruner != "none" and arm.recipe.seconds is not None:
        mistakes.append(
            "search.pruner: expected none beside lengths in seconds, since trials are compared at "
            f"equal steps, got {study.search.pruner!r}; give the length in steps"
        )
    tried = try_trainer(representative(arm.recipe))
    if tried.error:
        return [*mistakes, f"arm {arm.name!r}: {tried.error}"]
    return mistakes + untold(study, arm, tried)


def own_notes(study: Study, arm: Arm) -> list[str]:
    """Return what should be known of an arm with a trainer of a user's own, in sentences."""
    recipe = representative(arm.recipe)
    return [*trainer_notes(recipe, study.search.objective if study.search else None)]
