"""What notebooks show of studies, results and verdicts: the numbers, and names that can't do anything."""

import harness as h
from harness.stats import Interval, Verdict
from tests.analysis import made

EVIL = "<script>alert(1)</script>"


def test_results_show_ranking_and_verdicts():
    values = {
        arm: {"test/loss": [0.1 * i + level for i in range(5)]}
        for arm, level in (("A", 1), (EVIL, 2))
    }
    spec = made.study(
        compare={"optimizer": {"A": h.SGD(lr=0.1), EVIL: h.SGD(lr=0.2)}},
        seeds=5,
        claims=[h.Claim.better("A", than=EVIL)],
    )
    results = made.results(spec, values, statuses={(EVIL, 0): "diverged"})
    page = results._repr_html_()
    assert "<script" not in page and "&lt;script&gt;" in page
    assert "<td>A</td><td>1.20 [" in page and "<td>5 (1 diverged or failed)</td>" in page
    verdict = results.verdicts()[0].verdict
    assert f"<b>{verdict.verdict}</b>" in page
    shown = results.verdicts()._repr_html_()
    assert "<script" not in shown and shown in page
    assert str(results.verdicts()).startswith(f"{verdict.verdict}: A ends with")


def test_a_first_look_shows_no_p():
    values = {arm: {"test/loss": [1.0, 1.1, 0.9]} for arm in "ABC"}
    spec = made.study(first_look=True, seeds=3, claims=[h.Claim.better("A", than="B")])
    page = made.results(spec, values)._repr_html_()
    assert "first look" in page and "p =" not in page and "<th>p</th>" not in page


def test_a_study_shows_its_arms_and_spaces():
    compare = {"optimizer": {EVIL: h.SGD(lr=h.LogUniform(0.01, 1.0)), "B": h.SGD(lr=0.1)}}
    page = made.study(compare=compare, search=h.Search(trials=4), question=EVIL)._repr_html_()
    assert "<script" not in page and "optimizer.lr: LogUniform(0.01, 1.0)" in page
    assert "2 arms" in page


def test_a_verdict_shows_its_word_effect_and_p():
    shown = Verdict("supported", Interval(0.123456, 0.1, 0.2), 0.01234)._repr_html_()
    assert shown == "<b>supported</b>: 0.1235 [0.1, 0.2], p = 0.0123"
