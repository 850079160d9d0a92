"""``audit``, ``verdicts`` and ``reproduce``: how far what the store has can be trusted, and what it
says."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from harness.analysis.audit import checks_of
from harness.analysis.results import load
from harness.core.errors import HarnessError
from harness.core.plain_text import copyable
from harness.core.whole_file import write_whole
from harness.report.verdicts import between_marks, verdict_table
from harness.spec.files import PLAIN_SUFFIXES, name_of_spec
from harness.spec.objects import reading_stored
from harness.tracking import Reader, list_studies

SPEC_SUFFIXES = (".py", *PLAIN_SUFFIXES)
"""How the names of specs end; any other text is taken for a study's name."""


@reading_stored()
def show_audit(study: str, store: str | None) -> None:
    """Print each check of a study, with what could have biased it and what to do about that.

    Args:
        study: name of a finished study.
        store: MLflow tracking URI.

    Raises:
        StoreError: the store has no such study, or it has not been run to its end.
    """
    results = load(study, store)
    count = 0
    for name, check in checks_of(results).items():
        findings = list(check(results))
        count += len(findings)
        print(f"{'✗' if findings else '✓'} {name}")
        for finding in findings:
            print(f"    {finding.text}\n    → {finding.advice}")
    print(f"\n{count} finding{'' if count == 1 else 's'} in study {study}")


@reading_stored()
def write_verdicts(
    named: Sequence[str], out: Path | None, into: Path | None, store: str | None
) -> None:
    """Make a table of the claims of some studies.

    Args:
        named: names of studies, or their specs; all finished ones where there are none.
        out: file that the table is written to.
        into: page that the table is put into, between its marks; printed where neither is given.
        store: MLflow tracking URI.

    Raises:
        HarnessError: the page can't be read, or has no marks.
    """
    names = [study_name(given) for given in named] or _finished_studies(store)
    results = [load(name, store) for name in names]
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_whole(out, verdict_table(results))
        print(f"verdicts: {copyable(out)}")
    if into is not None:
        # links from the page to the reports, which are supposed to lie beside ``out``
        folder = Path(os.path.relpath(out.parent if out else "reports", into.parent)).as_posix()
        table = verdict_table(results, f"{folder}/{{}}.html")
        try:
            page = between_marks(into.read_text(encoding="utf-8"), table)
        except (OSError, ValueError) as error:
            raise HarnessError(f"--into {into}: {error}") from None
        write_whole(into, page)
        print(f"verdicts: {copyable(into)}")
    if out is None and into is None:
        print(verdict_table(results), end="")


def _finished_studies(store: str | None) -> list[str]:
    return [name for name in list_studies(store) if Reader.of(name, store).complete()]


def study_name(given: str) -> str:
    """Return a study's name, given as it is or by the file of its spec.

    Raises:
        SpecError: there is no such file, or it holds no study.
    """
    return name_of_spec(Path(given)) if given.endswith(SPEC_SUFFIXES) else given


def show_reproduced(run_id: str, store: str | None, trust: bool = False) -> None:
    """Train a run again and say whether it is the same; end with status 1 if it differs.

    Args:
        run_id: MLflow's id of a training run of any study.
        store: MLflow tracking URI.
        trust: run recorded code that is not what lies in this folder, and whatever the recipe
            names.

    Raises:
        StoreError: the store has no such run.
        HarnessError: its code is not that of this folder, and nobody has agreed to it.
        SystemExit: a point differs by more than rounding explains.
    """
    # it imports torch, which the other commands do without
    from harness.protocol.reproduce import reproduce

    again = reproduce(run_id, store, partial(review_code, trust), any_name=trust)
    largest = ""
    if again.where:
        largest = f"; largest relative difference {again.largest:.3g}, {again.where}"
    print(f"{again.verdict}: {again.points} recorded points compared{largest}")
    for change in again.changed:
        print(f"  not as it was: {change}")
    if again.verdict == "different":
        raise SystemExit(1)


def review_code(trust: bool, unseen: Sequence[object]) -> None:
    """Show recorded code that is not what lies in this folder, and ask whether it may run.

    Args:
        trust: whether that is agreed already.
        unseen: the code.

    Raises:
        HarnessError: it may not, or nobody is there to be asked.
    """
    print("what is recorded has code that you have not here:")
    for code in unseen:
        print(code)
    if trust:
        return
    asked = sys.stdin.isatty() and sys.stdout.isatty()
    if not (asked and input("Run it? [y/N] ").strip().lower() in ("y", "yes")):
        raise HarnessError(
            "nothing was run: the recorded code is not what is in this folder; go to the folder of "
            "the study, or read the code in the store and agree to it with --trust"
        )
