"""``audit`` and ``verdicts``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness import results
from harness.core.errors import HarnessError


def show_audit(study: str, store: str | None) -> None:
    """Print what could have biased a study, and what holds."""
    from harness.analysis.audit import CHECKS

    found = results.load(study, store)
    wrong = 0
    for name, check in CHECKS.items():
        findings = list(check(found))
        wrong += len(findings)
        print(f"{'✗' if findings else '✓'} {name}")
        for finding in findings:
            print(f"    {finding.text}\n    → {finding.advice}")
    print(f"\n{wrong} finding{'' if wrong == 1 else 's'} in study {study}")


def write_verdicts(
    studies: Sequence[str], out: Path | None, into: Path | None, store: str | None
) -> None:
    """Print the claims of some studies as a table, write it to a file, or put it between a page's marks."""
    from harness.report.verdicts import between_marks, verdict_table
    from harness.tracking import Store
    from harness.tracking import studies as all_studies

    names = [_name(given) for given in studies]
    names = names or [
        name for name in all_studies(store) if Store(name, store, create=False).complete()
    ]
    found = [results.load(name, store) for name in names]
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(verdict_table(found), encoding="utf-8")
        print(f"verdicts: {out}")
    if into is not None:
        folder = (out.parent if out else Path("reports")).as_posix()
        try:
            text = between_marks(
                into.read_text(encoding="utf-8"), verdict_table(found, f"{folder}/{{}}.html")
            )
        except (OSError, ValueError) as error:
            raise HarnessError(f"--into {into}: {error}") from None
        into.write_text(text, encoding="utf-8")
        print(f"verdicts: {into}")
    if out is None and into is None:
        print(verdict_table(found), end="")


def _name(given: str) -> str:
    """Return a study's name, given as it is or by its spec."""
    if not given.endswith((".py", ".yaml", ".yml", ".json")):
        return given
    from harness.spec.files import load_study

    return load_study(Path(given)).name


def show_reproduced(run_id: str, store: str | None) -> None:
    """Train a run again and say whether it is the same."""
    from harness.protocol.reproduce import reproduce

    found = reproduce(run_id, store)
    print(f"{found.verdict}: {found.points} recorded points compared", end="")
    print(
        f"; largest relative difference {found.largest:.3g}, {found.where}" if found.where else ""
    )
    for change in found.changed:
        print(f"  not as it was: {change}")
    if found.verdict == "different":
        raise SystemExit(1)
