"""What a report holds for ``harness verify``: its spec, its exact numbers and what made them; and
what of it a reader sees."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from harness.analysis.answer import Answer
from harness.analysis.quantities import quantity_of_effect, say
from harness.analysis.results import Results
from harness.core.errors import HarnessError
from harness.spec.keys import ENGINE

_RECORD = re.compile(r'<script type="application/json" id="record">(.*?)</script>', re.DOTALL)
MADE_WITH = ("commit", "dirty", "python", "processor")
"""What a page says of the machine and code, beside the versions of packages."""


class ClaimRecord(NamedTuple):
    """What became of a claim."""

    claim: str
    verdict: str
    effect: tuple[float, float, float]
    """Mean, low and high."""
    shown: str
    """As the page shows the effect."""


class PageRecord(NamedTuple):
    """A study's answer in numbers."""

    spec: Mapping[str, Any]
    made_with: Mapping[str, Any]
    """Engine, commit, packages, processor."""
    headline: str
    claims: tuple[ClaimRecord, ...]
    arms: Mapping[str, tuple[float, float, float]]
    """What arms are ranked by: mean, low and high."""
    winners: Mapping[str, Mapping[str, Any]]
    """What each search froze: values of what was searched, by arm and search."""


def page_record(results: Results, answer: Answer) -> PageRecord:
    """Return a study's answer in numbers.

    Args:
        results: of a finished study.
        answer: its answer.
    """
    declared, environment = results.study.recipe.declared, results.environment
    claims = tuple(
        ClaimRecord(
            str(tested.claim),
            tested.verdict.verdict,
            (*tested.verdict.effect,),
            say(tested.verdict.effect, quantity_of_effect(tested.claim, declared)),
        )
        for tested in answer.claims
    )
    made_with = {name: environment.get(name, "") for name in MADE_WITH}
    packages = environment.get("packages", {})
    arms = {place.arm: (*place.interval,) for place in answer.ranking}
    return PageRecord(
        results.spec,
        {"engine": ENGINE, **made_with, "packages": packages},
        answer.headline,
        claims,
        arms,
        _winners(results),
    )


def _winners(results: Results) -> dict[str, dict[str, Any]]:
    """Return the values that each search froze, by arm and search in words."""
    trials, found = results.trials, {}
    for arm, frozen in results.winners.items():
        for winner in frozen:
            own = trials[
                (trials["arm"] == arm)
                & (trials["search"] == winner.search)
                & (trials["trial"] == winner.trial)
            ].drop(columns=["arm", "search", "trial", "status", "value"])
            for row in own.to_dict("records"):
                # NaN: the arm does not search it
                values = {str(path): v for path, v in row.items() if pd.notna(v)}
                found[f"{arm}, search {winner.search}"] = values
    return found


def record_text(record: PageRecord) -> str:
    """Return a record as the page holds it; JSON's numbers are exact."""
    claims = [claim._asdict() for claim in record.claims]
    return json.dumps({**record._asdict(), "claims": claims}, default=str)


def read_record(text: str, path: Path) -> PageRecord:
    """Return what a page holds.

    Args:
        text: the page.
        path: its file, for errors.

    Raises:
        HarnessError: it holds nothing of the kind.
    """
    found = _RECORD.search(text)
    if found is None:
        raise HarnessError(
            f"{path}: expected a report that this version or a later one wrote, got a page without "
            "a record of its numbers; write it again from its store with 'harness report STUDY'"
        )
    return parse_record(found[1], path)


def parse_record(text: str, path: Path) -> PageRecord:
    """Return the record that :func:`record_text` wrote.

    Raises:
        HarnessError: it has another form.
    """
    try:
        plain = json.loads(text)
        claims = tuple(ClaimRecord(**claim) for claim in plain.pop("claims"))
        return PageRecord(**plain, claims=claims)
    except (ValueError, TypeError, KeyError) as error:
        raise HarnessError(f"{path}: its record can't be read: {error}") from None


def shown_otherwise(text: str, record: PageRecord) -> list[str]:
    """Return where what a reader sees of a page is not what its record holds.

    Args:
        text: the page.
        record: what it holds.
    """
    seen = _Seen(text)
    said = []
    if seen.headline != " ".join(record.headline.split()):
        said.append(f"the page answers {seen.headline!r}, its record {record.headline!r}")
    rows = {claim: (verdict, effect) for claim, verdict, effect in seen.claims}
    for claim in record.claims:
        there = rows.get(claim.claim)
        wanted = (claim.verdict, " ".join(claim.shown.split()))
        if there != wanted:
            shown = " ".join(there) if there else "nothing"
            said.append(f"{claim.claim}: the page shows {shown}, its record {' '.join(wanted)}")
    return said


class _Seen(HTMLParser):
    """The headline and the rows of claims that a page shows."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headline = ""
        self.claims: list[tuple[str, str, str]] = []
        """Claim by its recorded names, verdict and effect."""
        self._claim, self._verdict = "", ""
        self._into: list[str] | None = None
        self._tag = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        kind = given.get("class", "")
        if tag == "span" and kind.startswith("verdict "):
            self._verdict = kind.removeprefix("verdict ")
        elif tag == "span" and kind == "claim":
            self._claim = given.get("title", "")
        elif (tag, kind) in (("p", "answer"), ("span", "effect")) and (
            tag == "p" or given.get("role") == "cell"
        ):
            self._into, self._tag = [], tag

    def handle_data(self, data: str) -> None:
        if self._into is not None:
            self._into.append(data)

    def handle_endtag(self, tag: str) -> None:
        if self._into is None or tag != self._tag:
            return
        text, self._into = " ".join("".join(self._into).split()), None
        if tag == "p":
            self.headline = self.headline or text
        else:
            self.claims.append((self._claim, self._verdict, text))
