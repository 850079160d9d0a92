"""Checks of runs that were trained elsewhere: what of their making can't be known from numbers."""

from __future__ import annotations

from collections.abc import Iterator

from harness.analysis.audit.finding import Finding, first_of
from harness.analysis.results import Results
from harness.stats.design import ENOUGH_SEARCHES


def unknown_tuning(results: Results) -> Iterator[Finding]:
    """Say that nobody can see how the arms were tuned; one of several searches has repeated it."""
    searches = len(results.look.searches)
    yield Finding(
        "tuning not known",
        "how each arm was tuned, with what budget and on which data, is not known of runs that "
        "were trained elsewhere; an arm that was tuned longer may win for that alone",
        "write down the trials and the data that each arm was tuned with, or tune all of them "
        "alike: 'harness run', or harness.compare with your own training function",
    )
    if searches == 1:
        yield Finding(
            "one search",
            "nothing says that the arms were tuned more than once: verdicts are of these settings, "
            "and another tuning may come to others",
            "tune every arm several times and give a column 'search'",
        )
    elif searches < ENOUGH_SEARCHES:
        yield Finding(
            "few searches",
            f"verdicts rest on {searches} searches, whose spread is hardly known",
            f"tune every arm {ENOUGH_SEARCHES} times or more",
        )


def unknown_choices(results: Results) -> Iterator[Finding]:
    """Say that test data, or a look at the results, may have chosen what was imported."""
    yield Finding(
        "choices not known",
        "whether test data chose anything (a setting, when to stop, which runs are in the table) "
        "is not known, and neither whether the claims were written before the results were seen",
        "import every run that was made, and choose by validation data alone",
    )


def unknown_pairing(results: Results) -> Iterator[Finding]:
    """Say how runs of two arms were paired."""
    imported = results.study.imported
    if imported is None or len(results.by_arm) < 2:
        return
    if imported.paired:
        yield Finding(
            "pairing assumed",
            "runs of two arms with the same seed are taken as a pair; whether the same seed gave "
            "them the same initial weights and batches is not known",
            "if it did not, the verdicts still hold: pairs of independent runs only make intervals "
            "as wide as without pairs",
        )
    else:
        yield Finding(
            "not paired",
            "the arms share too few seeds to be paired by them, so that runs are paired in the "
            "order of the table",
            "train all arms with the same seeds, which makes intervals narrower",
        )


def missing_runs(results: Results) -> Iterator[Finding]:
    """Find arms that lack runs which others have: those have no partner, and may have been left out
    for what they gave."""
    wanted = {seed for own in results.look.seeds for seed in own}
    missing = {arm: len(wanted - {*runs.index}) for arm, runs in results.by_arm.items()}
    counts = {arm: len(runs) for arm, runs in results.by_arm.items()}
    if any(missing.values()):
        listed = first_of([f"{arm}: {counts[arm]} of {len(wanted)}" for arm in counts])
        yield Finding(
            "missing runs",
            f"arms differ in their runs ({listed}); runs without a partner count for their arm's "
            "mean, and for no comparison",
            "import the missing runs too, those that failed with NaN as their values",
        )


def unequal_lengths(results: Results) -> Iterator[Finding]:
    """Find runs that are shorter than others: they stopped early, crashed, or had other budgets."""
    runs = results.confirmed
    if "cost/steps" not in runs:
        return
    ended = runs[runs["status"] == "finished"].dropna(subset=["cost/steps"])
    steps = ended.groupby("arm", sort=False)["cost/steps"].agg(["min", "max"])
    if steps["max"].max() > steps["min"].min():
        listed = [
            f"{arm}: {own['min']:g}" + (f" to {own['max']:g}" if own["max"] > own["min"] else "")
            for arm, own in steps.iterrows()
        ]
        yield Finding(
            "unequal lengths",
            f"runs end at different steps ({first_of(listed)})",
            "compare arms after the same training, or say that each stops by a rule of its own",
        )


def read_with_care(results: Results) -> Iterator[Finding]:
    """Say what was left out of the table or read in another way, and which runs diverged."""
    imported = results.study.imported
    for note in imported.notes if imported else ():
        yield Finding("read from the table", note, "see that this is what was meant")
    lost = results.confirmed[results.confirmed["status"] == "diverged"]
    if len(lost):
        yield Finding(
            "taken as diverged",
            f"runs whose last value is not a number count as diverged, the worst there is: "
            f"{first_of([f'{a} seed {s}' for a, s in lost[['arm', 'seed']].to_numpy()])}",
            "leave the cell's row out if the value was only not measured",
        )
