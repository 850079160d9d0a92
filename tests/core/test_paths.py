"""The cache where it can't be where it should."""

from __future__ import annotations

import os

import pytest

from harness.core import paths
from harness.core.paths import cache_folder


@pytest.mark.parametrize("name", ["HARNESS_CACHE", "XDG_CACHE_HOME", "HOME"])
def test_a_cache_that_can_t_be_made_has_a_place_of_its_own_and_a_word(
    tmp_path, monkeypatch, caplog, name
):
    for variable in ("HARNESS_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "file").touch()
    monkeypatch.setenv(name, str(tmp_path / "file" / "below"))
    paths._cache_instead.cache_clear()
    for _ in range(2):
        folder = cache_folder()
        assert folder.parent == tmp_path and os.access(folder, os.W_OK)
    (said,) = caplog.messages
    assert said.startswith("no cache folder (") and str(folder) in said


def test_a_folder_of_somebody_else_is_not_taken(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"harness-{paths.user_number()}").symlink_to(tmp_path / "elsewhere")
    monkeypatch.setenv("HARNESS_CACHE", "/dev/null/cache")
    paths._cache_instead.cache_clear()
    with pytest.raises(PermissionError, match="a folder of your own"):
        cache_folder()
