"""Compare the verdicts of studies that were run under several master seeds.

    python tools/replication.py experiments/replication STORE STORE STORE

Each store holds the same studies, run with another ``search.seed``. Written are ``verdicts.csv``,
one row a claim with its verdict and effect under each master seed, and ``README.md``, which counts
what changed and lists every claim whose verdict did.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from harness.analysis.claims import judge_claims
from harness.analysis.ranking import show
from harness.analysis.results import Results, load
from harness.core.errors import StoreError
from harness.tracking import list_studies

SIDES = {"supported": 1, "smaller than claimed": -1, "opposite": -1}
"""Which way a decided verdict goes."""


class Row(NamedTuple):
    """A claim under each master seed."""

    study: str
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
    rows: list[Row] = []
    masters: set[int] = set()
    for name in sorted({name for store in stores for name in list_studies(store)}):
        by_master = {_master(found): found for found in _finished(name, stores)}
        if len(by_master) > 1:
            rows += _rows(name, by_master)
            masters |= by_master.keys()
    folder.mkdir(parents=True, exist_ok=True)
    _write_csv(folder / "verdicts.csv", rows, sorted(masters))
    (folder / "README.md").write_text(_page(rows, sorted(masters)), encoding="utf-8")


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
    judged = {master: judge_claims(results) for master, results in by_master.items()}
    return [
        Row(
            name,
            str(claim),
            {master: tested[i].verdict.verdict for master, tested in judged.items()},
            {master: show(tested[i].verdict.effect) for master, tested in judged.items()},
        )
        for i, claim in enumerate(next(iter(by_master.values())).study.claims)
    ]


def _write_csv(path: Path, rows: Sequence[Row], masters: Sequence[int]) -> None:
    """Write a row for each claim."""
    head = [f"{what}, seed {master}" for master in masters for what in ("verdict", "effect")]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["study", "claim", *head])
        for row in rows:
            cells = [own.get(m, "") for m in masters for own in (row.verdicts, row.effects)]
            writer.writerow([row.study, row.claim, *cells])


def _page(rows: Sequence[Row], masters: Sequence[int]) -> str:
    """Return the page: what was compared, how much changed, and every claim that did."""
    turned, changed = [r for r in rows if r.turned], [r for r in rows if r.changed]
    share = 100 * len(changed) / max(1, len(rows))
    lines = [
        "# The same studies under other master seeds",
        "",
        f"Studies so far: {', '.join(dict.fromkeys(row.study for row in rows))}.",
        f"Each ran in full under several master seeds (`search.seed`: "
        f"{', '.join(map(str, masters))}), which",
        "name other samplers' streams, training seeds, splits and confirm seeds. All claims are in",
        "[verdicts.csv](verdicts.csv), made by `tools/replication.py`.",
        "",
        f"Of {len(rows)} claims, {len(turned)} were decided in opposite ways; {len(changed)} "
        f"({share:.0f} %) were decided under one seed",
        "and undecided under another.",
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


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
