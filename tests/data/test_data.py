"""Every data set: shapes, the same arrays always, clean splits; and what the options do."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from harness.core.errors import HarnessError
from harness.core.registry import REGISTRY
from harness.data.base import Data, fingerprint, load_data
from harness.data.mnist1d import CHECKSUM, checksum
from tests.cases import DATA


def rows(part):
    return {
        row.tobytes()
        for row in np.ascontiguousarray(part.x.reshape(len(part.x), int(np.prod(part.x.shape[1:]))))
    }


@pytest.mark.parametrize("name", DATA)
def test_shapes_and_parts(name):
    shape, outputs, task, total = DATA[name]
    data = load_data(Data.parse(name))
    assert data.task == task
    assert shape is None or data.input_shape == shape
    assert outputs is None or data.outputs == outputs
    assert total is None or sum(len(p.x) for p in data[:3]) == total
    assert all(np.isfinite(p.x).all() and np.isfinite(p.y).all() for p in data[:3])
    if task == "classification":
        assert all((p.y.sum(1) == 1).all() for p in data[:3])


@pytest.mark.parametrize("name", [n for n, c in DATA.items() if c[2] != "function"])
def test_parts_share_no_sample(name):
    data = load_data(Data.parse(name))
    train, valid, test = (rows(p) for p in data[:3])
    # some data sets hold the same measurement twice
    assert len(train & valid) + len(train & test) + len(valid & test) <= 3


def test_every_offline_data_set_has_a_case():
    assert set(REGISTRY["data"].parts) == set(DATA) | {
        "FashionMNIST",
        "Torchvision",
        "Arrays",
        "Text",
        "Table",
        "ImageFolder",
    }


def test_mnist1d_is_the_published_one():
    from harness.data.mnist1d import MNIST1D

    raw = MNIST1D().raw()
    assert raw.x.shape == (4000, 40) and raw.test[0].shape == (1000, 40)
    assert raw.x[0, 0] == pytest.approx(-0.332006, abs=1e-6)
    assert raw.y[:5].tolist() == [2, 6, 4, 5, 6]
    assert checksum(raw.x) == CHECKSUM == "d53506bddd12d3b7"


def test_seed_names_the_split():
    a, b, c = (load_data(Data.parse({"name": "digits", "seed": s})) for s in (0, 0, 1))
    assert rows(a.train) == rows(b.train) != rows(c.train)
    assert fingerprint(Data.parse("digits")) != fingerprint(
        Data.parse({"name": "digits", "seed": 1})
    )


def test_split_changes_which_samples_validate_and_never_the_test_part():
    splits = [load_data(Data.parse({"name": "digits", "split": k})) for k in range(3)]
    learnt = rows(splits[0].train) | rows(splits[0].valid)
    for k, data in enumerate(splits):
        assert all(map(np.array_equal, data.test, splits[0].test))
        assert [len(p.x) for p in data[:3]] == [1150, 288, 359]
        assert rows(data.train) | rows(data.valid) == learnt
        assert not rows(data.train) & rows(data.valid)
        others = [rows(other.valid) for other in splits[:k]]
        # a fifth held out at random twice: a fifth of those in common
        assert all(0.1 < len(rows(data.valid) & other) / 288 < 0.3 for other in others)


def test_split_0_is_the_split_before_splits_had_numbers():
    # the published way: one permutation from the stream (0, "split", "valid") of what the test left
    from harness.core.streams import derive

    def order(purpose, indices):
        seed = derive(0, "split", purpose)
        return np.random.Generator(np.random.SFC64(seed)).permutation(indices)

    raw, data = Data.parse("digits").raw(), load_data(Data.parse({"name": "digits", "split": 0}))
    pool = np.sort(order("test", np.arange(1797))[359:])
    shuffled = order("valid", pool)
    assert np.array_equal(data.valid.x, raw.x[np.sort(shuffled[:288])])
    assert np.array_equal(data.train.x, raw.x[np.sort(shuffled[288:])])


def test_smaller_training_sets_are_nested_within_a_split():
    small, large = (
        load_data(Data.parse({"name": "digits", "split": 3, "train_size": n})) for n in (100, 400)
    )
    assert len(small.train.x) == 100 and rows(small.train) < rows(large.train)
    assert rows(small.valid) == rows(large.valid)


def test_smaller_training_sets_are_nested_and_leave_the_rest_alone():
    small, large = (load_data(Data.parse({"name": "digits", "train_size": n})) for n in (100, 400))
    assert len(small.train.x) == 100 and rows(small.train) < rows(large.train)
    assert rows(small.valid) == rows(large.valid) and rows(small.test) == rows(large.test)


def test_label_noise_hits_its_share_of_training_labels_only():
    clean, noisy = (
        load_data(Data.parse("mnist1d")),
        load_data(Data.parse({"name": "mnist1d", "label_noise": 0.4})),
    )
    changed = (clean.train.y != noisy.train.y).any(1).mean()
    assert changed == pytest.approx(
        0.4 * 0.9, abs=0.03
    )  # a tenth of the random labels are the right ones
    assert (clean.test.y == noisy.test.y).all()


def test_shuffled_pixels_are_one_permutation():
    plain, shuffled = (
        load_data(Data.parse("mnist1d")),
        load_data(Data.parse({"name": "mnist1d", "shuffle_pixels": True})),
    )
    assert (plain.train.x != shuffled.train.x).any()
    order = [
        int(np.flatnonzero((plain.train.x == column[:, None]).all(0))[0])
        for column in shuffled.train.x.T
    ]
    assert sorted(order) == list(range(40)) and (shuffled.test.x == plain.test.x[:, order]).all()


def test_standardized_by_the_training_samples():
    data = load_data(Data.parse("wine"))
    assert np.allclose(data.train.x.mean(0), 0) and np.allclose(data.train.x.std(0), 1)
    assert not np.allclose(data.test.x.mean(0), 0, atol=1e-3)


def test_mistakes_are_said():
    with pytest.raises(HarnessError, match="train_size: expected at most 1150.*got 5000"):
        load_data(Data.parse({"name": "digits", "train_size": 5000}))
    with pytest.raises(
        HarnessError, match="label_noise: expected 0, since Diabetes has no classes"
    ):
        load_data(Data.parse({"name": "diabetes", "label_noise": 0.1}))


def test_fashion_mnist_says_where_it_looked(monkeypatch, tmp_path):
    monkeypatch.setenv("HARNESS_FASHION_MNIST", str(tmp_path))
    with pytest.raises(HarnessError, match="train-images-idx3-ubyte.gz in .*found neither"):
        load_data(Data.parse({"name": "FashionMNIST", "seed": 987}))


def test_fashion_mnist_reads_idx_files(monkeypatch, tmp_path):
    import gzip
    import struct

    rng = np.random.default_rng(0)
    for part, count in (("train", 50), ("t10k", 20)):
        images, labels = (
            rng.integers(0, 256, (count, 28, 28), dtype=np.uint8),
            np.arange(count, dtype=np.uint8) % 10,
        )
        header = struct.pack(">IIII", 0x803, count, 28, 28)
        (tmp_path / f"{part}-images-idx3-ubyte.gz").write_bytes(
            gzip.compress(header + images.tobytes())
        )
        (tmp_path / f"{part}-labels-idx1-ubyte.gz").write_bytes(
            gzip.compress(struct.pack(">II", 0x801, count) + labels.tobytes())
        )
    monkeypatch.setenv("HARNESS_FASHION_MNIST", str(tmp_path))
    data = load_data(Data.parse({"name": "FashionMNIST", "seed": 986}))
    assert data.outputs == 10 and len(data.test.x) == 20 and data.train.x.max() <= 1


def test_cache_mends_a_broken_file(monkeypatch, tmp_path):
    from harness.data import cache

    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path))
    (tmp_path / "thing.npz").write_bytes(b"PK\x03\x04 torn")
    assert cache.cached("thing", lambda: {"x": np.ones(3)})["x"].sum() == 3
    assert cache.cached("thing", lambda: pytest.fail("made twice"))["x"].sum() == 3


def test_torchvision_s_sets_are_read_by_name(monkeypatch, tmp_path):
    rng = np.random.default_rng(0)

    class Pictures(list):
        """As torchvision's classes: made with a root and ``train``, gives pairs of a picture and a label."""

        def __init__(self, root, train):
            if not (tmp_path / "there").exists():
                raise RuntimeError("Dataset not found")
            shapes = [(8, 8, 3)] * (30 if train else 12)
            super().__init__(
                (rng.integers(0, 256, shape, dtype=np.uint8), i % 3)
                for i, shape in enumerate(shapes)
            )

    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(
        sys.modules, "torchvision", SimpleNamespace(datasets=SimpleNamespace(Pictures=Pictures))
    )
    spec = {"name": "Torchvision", "dataset": "Pictures", "root": str(tmp_path)}
    with pytest.raises(HarnessError, match=r"Pictures: Dataset not found \(looked in"):
        load_data(Data.parse(spec))
    (tmp_path / "there").touch()
    data = load_data(Data.parse(spec))
    assert (
        data.input_shape == (3, 8, 8)
        and data.outputs == 3
        and len(data.test.x) == 12
        and data.train.x.max() <= 1
    )
    with pytest.raises(HarnessError, match="has no 'Nothing'"):
        load_data(Data.parse(spec | {"dataset": "Nothing"}))
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(HarnessError, match="pip install torchvision"):
        load_data(Data.parse(spec | {"seed": 5}))
