"""``plan --detect``: the searches and seeds that find an effect, and what they cost."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from rich.markup import escape
from rich.table import Table

from harness.cli.console import PlainConsole
from harness.cli.durations import describe_time
from harness.core.errors import SpecError, StoreError
from harness.spec.study import Study
from harness.stats import Design, Variances, best_seeds

if TYPE_CHECKING:
    from harness.protocol.detect import DetectionPlan
    from harness.protocol.plan import StudyPlan


class Detect(NamedTuple):
    """What is to be found, and what is known of the spread."""

    effect: float
    """In the unit of the metric."""
    spread: tuple[float, float] | None
    """Standard deviations of paired differences by search and by seed; None: those stored."""
    store: str | None
    """MLflow's tracking URI."""


class _Known(NamedTuple):
    """What is known of the spread, and from where."""

    of: str
    spread: dict[str, Variances]
    trial_length: float


def show_detection(study: Study, plan: StudyPlan, workers: int, wanted: Detect) -> None:
    """Print what it takes to find an effect.

    Args:
        study: the study, with the flags' changes.
        plan: its plan.
        workers: worker processes.
        wanted: what is to be found.

    Raises:
        SpecError: the effect is none, or nothing tells the spread.
    """
    from harness.protocol.detect import plan_detection

    if wanted.effect == 0 or not math.isfinite(wanted.effect):
        raise SpecError(f"--detect: expected a difference other than 0, got {wanted.effect:g}")
    known = _stated(wanted.spread) if wanted.spread else _stored(study, wanted.store)
    detection = plan_detection(
        study, plan, workers, wanted.effect, known.spread, known.trial_length
    )
    console = PlainConsole()
    console.print(_table(detection, known.of, study.tuned))
    console.print(_conclusion(detection, study.tuned), highlight=False, markup=False)


def _stated(spread: tuple[float, float]) -> _Known:
    """Return the variances of the deviations that the flag states."""
    if min(spread) < 0 or max(spread) == 0 or not all(map(math.isfinite, spread)):
        raise SpecError(
            "--spread: expected the standard deviations of differences by search and by seed, "
            f"from 0, got {spread[0]:g} and {spread[1]:g}"
        )
    search, seed = spread
    return _Known("the spread stated", {"stated": Variances(search**2, seed**2)}, 1.0)


def _stored(study: Study, store: str | None) -> _Known:
    """Return the variances that the stored study of this name has.

    Raises:
        SpecError: there is none, or it can't tell.
    """
    from harness.analysis import results
    from harness.analysis.design import length_of_trials, spread_of_pairs
    from harness.analysis.ranking import choose_metric

    try:
        done = results.load(study.name, store)
        metric = study.metric or choose_metric(done)
        spread = spread_of_pairs(done, metric)
    except StoreError as error:
        raise SpecError(
            f"--detect: {error}; or state the standard deviations of paired differences: "
            "--spread SEARCH SEED"
        ) from error
    named = {f"{arm} against {than}": variances for (arm, than), variances in spread.items()}
    return _Known(f"{metric} of the stored study", named, length_of_trials(done))


def _table(detection: DetectionPlan, of: str, tuned: bool) -> Table:
    """Return a row for each pair of arms."""
    table = Table(
        "pair",
        "deviation by search",
        "by seed",
        "found now",
        "needs",
        "runs of an arm",
        "same runs, best split",
        title=escape(
            f"to find a difference of {detection.effect:g}, by {of}, at level {detection.alpha:.2g}"
        ),
        title_justify="left",
    )
    for row in detection.pairs:
        table.add_row(
            escape(row.pair),
            f"{math.sqrt(row.variances.searches):.3g}",
            f"{math.sqrt(row.variances.seeds):.3g}",
            "—" if row.power is None else f"{row.power:.0%}",
            "too small" if row.wanted is None else _words(row.wanted, tuned),
            "—" if row.wanted is None else f"{row.wanted.cost:,.0f}",
            "too few"
            if row.split is None
            else f"{_words(row.split, tuned)}: {row.split.power:.0%}",
        )
    return table


def _words(design: Design, tuned: bool) -> str:
    """Return a design in words; without a search its replicates are seeds."""
    if not tuned:
        return f"{design.searches} seeds"
    return f"{design.searches} searches × {design.seeds} seeds"


def _conclusion(detection: DetectionPlan, tuned: bool) -> str:
    """Return in a sentence or two what it takes for all pairs together."""
    wanted = detection.wanted
    if wanted is None:
        return "Too small a difference to be found; if that is small enough, claim 'equal'."
    cost = f"{detection.runs(wanted):,} runs, about {describe_time(detection.seconds(wanted))}"
    found = f"{_words(wanted, tuned)} of {detection.arms} arms find it with 80 %: {cost}."
    if not tuned:
        return found
    hardest = max(detection.pairs, key=lambda row: row.wanted.cost if row.wanted else 0.0)
    best = best_seeds(hardest.variances, detection.search_cost)
    if not math.isfinite(best):
        return f"{found} No spread by search was seen: of few searches a rough guess."
    return (
        f"{found} A search costs as much as {detection.search_cost:.3g} seeds, so that "
        f"{best:.2g} of them tell most for it."
    )
