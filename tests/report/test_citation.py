"""A report's id: the same for the same spec, code and numbers, another where any of them differs."""

import pytest

from harness import results
from harness.protocol.run import Options, run_study
from harness.report.citation import cite, latex, permanent_id
from tests.studies import small


@pytest.fixture
def made(folder):
    run_study(small(), Options(workers=0))
    return results.load("small")


def test_the_id_follows_from_what_was_found_and_not_from_when_or_where(made, tmp_path, monkeypatch):
    first = permanent_id(made)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    run_study(small(), Options(workers=0))
    again = results.load("small")
    assert set(again.runs["run_id"]).isdisjoint(made.runs["run_id"])
    assert permanent_id(again) == first
    again.runs.loc[again.runs.index[0], "valid/loss"] += 1e-12
    assert permanent_id(again) != first
    made.spec = {**made.spec, "question": "another"}
    assert permanent_id(made) != first


def test_a_citation_has_the_id_and_is_valid_bibtex(made):
    cited = cite(made)
    assert len(cited.id) == 16 and cited.id in cited.line and cited.id in cited.bibtex
    assert cited.bibtex.startswith("@misc{small-") and cited.bibtex.endswith("\n}")
    assert cited.bibtex.count("{") == cited.bibtex.count("}")
    assert latex("a_b & 5 % {x} \\ ^") == r"a\_b \& 5 \% \{x\} \textbackslash{} \textasciicircum{}"
