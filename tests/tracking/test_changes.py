"""What is recorded of a user's uncommitted work: their repository's, without secrets and data."""

import subprocess
import sys

import pytest

from harness.tracking import changes
from harness.tracking.changes import (
    NO_PAGES,
    git_output,
    in_checkout,
    own_folder,
    recorded_changes,
)


def git(folder, *arguments):
    who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path):
    git(tmp_path, "init")
    for name in ("spec.py", "my secrets.txt", ".env", "data.csv", "deep/é.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("old\n")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "-m", "first")
    return tmp_path


def test_nothing_is_recorded_without_changes_or_a_repository(repository, tmp_path_factory):
    assert recorded_changes(repository) == ""
    assert recorded_changes(tmp_path_factory.mktemp("plain")) == ""


def test_code_is_recorded_and_secrets_and_data_are_named_alone(repository):
    (repository / "spec.py").write_text("new code\n")
    (repository / "deep/é.py").write_text("deep code\n")
    (repository / ".env").write_text("KEY=hidden-1\n")
    (repository / "my secrets.txt").write_text("hidden-2\n")
    (repository / "data.csv").write_text("1,2,3\n" * 100_000)
    for folder in (repository, repository / "deep"):
        text = recorded_changes(folder)
        assert "+new code" in text and "+deep code" in text and len(text) < 3000
        assert "hidden" not in text and "1,2,3" not in text
        for name in (".env", "my secrets.txt", "data.csv"):
            assert f"# left out: {name} (" in text


def test_a_patch_that_applies_again(repository):
    (repository / "spec.py").write_text("new code\n")
    patch = recorded_changes(repository)
    git(repository, "checkout", ".")
    subprocess.run(["git", "apply"], cwd=repository, input=patch.encode(), check=True)
    assert (repository / "spec.py").read_text() == "new code\n"


def test_the_whole_is_capped(repository, monkeypatch):
    monkeypatch.setattr(changes, "LIMIT", 300)
    for name in ("spec.py", "deep/é.py"):
        (repository / name).write_text("x" * 100 + "\n")
    assert recorded_changes(repository).count("# left out") == 1


def test_an_installed_package_is_not_the_repository_around_it(repository):
    (repository / "venv").mkdir()
    (repository / "venv" / "module.py").write_text("")
    assert in_checkout(repository / "deep") and not in_checkout(repository / "venv")


def test_the_spec_s_folder_is_the_first_on_the_path(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "path", [str(tmp_path), "elsewhere"])
    assert own_folder() == tmp_path.resolve()


def test_reports_are_results_and_no_changes(repository):
    pages = repository / "reports"
    pages.mkdir()
    (pages / "index.html").write_text("old")
    git(repository, "add", "--all")
    git(repository, "commit", "-m", "published")
    (pages / "index.html").write_text("new")
    assert recorded_changes(repository) == ""
    assert git_output(repository, "diff", "HEAD", "--", *NO_PAGES) == ""
    (pages.parent / "reports.py").write_text("code")
    git(repository, "add", "--all")
    assert "reports.py" in recorded_changes(repository)
    assert "index.html" not in recorded_changes(repository)
