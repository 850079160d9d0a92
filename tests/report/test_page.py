"""The page: complete with one arm and with thirty, the same for the same results, and nothing from the network."""

from __future__ import annotations

import re

import pytest

import harness as h
from harness.report.compare import write_comparison
from harness.report.page import render, write_report
from harness.report.style import HUES, assign_looks
from tests.report.pages import Page, assert_safe, figures, finished, many, run_rows
from tests.studies import small


def test_page_of_a_tuned_study(folder):
    results = finished(small())
    text = render(results)
    page = assert_safe(text)
    assert text == render(results), "the same results give the same bytes"
    assert len(figures(page)) >= 4
    shown = " ".join(page.shown)
    assert "Which is better?" in shown and "Adam ends with a better" in shown
    assert {cells[-1] for cells in run_rows(page)} == set(results.runs["run_id"])


def test_the_page_tells_what_should_be_known_of_the_data(folder):
    recipe = h.Recipe(
        data="tests.data.given.grouped", model=h.Linear(), optimizer=h.SGD(lr=0.1), epochs=1
    )
    results = finished(h.Study(name="noted", recipe=recipe, seeds=1))
    assert results.notes == ("data tests.data.given.grouped: no group of 'groups' is in two parts",)
    page = assert_safe(render(results))
    assert "no group of 'groups' is in two parts" in " ".join(page.shown)


@pytest.mark.parametrize("count", [1, 2, 30])
def test_any_number_of_arms(folder, count):
    results = finished(many([f"arm {i:02d}" for i in range(count)]))
    page = assert_safe(render(results))
    rows = [
        figure
        for figure in figures(page)
        if figure["layout"]["xaxis"].get("title", {}).get("text") == "test loss"
    ]
    assert len(rows) == 1 and len(rows[0]["data"]) == 2 * count
    look = assign_looks([f"arm {i:02d}" for i in range(count)])
    told_apart = [own for own in look.values() if not own.is_rest]
    assert len(set(told_apart)) == len(told_apart) == (count if count < 30 else len(HUES))
    assert ('name="bands" checked' in render(results)) == (count < 30)


def test_one_arm_without_a_search_or_factors(folder):
    study = many(["x"], compare={}, seeds=1)
    page = assert_safe(render(finished(study)))
    assert figures(page)


def test_all_arms_diverged(folder):
    recipe = h.Recipe(
        data="digits", model=h.MLP(widths=(8,)), optimizer=h.SGD(lr=1e9), loss="mse", epochs=2
    )
    study = many(
        ["a", "b"], recipe=recipe, compare={"optimizer": {"a": h.SGD(lr=1e9), "b": h.SGD(lr=1e8)}}
    )
    results = finished(study)
    assert set(results.confirmed["status"]) == {"diverged"}
    page = assert_safe(render(results))
    assert "diverged" in " ".join(page.shown)


def test_index_lists_every_report_with_its_answer(folder):
    reports = folder / "reports"
    both = [
        finished(many(["x", "y"], name=name, question=f"What of {name}?"))
        for name in ("first", "second")
    ]
    for results in both:
        write_report(results, reports)
    write_comparison(both, reports)
    (reports / "mine.html").write_text("<html>somebody's notes</html>")
    page = Page((reports / "index.html").read_text())
    assert [load for load in page.loads if load.endswith(".html")] == [
        "first.html",
        "second.html",
        "compare-first-second.html",
    ]
    assert "first · second" in page.shown and "What of second?" in " ".join(page.shown)


def test_the_page_shows_the_audit_the_diagnostics_and_the_failures(folder):
    wild = many(["mild", "wild"], compare={"optimizer": {"mild": h.SGD(lr=0.1), "wild": h.SGD(lr=1e9)}}, probes=["light"], seeds=3,
                recipe=h.Recipe(data="iris", model=h.MLP(widths=(4,), activation="identity"), loss="mse", optimizer=h.SGD(lr=0.1), epochs=12),
                claims=[h.Claim.equal("mild", than="wild", margin=0.1)])  # fmt: skip
    page = assert_safe(render(finished(wild)))
    shown = " ".join(page.shown)
    assert "Checked and found right: no run failed; equal budgets" in shown
    assert any("loss not finite at step" in cell for cells in run_rows(page) for cell in cells)
    right = re.search(r"Checked and found right: ([^.]*)\.", shown)[1]
    assert "undecided" in shown and "claims decided" not in right, "no check is found and fine"
    assert "Diagnostics" in shown and "GradientNorm" in shown and "Gradient by layer" in shown
