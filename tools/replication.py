"""Compare the verdicts of studies that were run under several master seeds.

    python tools/replication.py experiments/replication STORE [STORE ...]

The stores hold the same studies, run with different values of ``search.seed``. Written are
``verdicts.csv``, one row a claim with its verdict and effect under each master seed, and
``README.md``, which counts what changed and lists every claim whose verdict did.

All master seeds together take hours, so the table grows over several sittings: what it holds
already is kept, unless a store has the same study under the same seed, or with other claims or
another number of searches.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from harness.analysis.claims import Tested, judge_claims
from harness.analysis.quantities import quantity_of_effect, say
from harness.analysis.results import Results, load
from harness.core.errors import StoreError
from harness.tracking import list_studies

SIDES = {"supported": 1, "smaller than claimed": -1, "opposite": -1}
"""Which way a decided verdict goes."""


class Row(NamedTuple):
    """A claim under each master seed."""

    study: str
    searches: str
    """How many searches the study asks for."""
    claim: str
    verdicts: dict[int, str]
    """By master seed."""
    effects: dict[int, str]

    @property
    def turned(self) -> bool:
        """Whether two seeds decided it in opposite ways."""
        return len({SIDES[v] for v in self.verdicts.values() if v in SIDES}) > 1

    @property
    def changed(self) -> bool:
        """Whether one seed decided it and another did not."""
        return len({v in SIDES for v in self.verdicts.values()}) > 1


def main(folder: Path, stores: Sequence[str]) -> None:
    """Write the tables.

    Args:
        folder: where they go.
        stores: MLflow's tracking URIs, one a master seed.
    """
    table = folder / "verdicts.csv"
    known = _read_csv(table) if table.exists() else []
    rows: list[Row] = []
    for name in sorted({name for store in stores for name in list_studies(store)}):
        by_master = {_master(found): found for found in _finished(name, stores)}
        if by_master and next(iter(by_master.values())).study.search:
            rows += _rows(name, by_master)
    rows = _merge(known, rows)
    masters = sorted({master for row in rows for master in row.verdicts})
    folder.mkdir(parents=True, exist_ok=True)
    _write_csv(table, rows, masters)
    (folder / "README.md").write_text(_page(rows, masters), encoding="utf-8")


def _merge(known: Sequence[Row], new: Sequence[Row]) -> list[Row]:
    """Return the rows of both; where both have a claim, with the seeds of both.

    Of a study that is new, only what asks for the same searches and claims is kept.
    """
    before = {row[:3]: row for row in known}
    judged_again = {row.study for row in new}
    merged = [row for row in known if row.study not in judged_again]
    for row in new:
        old = before.get(row[:3], row)
        merged.append(
            row._replace(
                verdicts=dict(old.verdicts) | row.verdicts, effects=dict(old.effects) | row.effects
            )
        )
    return sorted(merged, key=lambda row: row.study)


def _finished(name: str, stores: Sequence[str]) -> Iterator[Results]:
    """Yield a study's results from each store in which it has been run to its end."""
    for store in stores:
        try:
            yield load(name, store)
        except StoreError:
            continue


def _master(results: Results) -> int:
    """Return the master seed that a study was run with."""
    return results.study.search.seed if results.study.search else 0


def _rows(name: str, by_master: Mapping[int, Results]) -> list[Row]:
    """Return the claims of one study under each master seed."""
    judged = {master: (found, judge_claims(found)) for master, found in by_master.items()}
    return [
        Row(
            name,
            _searches(next(iter(by_master.values()))),
            str(claim),
            {master: tested[i].verdict.verdict for master, (_, tested) in judged.items()},
            {master: _effect(results, tested[i]) for master, (results, tested) in judged.items()},
        )
        for i, claim in enumerate(next(iter(by_master.values())).study.claims)
    ]


def _effect(results: Results, tested: Tested) -> str:
    """Return a claim's effect with its interval, as the report writes it."""
    declared = results.study.recipe.declared
    return say(tested.verdict.effect, quantity_of_effect(tested.claim, declared))


def _searches(results: Results) -> str:
    """Return how many searches a study asks for: one number, or the least and the most."""
    asked = results.study.search.searches if results.study.search else 1
    return str(asked) if isinstance(asked, int) else f"{asked.min} to {asked.max}"


COLUMNS = ("verdict", "effect")


def _write_csv(path: Path, rows: Sequence[Row], masters: Sequence[int]) -> None:
    """Write a row for each claim."""
    head = [f"{what}, seed {master}" for master in masters for what in COLUMNS]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["study", "searches", "claim", *head])
        for row in rows:
            cells = [own.get(m, "") for m in masters for own in (row.verdicts, row.effects)]
            writer.writerow([row.study, row.searches, row.claim, *cells])


def _read_csv(path: Path) -> list[Row]:
    """Return the rows that an earlier sitting wrote."""
    with path.open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    masters = [int(column.rsplit(" ", 1)[1]) for column in table[0] if "verdict, " in column]

    def cells(line: Mapping[str, str], what: str) -> dict[int, str]:
        return {m: line[f"{what}, seed {m}"] for m in masters if line[f"{what}, seed {m}"]}

    return [
        Row(line["study"], line["searches"], line["claim"], *(cells(line, w) for w in COLUMNS))
        for line in table
    ]


def _page(rows: Sequence[Row], masters: Sequence[int]) -> str:
    """Return the page: what was compared, how much changed, and every claim that did."""
    several = [row for row in rows if len(row.verdicts) > 1]
    turned, changed = [r for r in several if r.turned], [r for r in several if r.changed]
    share = 100 * len(changed) / max(1, len(several))
    studies = sorted({row.study for row in several})
    head = [
        "# The same studies under other master seeds",
        "",
        "A master seed (`search.seed`) names samplers' streams, training seeds, splits and confirm "
        "seeds.",
        "All claims are in [verdicts.csv](verdicts.csv), made by `tools/replication.py`.",
        "",
    ]
    if not several:
        return "\n".join([*head, "No study has run in full under a second one yet.", ""])
    lines = [
        *head,
        f"Studies that ran in full under several ({', '.join(map(str, masters))}): "
        f"{', '.join(studies)}.",
        f"Of {len(several)} claims, {len(turned)} were decided in opposite ways; {len(changed)} "
        f"({share:.0f} %) were decided under one seed",
        "and undecided under another.",
        f"By pairs of seeds: {', '.join(_by_pairs(rows, masters))}.",
        "",
        "| study | claim | " + " | ".join(f"seed {master}" for master in masters) + " |",
        "| --- | --- |" + " --- |" * len(masters),
    ]
    for row in (r for r in rows if r.turned or r.changed):
        cells = [
            f"{row.verdicts[m]}, {row.effects[m]}" if m in row.verdicts else "—" for m in masters
        ]
        lines.append("| " + " | ".join([row.study, row.claim, *cells]) + " |")
    return "\n".join(lines) + "\n"


def _by_pairs(rows: Sequence[Row], masters: Sequence[int]) -> Iterator[str]:
    """Yield how many claims each two master seeds decide once and leave undecided once."""
    for one, other in combinations(masters, 2):
        both = [row.verdicts for row in rows if {one, other} <= row.verdicts.keys()]
        changed = sum((own[one] in SIDES) != (own[other] in SIDES) for own in both)
        if both:
            share = 100 * changed / len(both)
            yield f"{changed} of {len(both)} between {one} and {other} ({share:.1f} %)"


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
