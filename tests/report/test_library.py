"""plotly.js beside published reports."""

from harness.report.library import plotly_source, shared_name, write_shared
from harness.report.page import render, write_report
from tests.report.pages import assert_safe, figures, finished, many, unpacked


def test_a_published_report_is_the_same_page_without_plotly(folder):
    results = finished(many(["a", "b"]))
    whole, shared = assert_safe(render(results)), assert_safe(render(results, published=True))
    assert figures(shared) == figures(whole)
    # the two differ only in what would be said if plotly.js could not be run
    words, shared_words = (set(" ".join(page.shown).split()) for page in (whole, shared))
    assert words - shared_words == {"plotly.js."}
    assert [load for load in shared.loads if load.endswith(".js")] == [shared_name()]
    assert [load for load in whole.loads if load.endswith(".js")] == []


def test_the_shared_file_holds_plotly_and_is_written_once(tmp_path):
    path = write_shared(tmp_path)
    assert unpacked(path.read_text().split('"')[1]) == plotly_source()
    before = path.stat().st_mtime_ns
    assert write_shared(tmp_path) == path and path.stat().st_mtime_ns == before


def test_the_file_of_another_version_is_kept_as_long_as_a_page_needs_it(folder, tmp_path):
    old = tmp_path / "plotly-1.2.3.js"
    page = tmp_path / "old.html"
    old.write_text("")
    page.write_text(f'<script defer src="{old.name}"></script>')
    results = finished(many(["a"]))
    write_report(results, tmp_path, published=True)
    assert old.exists()
    page.unlink()
    write_report(results, tmp_path, published=True)
    assert sorted(path.name for path in tmp_path.glob("*.js")) == [shared_name()]
