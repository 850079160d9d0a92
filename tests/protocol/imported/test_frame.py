"""Runs trained elsewhere, judged: as the study that they came from, as SciPy does, and with what can't be known said."""

import math

import numpy as np
import pandas as pd
import pytest
import scipy.stats

import harness as h
from harness.analysis.audit import audit
from harness.analysis.ranking import rank
from harness.analysis.values import values_of
from harness.cli import main
from harness.core.errors import HarnessError, NoStudyError, SpecError
from harness.protocol.reproduce import reproduce
from harness.protocol.run import Options, run_study
from tests.analysis import made
from tests.protocol.imported.tables import closing, curves
from tests.studies import small


def checks(results):
    return {finding.check for finding in audit(results)}


def verdicts(results):
    return [(own.verdict, own.look.shape, own.sentence) for own in results.verdicts()]


def test_a_study_that_is_exported_and_imported_has_the_same_answer(folder):
    fixed = {"A": h.SGD(lr=0.1), "B": h.SGD(lr=0.02), "C": h.Adam(lr=0.01)}
    claims = [
        h.Claim.better("A", than="B"),
        h.Claim.equal("A", than="C", margin=0.05),
        h.Claim.faster("C", than="B", to=("valid/loss", 1.0)),
        h.Claim.below("A", 2.0, on="mean/valid/loss"),
    ]
    study = small(compare={"optimizer": fixed}, search=None, seeds=5, claims=claims)
    run_study(study, Options(workers=0))
    own = h.results.load("small")
    closes = own.confirmed[["arm", "seed", "test/loss", "valid/loss", "train/loss"]]
    curve = own.confirmed_curves.drop(columns=["run_id", "stage", "search", "trial", "seconds"])
    table = pd.concat([curve, closes])
    read = h.Study.from_frame(table, name="again", claims=claims, metric="test/loss")
    assert verdicts(read) == verdicts(own)
    for one, other in zip(
        rank(read, "test/loss", False), rank(own, "test/loss", False), strict=True
    ):
        assert one.interval == other.interval and one.p == other.p and one.arm == other.arm
    same = ["arm", "seed", "step", "epoch", "samples", "valid/loss", "train/loss"]
    pd.testing.assert_frame_equal(read.confirmed_curves[same], own.confirmed_curves[same])


def test_searches_make_verdicts_of_methods(folder):
    rng = np.random.default_rng(0)
    values = {
        arm: {"test/loss": list(rng.normal(level, 0.1, 20))}
        for arm, level in zip("AB", (1, 2), strict=True)
    }
    claims = [h.Claim.better("A", than="B")]
    spec = {"search": h.Search(trials=4, searches=5), "claims": claims, "seeds": 4}
    own = made.tuned(values=values, spec=spec)
    table = own.confirmed[["arm", "search", "seed", "test/loss"]]
    table = table.assign(seed=table["seed"] % 100_000)
    read = h.Study.from_frame(table, name="methods", claims=claims)
    assert read.study.scope == own.study.scope == "method"
    assert verdicts(read) == verdicts(own)


def test_a_paired_t_test_is_scipys(folder):
    a, b = np.random.default_rng(1).normal([[1.0], [0.9]], 0.1, (2, 8))
    results = h.Study.from_frame(
        closing(A=a, B=b), name="t", claims=[h.Claim.better("B", than="A")]
    )
    (tested,) = results.verdicts()
    theirs = scipy.stats.ttest_rel(a, b)
    # one look takes four fifths of the risk: its interval has 96 %, and p is raised by as much
    assert tested.verdict.p == pytest.approx(theirs.pvalue * 0.05 / 0.04)
    interval = theirs.confidence_interval(0.96)
    assert tested.verdict.effect[1:] == pytest.approx((interval.low, interval.high))


def test_runs_that_are_missing_have_no_partner(folder):
    table = closing(A=[1.0, 2.0, 3.0, 4.0, 5.0], B=[1.5, 2.2, 3.9, 4.1, 5.4, 60.0])
    results = h.Study.from_frame(table, name="t", claims=[h.Claim.better("A", than="B")])
    (tested,) = results.verdicts()
    low, high = scipy.stats.ttest_rel(
        [1.5, 2.2, 3.9, 4.1, 5.4], [1.0, 2.0, 3.0, 4.0, 5.0]
    ).confidence_interval(0.96)
    assert tested.verdict.effect[1:] == pytest.approx((low, high))
    assert "missing runs" in checks(results)
    (text,) = [f.text for f in audit(results) if f.check == "missing runs"]
    assert "A: 5 of 6, B: 6 of 6" in text
    with pytest.raises(SpecError, match="same seeds of every arm"):
        speed = h.Claim.faster("A", than="B", to=("test/loss", 0.5))
        h.Study.from_frame(table, name="u", claims=[speed])


