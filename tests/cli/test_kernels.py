"""Kernels are compiled when somebody asks, into the cache, and nothing needs them."""

import shutil

import pytest

from harness.core import kernels
from harness.core.errors import HarnessError
from harness.core.kernels.build import COMPILERS
from harness.execution.local import local_executor


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    kernels.look_again()
    yield tmp_path
    kernels.look_again()


def test_a_machine_has_none_until_they_are_asked_for(cli, cache):
    assert kernels.version() == "none"
    if not any(map(shutil.which, COMPILERS)):
        pytest.skip("no compiler")
    status, out, _ = cli("kernels")
    (made,) = cache.glob("kernels/*")
    assert (status, made.suffix) == (0, ".so")
    assert str(made) in out
    assert kernels.version() == made.stem
    assert cli("kernels", "--remove")[0] == 0
    assert kernels.version() == "none"


@pytest.mark.parametrize(("compiler", "path"), [("false", None), ("", "/nowhere")])
def test_a_compiler_that_fails_or_is_missing_is_told_in_a_sentence(
    compiler, path, monkeypatch, cache
):
    monkeypatch.setenv("CXX", compiler)
    if path is not None:
        monkeypatch.setenv("PATH", path)
    with pytest.raises(HarnessError, match=r"expected .* nothing needs the kernels"):
        kernels.build()
    assert not list(cache.glob("kernels/*.so"))


def test_workers_keep_to_what_their_driver_began_with(cache, monkeypatch):
    if not any(map(shutil.which, COMPILERS)):
        pytest.skip("no compiler")
    assert kernels.version() == "none"
    with local_executor(1) as executor:
        kernels.build()
        assert executor.submit(kernels.version).result() == "none"
    monkeypatch.setenv(kernels.CHOICE, "none")
    assert kernels.version() == "none", "though they are there"
    monkeypatch.delenv(kernels.CHOICE)
    kernels.look_again()
    made = kernels.version()
    monkeypatch.setenv(kernels.CHOICE, made)
    kernels.remove()
    with pytest.raises(HarnessError, match="with which this study began"):
        kernels.version()
