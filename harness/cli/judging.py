"""``audit`` and ``verdicts``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness import results


def show_audit(study: str, store: str | None) -> None:
    """Print what could have biased a study, and what holds."""
    from harness.answer.audit import CHECKS

    found = results.load(study, store)
    wrong = 0
    for name, check in CHECKS.items():
        findings = list(check(found))
        wrong += len(findings)
        print(f"{'✗' if findings else '✓'} {name}")
        for finding in findings:
            print(f"    {finding.text}\n    → {finding.advice}")
    print(f"\n{wrong} finding{'' if wrong == 1 else 's'} in study {study}")


def write_verdicts(studies: Sequence[str], out: Path | None, store: str | None) -> None:
    """Print the claims of some studies as a table, or write it to a file."""
    from harness.report.verdicts import verdict_table
    from harness.tracking import Store
    from harness.tracking import studies as all_studies

    names = studies or [name for name in all_studies(store) if Store(name, store, create=False).complete()]
    text = verdict_table(results.load(name, store) for name in names)
    if out is None:
        print(text, end="")
    else:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
        print(f"verdicts: {out}")