def test_arms_with_a_run_each_are_shown_and_nothing_is_decided(folder):
    claims = [h.Claim.better("A", than="B")]
    results = h.Study.from_frame(closing(A=[1.0], B=[2.0]), name="one", claims=claims)
    (tested,) = results.verdicts()
    assert tested.verdict.verdict == "undecided"
    assert "one" in results.report("reports").read_text()


def test_a_nan_counts_as_diverged_which_is_said(folder):
    table = closing(A=[1.0, 1.1, 0.9, 1.0, 1.05, 1.0], B=[1.0, *[math.nan] * 4, math.inf])
    results = h.Study.from_frame(table, name="bad", claims=[h.Claim.better("A", than="B")])
    assert list(results.by_arm["B"]["status"]) == ["finished"] + ["diverged"] * 5
    assert np.isinf(values_of(results, "B", "test/loss")[0, 1:]).all()
    assert results.verdicts()[0].verdict.verdict == "supported"  # by how many ended well
    assert "taken as diverged" in checks(results)


def test_what_cannot_be_known_is_said(folder):
    results = h.Study.from_frame(curves(), name="said", arm="optimizer")
    assert checks(results) == {
        "tuning not known", "one search", "choices not known", "pairing assumed",
    }  # fmt: skip
    page = results.report("reports").read_text()
    assert "trained elsewhere" in page and "never saw the test data" not in page
    assert "harness reproduce" not in page.partition("<script")[0]
    apart = curves().assign(seed=lambda table: table["seed"] + 10 * (table["optimizer"] == "SGD"))
    short = apart[(apart["optimizer"] != "Muon") | (apart["step"] < 30)]
    found = checks(h.Study.from_frame(short, name="apart", arm="optimizer"))
    assert {"not paired", "unequal lengths"} <= found


def test_the_same_runs_are_recorded_once_and_more_of_them_are_another_look(folder):
    table, claims = curves(), [{"kind": "better", "arm": "Adam", "than": "SGD", "on": "val_loss"}]
    first = h.Study.from_frame(table, name="grows", arm="optimizer", claims=claims)
    again = h.Study.from_frame(table, name="grows", arm="optimizer", claims=claims)
    assert list(again.runs["run_id"]) == list(first.runs["run_id"])
    assert verdicts(again) == verdicts(first)
    more = h.Study.from_frame(curves(seeds=8), name="grows", arm="optimizer", claims=claims)
    # runs of seed 0 are the same ones: SGD's first rows do not depend on how many seeds there are
    assert [(look.searches, look.seeds) for look in more.looks_shown] == [(1, 5), (1, 8)]
    assert more.looks_shown[1].level < 0.05 - more.looks_shown[0].level
    late = "claim said afterwards"
    assert late not in checks(more)
    other = [{"kind": "better", "arm": "SGD", "than": "Adam", "on": "val_loss"}]
    turned = h.Study.from_frame(curves(seeds=8), name="grows", arm="optimizer", claims=other)
    assert late in checks(turned), "the runs were shown before it was claimed"


