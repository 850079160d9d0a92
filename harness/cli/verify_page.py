"""``verify PAGE``: a report's study run again here, and its verdicts and numbers compared."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from harness.analysis.answer import answer_study
from harness.analysis.results import load
from harness.cli.progress import choose_display
from harness.cli.verdicts import review_code
from harness.core.errors import HarnessError
from harness.core.paths import near_file
from harness.core.temporary import temporary_folder
from harness.protocol.options import Options
from harness.protocol.recorded_code import find_unseen
from harness.protocol.reproduce import COMPARED_PACKAGES, TOLERANCE, importable
from harness.protocol.run import run_study
from harness.report.page_record import (
    PageRecord,
    page_record,
    parse_record,
    read_record,
    record_text,
    shown_otherwise,
)
from harness.spec.error_messages import explain
from harness.spec.study import Study
from harness.spec.trusted_names import trusted_names_only


class Checks(NamedTuple):
    """How a page compares with the study run again."""

    verdicts: int
    numbers: int
    different: list[str]
    """Verdicts and numbers that are not the same, in words."""
    largest: float
    """Largest relative difference of a number."""


def verify_page(page: Path, archive: Path | None, trust: bool, workers: int | None) -> None:
    """Run a report's study again in a store of its own, and say what differs, and why.

    Args:
        page: the report.
        archive: the study as 'harness export' wrote it: runs that it has are not trained again.
        trust: run recorded code that is not what lies in this folder, and whatever the spec names.
        workers: worker processes.

    Raises:
        HarnessError: the page can't be read, or its code may not run.
        SystemExit: something differs by more than rounding explains.
    """
    if not page.exists():
        raise HarnessError(
            f"{page}: no such file" + (f"; {hint}" if (hint := near_file(page)) else "")
        )
    try:
        text = page.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise HarnessError(f"{page}: expected a report: {error}") from None
    there = read_record(text, page)
    tampered = shown_otherwise(text, there)
    here, tolerance = _run_again(there, archive, trust, workers)
    checks = compare_records(there, here, tolerance)
    print(f"{checks.verdicts} verdicts and {checks.numbers} numbers compared; ", end="")
    print(f"largest relative difference {checks.largest:.3g}")
    for line in [*tampered, *checks.different]:
        print(f"  differs: {line}")
    if checks.largest > 0 or checks.different:
        for line in reasons(there, here):
            print(f"  perhaps since: {line}")
    if tampered or checks.different:
        raise SystemExit(1)
    print("equal" if checks.largest == 0 else "equal but for rounding")


def _run_again(
    there: PageRecord, archive: Path | None, trust: bool, workers: int | None
) -> tuple[PageRecord, float]:
    """Return the answer of the page's study as it is found here, and what rounding explains."""
    with temporary_folder("verify") as name:
        folder = Path(name)
        uri = f"sqlite:///{folder / 'mlflow.db'}"
        code = folder / "code"
        if archive is not None:
            _unpack(archive, there, uri, folder)
        elif str(Path.cwd()) not in sys.path:
            sys.path.insert(0, str(Path.cwd()))  # the study's own code lies in this folder
        unseen = find_unseen(code, Path.cwd(), there.spec)
        if unseen:
            review_code(trust, unseen)
        with importable(code), nullcontext() if trust else trusted_names_only():
            study = _study_of(there.spec)
            options = Options(workers=workers, uri=uri, storage=str(folder / "optuna.journal"))
            with choose_display() as display:
                run_study(study, options, display)
            results = load(study.name, uri)
            # by way of its text, as the page's went
            text = record_text(page_record(results, answer_study(results)))
            record = parse_record(text, Path("the answer here"))
        dtypes = {str(arm.recipe.dtype) for arm in results.arms}
    return record, max(TOLERANCE[dtype] for dtype in dtypes)


def _unpack(archive: Path, there: PageRecord, uri: str, folder: Path) -> None:
    """Record an archive's runs in the store, and its code in ``code``."""
    from harness.tracking import Reader
    from harness.tracking.archive import unpack_study
    from harness.tracking.opening import open_experiment

    name = unpack_study(archive, uri).study
    if Reader.of(name, uri).spec() != there.spec:
        raise HarnessError(f"{archive}: expected the study of the page, got another spec")
    experiment = open_experiment(name, uri, create=False)
    owner = experiment.study_run()
    assert owner is not None, "an archive has a study"
    experiment.copy_folder(owner, "code", folder)


def _study_of(spec: Mapping[str, Any]) -> Study:
    from pydantic import ValidationError

    try:
        study = Study.model_validate(spec)
    except ValidationError as error:
        said = explain(error, None, "the page's study", Study)
        raise HarnessError(
            f"the study can't be run here: {said}; its own code must lie in this folder, and what "
            "else it names is run with --trust alone"
        ) from None
    if study.imported is not None:
        raise HarnessError(
            f"study {study.name!r} was trained elsewhere and read from {study.imported.source}: it "
            "can't be run again here"
        )
    return study


def compare_records(there: PageRecord, here: PageRecord, tolerance: float) -> Checks:
    """Compare verdicts and numbers.

    Args:
        there: what the page holds.
        here: what was found here.
        tolerance: relative difference that rounding explains.
    """
    different, largest, numbers = [], 0.0, 0
    mine = {claim.claim: claim for claim in here.claims}
    for claim in there.claims:
        own = mine.get(claim.claim)
        if own is None or own.verdict != claim.verdict:
            found = own.verdict if own else "no such claim"
            different.append(f"{claim.claim}: {claim.verdict} there, {found} here")
    pairs = [(c.claim, c.effect, mine[c.claim].effect) for c in there.claims if c.claim in mine]
    pairs += [(arm, own, here.arms[arm]) for arm, own in there.arms.items() if arm in here.arms]
    for what, then, now in pairs:
        numbers += len(then)
        gap = max(_difference(a, b) for a, b in zip(then, now, strict=True))
        largest = max(largest, gap)
        if gap > tolerance:
            different.append(f"{what}: {_numbers(then)} there, {_numbers(now)} here")
    return Checks(len(there.claims), numbers, different, largest)


def _difference(then: float, now: float) -> float:
    """Return |then − now| / max(|then|, |now|); 0 for equal ones, NaN and infinities among them."""
    if then == now or (math.isnan(then) and math.isnan(now)):
        return 0.0
    if not math.isfinite(then - now):
        return math.inf
    return abs(then - now) / max(abs(then), abs(now))


def _numbers(effect: tuple[float, float, float]) -> str:
    mean, low, high = effect
    return f"{mean:.6g} [{low:.6g}, {high:.6g}]"


def reasons(there: PageRecord, here: PageRecord) -> list[str]:
    """Return what is not as it was when the page was made: engine, code, packages, processor, and
    what the searches froze."""
    then, now = there.made_with, here.made_with
    found = [
        f"{name} {then.get(name) or 'unknown'}, now {now.get(name) or 'unknown'}"
        for name in ("engine", "commit", "dirty", "processor", "python")
        if then.get(name) != now.get(name)
    ]
    found += [
        f"{name} {then['packages'][name]}, now {now['packages'].get(name)}"
        for name in COMPARED_PACKAGES
        if name in then.get("packages", {}) and then["packages"][name] != now["packages"].get(name)
    ]
    found += [
        f"another winner: {place} froze {_values(values)}, now {_values(here.winners[place])}"
        for place, values in there.winners.items()
        if place in here.winners and here.winners[place] != values
    ]
    if not found:
        found = ["nothing is known to be different here: the page's numbers were changed"]
    return found


def _values(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{path} = {value}" for path, value in values.items())
