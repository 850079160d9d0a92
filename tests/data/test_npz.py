"""Arrays of a file: found beside the spec, read by name, with mistakes in one sentence."""

import sys

import numpy as np
import pytest

import harness as h
from harness.core.errors import HarnessError
from harness.data.base import fingerprint, load_data

X = np.random.default_rng(0).normal(size=(60, 3))
Y = np.arange(60) % 3


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A spec's folder, which Python looks for modules in."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return tmp_path


def test_arrays_are_those_of_the_file(folder):
    np.savez(folder / "a.npz", x=X, y=Y, x_test=X[:9] + 1, y_test=Y[:9])
    data = load_data(h.Arrays(path="a.npz"))
    assert data.task == "classification" and [len(p.x) for p in data[:3]] == [48, 12, 9]
    assert np.array_equal(data.test.x, X[:9] + 1)
    with np.load(folder / "a.npz") as given:
        rows = {row.tobytes() for row in given["x"]}
    assert {row.tobytes() for part in (data.train, data.valid) for row in part.x} == rows


def test_other_names_and_numbers(folder):
    np.savez(folder / "b.npz", inputs=X, target=Y, who=Y)
    data = load_data(
        h.Arrays(path="b.npz", x="inputs", y="target", task="regression", groups="who")
    )
    assert data.task == "regression" and data.outputs == 1 and data.splits == "sizes differ"


def test_the_fingerprint_follows_the_content(folder):
    np.savez(folder / "c.npz", x=X, y=Y)
    before = h.Arrays(path="c.npz")
    first = fingerprint(before)
    np.savez(folder / "c.npz", x=X + 1, y=np.r_[Y, 0][:60])
    import os

    os.utime(folder / "c.npz", (1, 1))
    after = h.Arrays(path="c.npz")
    assert fingerprint(after) != first and before.dump() == after.dump()


@pytest.mark.parametrize(
    "fields, said",
    [
        (
            {"path": "dat.npz"},
            r"data.path of Arrays: found no 'dat.npz' in .*did you mean 'data.npz'",
        ),
        (
            {"path": "nowhere/data.npz"},
            "expected 'nowhere/data.npz' beside the spec, found no such folder",
        ),
        ({"path": "data.npz", "x": "xs"}, "expected an array 'xs', got none; did you mean 'x'"),
        ({"path": "text.npz"}, "as numpy.savez writes them"),
        ({"path": "one.npy"}, r"the single one of one.npy; write numpy.savez\('one.npz', x="),
        ({"path": "objects.npz"}, "Object arrays cannot be loaded"),
        ({"path": "half.npz"}, "expected an array 'y_valid', got none"),
    ],
)
def test_mistakes_are_said(folder, fields, said):
    np.savez(folder / "data.npz", x=X, y=Y)
    (folder / "text.npz").write_text("not a file of NumPy's")
    np.save(folder / "one.npy", X)
    np.savez(folder / "objects.npz", x=np.array([{}, 1]), y=Y)
    np.savez(folder / "half.npz", x=X, y=Y, x_valid=X)
    with pytest.raises(HarnessError, match=said):
        load_data(h.Arrays(**fields))


def test_arrays_that_nothing_is_made_of_are_told(folder):
    np.savez(folder / "d.npz", x=X, y=Y, group=np.arange(60) // 4, x_tset=X)
    assert load_data(h.Arrays(path="d.npz")).notes == (
        "data Arrays: nothing is made of 'group', 'x_tset'; arrays that have a meaning are x, y, "
        "x_valid, y_valid, x_test, y_test, groups, and what data.groups and data.order_by name",
    )
    np.savez(folder / "e.npz", x=X, y=Y, group=np.arange(60) // 4, x_test=X[:9], y_test=Y[:9])
    assert "made of" not in "".join(load_data(h.Arrays(path="e.npz", order_by="group")).notes)
