"""Where pages lie, when they are written anew, and that they are whole."""

import json
import os

import pytest

from harness.core.whole_file import write_whole
from harness.report.index import is_current, made_of, page_of, write_index
from harness.report.library import place_of


def page(path, **about):
    path.write_text(f'<script type="application/json" id="about">{json.dumps(about)}</script>')


def test_a_page_is_current_for_the_answer_and_version_that_it_was_made_of(tmp_path):
    assert not is_current(tmp_path, "s", "abc")
    page(tmp_path / "s.html", name="s", verdicts=[], made_of=made_of("abc"))
    assert not is_current(tmp_path, "s", "abc"), "a kill has left the folder without an index"
    index = write_index(tmp_path)
    assert is_current(tmp_path, "s", "abc") and not is_current(tmp_path, "s", "abd")
    assert not is_current(tmp_path, "s", "")  # an answer that is not whole
    os.utime(index, ns=(0, 0))  # a kill has left the index of before
    assert not is_current(tmp_path, "s", "abc")
    write_index(tmp_path)
    page(tmp_path / "s.html", name="s", verdicts=[])  # a page of an older version
    assert not is_current(tmp_path, "s", "abc")
    (tmp_path / "s.html").write_text("")  # a write that was cut off
    assert not is_current(tmp_path, "s", "abc")


def test_names_that_differ_in_case_or_blanks_have_files_of_their_own(tmp_path):
    names = ["my study", "My study", "my-study", "MY STUDY"]
    for name in names:
        page(page_of(tmp_path, name), name=name)
    assert len({page_of(tmp_path, name) for name in names}) == len(names)
    assert page_of(tmp_path, "my study").name == "my-study.html"


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "page.html"
    write_whole(path, "old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, "new")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_file_is_as_readable_as_others(tmp_path):
    path, other = tmp_path / "page.html", tmp_path / "other"
    other.write_text("")
    assert write_whole(path, "é") == 2
    assert path.stat().st_mode == other.stat().st_mode and path.read_text(encoding="utf-8") == "é"


def test_pages_of_ones_own_lie_apart_from_published_ones(tmp_path):
    assert place_of(tmp_path) == tmp_path
    (tmp_path / "plotly-4.1.1.js").write_text("")
    assert place_of(tmp_path) == tmp_path / "local"
    assert place_of(tmp_path, published=True) == tmp_path
    assert place_of(tmp_path / "local") == tmp_path / "local"
