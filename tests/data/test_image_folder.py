"""Pictures in folders: classes, parts, sizes and colours, with mistakes in one sentence."""

import sys

import numpy as np
import pytest
from PIL import Image

import harness as h
from harness.core.errors import HarnessError
from harness.data.base import load_data

RNG = np.random.default_rng(0)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A spec's folder, which Python looks for modules in."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return tmp_path


def pictures(folder, count=5, shape=(4, 6), classes=("cat", "dog")):
    """Write grey pictures, or such of colours; return their pixels by class."""
    made = {}
    for name in classes:
        (folder / name).mkdir(parents=True)
        made[name] = RNG.integers(0, 256, (count, *shape), dtype=np.uint8)
        for i, pixels in enumerate(made[name]):
            Image.fromarray(pixels).save(folder / name / f"{i}.png")
    return made


def test_folders_are_classes_and_pixels_from_0_to_1(folder):
    made = pictures(folder / "pets")
    (folder / "pets" / "cat" / "notes.txt").write_text("no picture")
    data = load_data(h.ImageFolder(path="pets", valid_fraction=0.25))
    assert data.input_shape == (1, 4, 6) and data.outputs == 2
    assert [len(part.x) for part in data[:3]] == [6, 2, 2]
    found = {
        (row.tobytes(), int(y))
        for part in data[:3]
        for row, y in zip(part.x, part.y.argmax(1), strict=True)
    }
    assert found == {
        ((pixels / np.float32(255)).astype(np.float32).tobytes(), i)
        for i, name in enumerate(("cat", "dog")) for pixels in made[name]
    }  # fmt: skip


def test_colours_come_first(folder):
    made = pictures(folder / "pets", shape=(4, 6, 3))
    train = load_data(h.ImageFolder(path="pets")).train
    assert train.x.shape[1:] == (3, 4, 6)
    expected = {
        (p.transpose(2, 0, 1) / np.float32(255)).tobytes() for p in np.concatenate([*made.values()])
    }
    assert {row.tobytes() for row in train.x} <= expected
    assert load_data(h.ImageFolder(path="pets", color="grey")).input_shape == (1, 4, 6)
    pictures(folder / "grey")
    assert load_data(h.ImageFolder(path="grey", color="rgb")).input_shape == (3, 4, 6)


def test_parts_by_folder(folder):
    for part, count in (("train", 6), ("val", 2), ("test", 3)):
        pictures(folder / "pets" / part, count)
    data = load_data(h.ImageFolder(path="pets"))
    assert [len(part.x) for part in data[:3]] == [12, 4, 6] and data.splits == "one"


def test_pictures_are_brought_to_one_size(folder):
    pictures(folder / "pets", classes=("cat",))
    pictures(folder / "pets", classes=("dog",), shape=(8, 8))
    with pytest.raises(
        HarnessError, match=r"data.size: .*6×4 \(0.png\) and 8×8 \(0.png\); set size"
    ):
        load_data(h.ImageFolder(path="pets"))
    assert load_data(h.ImageFolder(path="pets", size=5)).input_shape == (1, 5, 5)
    assert load_data(h.ImageFolder(path="pets", size=(3, 7))).input_shape == (1, 3, 7)


def test_a_smaller_picture_is_the_mean_of_its_pixels(folder):
    (folder / "flat" / "a").mkdir(parents=True)
    (folder / "flat" / "b").mkdir()
    for i in range(8):
        for name in "ab":
            Image.new("L", (16, 16), 10 * i).save(folder / "flat" / name / f"{i}.png")
    data = load_data(h.ImageFolder(path="flat", size=4))
    assert all(np.ptp(x) == 0 for x in data.train.x) and len(np.unique(data.train.x)) > 2


def test_sixteen_bits_keep_their_range(folder):
    for name in "ab":
        (folder / "deep" / name).mkdir(parents=True)
        for i in range(5):
            Image.fromarray(np.full((2, 2), 65535 * i // 4, np.uint16)).save(
                folder / "deep" / name / f"{i}.png"
            )
    data = load_data(h.ImageFolder(path="deep"))
    values = np.unique(np.concatenate([part.x.ravel() for part in data[:3]]))
    assert np.allclose(values, [0, 0.25, 0.5, 0.75, 1], atol=1e-4)


@pytest.mark.parametrize(
    "path, said",
    [
        ("pet", "data.path of ImageFolder: found no 'pet' .*did you mean 'pets'"),
        ("file.png", "expected a folder of pictures, got the file file.png"),
        (
            "empty",
            "expected folders of pictures, one a class, in the train part of empty, found none",
        ),
        ("no_train", "expected a folder 'train' in no_train beside test"),
        ("broken", "1.png can't be read: "),
    ],
)
def test_mistakes_are_said(folder, path, said):
    pictures(folder / "pets")
    pictures(folder / "no_train" / "test")
    pictures(folder / "broken")
    (folder / "broken" / "cat" / "1.png").write_bytes(
        (folder / "broken" / "cat" / "0.png").read_bytes()[:40]
    )
    (folder / "empty").mkdir()
    (folder / "file.png").write_bytes(b"")
    with pytest.raises(HarnessError, match=said):
        load_data(h.ImageFolder(path=path))


@pytest.mark.parametrize("part", ["", "train"])
def test_a_folder_with_another_picture_is_other_data(folder, part):
    pictures(folder / "pets" / part)
    before = h.ImageFolder(path="pets")
    assert before == h.ImageFolder(path="pets")
    count = sum(len(each.x) for each in load_data(before)[:3])
    Image.fromarray(np.zeros((4, 6), np.uint8)).save(folder / "pets" / part / "cat" / "new.png")
    after = h.ImageFolder(path="pets")
    assert after != before and sum(len(each.x) for each in load_data(after)[:3]) == count + 1