def test_a_study_that_was_trained_is_not_written_over(folder):
    study = small(compare={}, search=None, claims=[])
    run_study(study, Options(workers=0))
    with pytest.raises(SpecError, match="a study that was trained called"):
        h.Study.from_frame(closing(A=[1.0], B=[2.0]), name="small")
    assert len(h.results.load("small").runs) == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"metric": "f1"}, "metric: no run has 'run/f1'"),
        ({"claims": [h.Claim.better("A", than="B", on="valid/loss")]}, "no run has 'valid/loss'"),
        ({"claims": [h.Claim.better("A", than="C")]}, "unknown arm 'C'"),
        ({"name": "a/b"}, "name"),
        ({"name": None}, "expected a name"),
        ({"steps": "x"}, "Study.from_frame: unknown option 'steps': did you mean 'step'"),
        ({"metrics": ["tset/loss"]}, "unknown metric 'tset/loss': did you mean 'test/loss'"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written(folder, options, said):
    with pytest.raises(SpecError, match=said):
        h.Study.from_frame(closing(A=[1.0], B=[2.0]), **{"name": "wrong", **options})
    with pytest.raises(NoStudyError):
        h.results.load("wrong")


def test_the_direction_of_a_metric_that_nobody_knows_is_asked_for(folder):
    table = closing(A=[30.0, 31.0, 29.0, 30.5], B=[20.0, 21.0, 19.5, 20.0])
    table = table.rename(columns={"test/loss": "test_bleu"})
    with pytest.raises(SpecError, match=r"say it: larger_is_better=\{'bleu': True\}"):
        h.Study.from_frame(table, name="bleu")
    said = {"test_bleu": True}
    claims = [{"kind": "better", "arm": "A", "than": "B"}]
    results = h.Study.from_frame(table, name="bleu", larger_is_better=said, claims=claims)
    assert results.verdicts()[0].verdict.effect.mean == pytest.approx(10.0)
    assert [place.arm for place in rank(results, "test/bleu", True)] == ["A", "B"]
    assert "A ends with a better test bleu than B" in results._repr_html_()
    for wrong, text in (({"test_bley": True}, "did you mean"), ({"loss": True}, "no run has")):
        with pytest.raises(SpecError, match=text):
            h.Study.from_frame(table, name="bleu", larger_is_better=wrong)


def test_an_imported_study_is_neither_trained_nor_reproduced(folder):
    results = h.Study.from_frame(closing(A=[1.0], B=[2.0]), name="there")
    with pytest.raises(SpecError, match="its runs were trained elsewhere"):
        run_study(results.study, Options(workers=0))
    with pytest.raises(HarnessError, match="it was trained elsewhere"):
        reproduce(results.runs["run_id"][0])


def command(monkeypatch, capsys, *words):
    monkeypatch.setattr("sys.argv", ["harness", *words])
    try:
        main()
        status = 0
    except SystemExit as end:
        status = end.code or 0
    return status, capsys.readouterr()


def test_a_csv_becomes_a_report_by_one_command(folder, monkeypatch, capsys):
    curves().to_csv("runs.csv", index=False)
    told = ["--column", "arm=optimizer"]
    sentence = "Adam better than SGD on val_loss by 0.01"
    status, out = command(monkeypatch, capsys, "import", "runs.csv", *told, "--claim", sentence)
    assert status == 0 and "15 runs of 3 arms" in out.out
    assert "supported: Adam ends with a better valid/loss than SGD by more than 0.01" in out.out
    assert "runs.csv" in (folder / "reports" / "runs.html").read_text()
    status, out = command(monkeypatch, capsys, "audit", "runs")
    assert status == 0 and "✗ how arms were tuned" in out.out and "✓ runs of one length" in out.out
    (folder / "latin.csv").write_text("arm,loss\nZürich,1\n", encoding="latin-1")
    for words, said in (
        (["runs.csv"], "none called 'arm'"),
        (["gone.csv"], "no such file"),
        (["latin.csv"], "expected latin.csv in UTF-8, got the byte 0xfc"),
        (["runs.csv", *told, "--claim", "Adam beats SGD"], "expected 'A better than B"),
        (["runs.csv", "--column", "arms=optimizer"], "--column: expected arm="),
        (["runs.csv", "--from", "excel"], "--from: expected table, mlflow, wandb"),
    ):
        status, out = command(monkeypatch, capsys, "import", *words)
        assert status == 2 and said in out.err, words


def test_accuracies_in_percent_are_refused_since_they_would_be_read_as_shares(folder):
    table = closing(A=[0.1, 0.2], B=[0.2, 0.3]).rename(columns={"test/loss": "test_acc"})
    table["test_acc"] *= 100
    said = r"arm 'A', seed 0: expected test/accuracy from 0 to 1, got 10; divide percent by 100"
    with pytest.raises(SpecError, match=said):
        h.Study.from_frame(table, name="percent")


@pytest.mark.parametrize("separator", [",", ";", "|"])
def test_a_csv_is_read_whatever_parts_its_columns(folder, separator):
    values = [1.0, 1.5, 2.0, 2.5]
    closing(A=values, B=values).to_csv("runs.csv", index=False, sep=separator)
    read = h.Study.from_frame("runs.csv", name="read").confirmed
    assert sorted(read["test/loss"]) == sorted(values * 2)
