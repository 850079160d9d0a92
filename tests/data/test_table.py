"""Tables: columns to inputs as scikit-learn has them, nothing measured outside the training part, every mistake said."""

from __future__ import annotations

import re
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import harness as h
from harness.core.errors import HarnessError
from harness.data.base import fingerprint, load_data

N = 200


def frame(seed=0):
    """A table as people have them: an id, a date, texts, gaps, a constant, free text, a code."""
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 80, N).astype(float)
    age[rng.random(N) < 0.1] = np.nan
    city = rng.choice(["Bern", "Genf", "Basel"], N, p=[0.6, 0.3, 0.1]).astype(object)
    city[rng.random(N) < 0.1] = None
    return pd.DataFrame(
        {
            "id": np.arange(1000, 1000 + N),
            "age": age,
            "income": rng.lognormal(10, 1, N),
            "city": city,
            "member": rng.random(N) < 0.5,
            "code": rng.choice([10, 20, 30], N),
            "when": pd.date_range("2024-01-01", periods=N).strftime("%Y-%m-%d"),
            "note": [f"called about the thing number {i}" for i in range(N)],
            "unit": "CHF",
            "empty": np.nan,
            "visits": rng.poisson(3, N),
            "label": rng.choice(["yes", "no"], N),
            "price": rng.normal(300, 40, N),
            "person": [f"p{i // 4}" for i in range(N)],
        }
    )


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A spec's folder, which Python looks for modules in."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return tmp_path


def written(folder, table, name="table.csv"):
    if name.endswith(".parquet"):
        table.to_parquet(folder / name)
    else:
        table.to_csv(folder / name, index=False)
    return name


INPUTS = ("age", "income", "city", "member", "visits")


@pytest.mark.parametrize("name", ["table.csv", "table.parquet", "table.csv.gz"])
def test_inputs_are_scikit_learn_s(folder, name):
    table = frame()
    spec = h.Table(
        path=written(folder, table, name), target="label", columns=INPUTS, order_by="when"
    )
    data = load_data(spec)
    # by time: the last fifth is tested on, and a fifth of the rest validated
    bounds = {"train": slice(0, 128), "valid": slice(128, 160), "test": slice(160, 200)}
    train = table[bounds["train"]]
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler()).fit(train[["age"]])
    plain = StandardScaler().fit(train[["income"]]), StandardScaler().fit(train[["visits"]])
    cities = OneHotEncoder(
        handle_unknown="ignore", sparse_output=False, categories=[["Basel", "Bern", "Genf", "~"]]
    )
    cities.fit(train[["city"]].fillna("~"))
    for part, where in bounds.items():
        rows = table[where]
        expected = np.column_stack([
            numbers.transform(rows[["age"]]),
            rows["age"].isna(),
            plain[0].transform(rows[["income"]]),
            cities.transform(rows[["city"]].fillna("~")),
            rows["member"],
            plain[1].transform(rows[["visits"]]),
        ])  # fmt: skip
        assert np.allclose(getattr(data, part).x, expected, rtol=1e-9, atol=1e-12), part
        assert (getattr(data, part).y.argmax(1) == (rows["label"] == "yes")).all()


def test_nothing_is_measured_outside_the_training_part(folder):
    """What validation and test rows hold changes nothing of the training part: not a bit."""
    table = frame()
    spoiled = table.copy()
    late = slice(128, None)
    spoiled.loc[spoiled.index[late], ["age", "income", "visits", "price"]] = [99.5, 1e9, 1000, 1e6]
    spoiled.loc[spoiled.index[late], "city"] = "Basel"
    spoiled.loc[spoiled.index[late], "label"] = "no"
    for target in ("label", "price"):
        trained = [
            load_data(h.Table(path=written(folder, t, f"{target}{i}.csv"), target=target, columns=INPUTS, order_by="when")).train
            for i, t in enumerate((table, spoiled))
        ]  # fmt: skip
        assert np.array_equal(trained[0].x, trained[1].x), target
        assert np.array_equal(trained[0].y, trained[1].y), target


def test_a_level_that_training_lacks_is_0_everywhere_and_said(folder):
    table = frame()
    table["city"] = "Bern"
    table.loc[[3, 5], "city"] = "Genf"
    table.loc[[140, 150, 190], "city"] = ["Chur", "Lugano", "Chur"]
    spec = h.Table(
        path=written(folder, table), target="label", columns=("city", "visits"), order_by="when"
    )
    data = load_data(spec)
    # Bern, Chur, Genf, Lugano (test alone has no level of its own) and visits
    assert data.train.x.shape[1] == 5
    assert not data.valid.x[[12, 22], :4].any() and not data.test.x[30, :4].any()
    assert any(
        "2 of 32 validation samples have levels of 'city'" in note and "'Chur', 'Lugano'" in note
        for note in data.notes
    )
    assert any("1 of 40 test samples" in note for note in data.notes)


def test_every_split_has_the_same_inputs(folder):
    table = frame()
    table.loc[7, "city"] = "Chur"
    name = written(folder, table)
    each = [load_data(h.Table(path=name, target="label", split=k)) for k in range(6)]
    assert len({data.input_shape for data in each}) == 1
    chur = [data for data in each if any("'Chur'" in note for note in data.notes)]
    assert 0 < len(chur) < 6, "in some splits it is validated on"


def test_columns_that_do_not_fit_are_left_out_with_a_reason(folder):
    notes = "\n".join(load_data(h.Table(path=written(folder, frame()), target="label")).notes)
    for name, why in {
        "id": "it has another number in each row",
        "when": "it has dates; name it in dates",
        "note": "200 different texts in 200 rows are free text",
        "unit": "every row has 'CHF'",
        "empty": "all of its values are missing",
    }.items():
        assert f"column {name!r} is left out: {why}" in notes
    assert "numbers 'age', 'income', 'code', 'visits', 'price'" in notes
    assert "booleans 'member'; categories 'city', 'person'" in notes
    assert "target 'label' has 2 classes" in notes


@pytest.mark.parametrize("name", ["id", "when", "note", "unit", "empty"])
def test_a_column_that_is_chosen_and_does_not_fit_is_refused(folder, name):
    with pytest.raises(
        HarnessError, match=f"data.columns: '{name}' of table.csv can't be an input"
    ):
        load_data(h.Table(path=written(folder, frame()), target="label", columns=("age", name)))


def test_a_target_among_the_inputs_is_refused():
    with pytest.raises(ValueError, match="columns: expected inputs, got the target 'label' among"):
        h.Table(path="table.csv", target="label", columns=("age", "label"))


def test_codes_become_categories_and_dates_days(folder):
    spec = h.Table(path=written(folder, frame()), target="label", columns=("code", "when"), categories=("code",),
                   dates=("when",), standardize=False, order_by="when")  # fmt: skip
    data = load_data(spec)
    assert set(map(tuple, data.train.x[:, :3])) == {(1, 0, 0), (0, 1, 0), (0, 0, 1)}
    assert (np.diff(data.train.x[:, 3]) == 1).all() and data.train.x[0, 3] == 19723  # 2024-01-01


def test_texts_that_mean_missing(folder):
    table = frame()
    table["age"] = table["age"].astype(object).where(table.index % 9 > 0, "?")
    name = written(folder, table)
    assert any(
        "'age' is left out: it has numbers and texts, such as '?'" in n
        for n in load_data(h.Table(path=name, target="label")).notes
    )
    told = load_data(h.Table(path=name, target="label", missing=("?",)))
    assert any("numbers 'age'" in note for note in told.notes)


@pytest.mark.parametrize(
    "values, task, outputs, said",
    [
        (["a", "b"], "auto", 2, "has 2 classes"),
        ([True, False], "auto", 2, "has 2 classes"),
        ([3, 5], "auto", 2, "whole numbers of 2 values, 2 classes; task: regression"),
        ([3.0, 5.0], "auto", 2, "whole numbers of 2 values"),
        ([3, 5], "regression", 1, "numbers to be predicted"),
        (list(range(40)), "auto", 1, "numbers to be predicted; task: classification takes them for classes"),
        ([0.5, 1.5], "auto", 1, "numbers to be predicted"),
    ],
)  # fmt: skip
def test_the_target_is_classes_or_numbers(folder, values, task, outputs, said):
    table = frame().assign(label=np.resize(np.array(values, dtype=object), N))
    data = load_data(
        h.Table(path=written(folder, table), target="label", task=task, columns=("income",))
    )
    assert data.outputs == outputs and any(said in note for note in data.notes)
    assert data.task == ("regression" if outputs == 1 else "classification")
    if outputs == 1:
        assert data.train.y.mean() == pytest.approx(
            0, abs=1e-12
        ) and data.train.y.std() == pytest.approx(1)


def test_numbers_keep_their_unit_where_they_are_not_to_be_scaled(folder):
    table = frame()
    data = load_data(
        h.Table(path=written(folder, table), target="price", scale_target=False, order_by="when")
    )
    assert np.allclose(data.train.y[:, 0], table["price"][:128])


def test_rows_without_a_target_are_left_out(folder):
    table = frame()
    table.loc[:9, "label"] = None
    data = load_data(h.Table(path=written(folder, table), target="label"))
    assert sum(len(p.x) for p in data[:3]) == N - 10
    assert any("10 rows of table.csv without 'label' left out" in note for note in data.notes)


def test_groups_and_classes_by_name(folder):
    name = written(folder, frame())
    data = load_data(
        h.Table(path=name, target="label", groups="person", columns=("income",), standardize=False)
    )
    person = dict(zip(pd.read_csv(folder / name)["income"], frame()["person"], strict=True))
    own = [{person[value] for value in part.x[:, 0]} for part in data[:3]]
    assert not (own[0] & own[1] or own[0] & own[2] or own[1] & own[2])
    stratified = load_data(h.Table(path=name, target="label", stratify=True))
    share = (frame()["label"] == "yes").mean()
    for part in stratified[:3]:
        assert abs(part.y[:, 1].sum() - share * len(part.y)) < 2


def test_parts_by_a_column(folder):
    table = frame().assign(part=["Train"] * 120 + ["val"] * 30 + ["test"] * 50)
    name = written(folder, table)
    data = load_data(h.Table(path=name, target="label", split_by="part"))
    assert [len(p.x) for p in data[:3]] == [120, 30, 50] and data.splits == "one"
    no_valid = table.assign(part=["train"] * 150 + ["test"] * 50)
    data = load_data(
        h.Table(path=written(folder, no_valid, "b.csv"), target="label", split_by="part")
    )
    assert [len(p.x) for p in data[:3]] == [120, 30, 50] and data.splits == "alike"
    with pytest.raises(
        HarnessError, match="no group in two parts, but split_by has one in train and valid"
    ):
        load_data(h.Table(path=name, target="label", split_by="part", groups="member"))
    with pytest.raises(
        HarnessError, match="expected train, valid or test in 'city' of table.csv, got "
    ):
        load_data(h.Table(path=name, target="label", split_by="city"))


def test_rows_that_are_all_of_the_training_part_are_told(folder):
    name = written(folder, frame().assign(part="train"))
    data = load_data(h.Table(path=name, target="label", split_by="part"))
    assert [len(p.x) for p in data[:3]] == [128, 32, 40]
    assert any("every row of 'part' is of the training part" in note for note in data.notes)
    no_test = written(folder, frame().assign(part=["train"] * 150 + ["valid"] * 50), "b.csv")
    data = load_data(h.Table(path=no_test, target="label", split_by="part"))
    assert [len(p.x) for p in data[:3]] == [120, 50, 30]
    assert any("no test part; a fifth of the other samples" in note for note in data.notes)


def test_numbers_with_a_comma_are_read_or_told(folder):
    table = frame()[["age", "income", "label"]]
    table.to_csv(folder / "points.csv", index=False)
    table.to_csv(folder / "commas.csv", index=False, sep=";", decimal=",")
    points = load_data(h.Table(path="points.csv", target="label"))
    commas = load_data(h.Table(path="commas.csv", target="label", decimal=","))
    assert points.input_shape == commas.input_shape
    assert np.array_equal(points.train.x, commas.train.x)
    table.assign(whole=np.arange(len(table)) % 5).to_csv(
        folder / "commas.csv", index=False, sep=";", decimal=","
    )
    notes = load_data(h.Table(path="commas.csv", target="label")).notes
    (said,) = [note for note in notes if "comma" in note and "'income'" in note]
    assert re.search(r"numbers with a comma, such as '\d+,\d+'; data.decimal: ',' reads", said)
    with pytest.raises(HarnessError, match="data.target: target 'income' of commas.csv has number"):
        load_data(h.Table(path="commas.csv", target="income"))
    assert load_data(h.Table(path="commas.csv", target="income", decimal=",")).task == "regression"


def test_the_fingerprint_follows_the_content(folder):
    name = written(folder, frame())
    spec = h.Table(path=name, target="label")
    first = fingerprint(spec)
    changed = frame()
    changed.loc[0, "income"] += 1.0
    again = h.Table(path=written(folder, changed), target="label")
    assert fingerprint(again) != first and again.dump() == spec.dump()
    assert fingerprint(h.Table(path=written(folder, frame(), "copy.csv"), target="label")) == first


MISTAKES = {
    "missing file": ({"path": "tabel.csv"}, "data.path of Table: found no 'tabel.csv' in .*did you mean 'table.csv'"),
    "missing target": ({"target": "labl"}, "data.target: table.csv has no column 'labl'; did you mean 'label'"),
    "missing column": ({"columns": ("agee",)}, "data.columns: table.csv has no column 'agee'; did you mean 'age'"),
    "missing group": ({"groups": "persn"}, "data.groups: table.csv has no column 'persn'"),
    "no rows": ({"path": "empty.csv"}, "expected rows in empty.csv, got a table without any"),
    "nothing at all": ({"path": "nothing.csv"}, "nothing.csv can't be read: No columns"),
    "broken": ({"path": "broken.parquet"}, "broken.parquet can't be read: .*[Pp]arquet"),
    "longer rows": ({"path": "longer.csv"}, "longer.csv can't be read: "),
    "not UTF-8": ({"path": "latin.csv"}, "expected latin.csv in UTF-8, got the byte 0xfc, .* iconv -f latin1 -t utf-8 latin.csv"),
    "a comma in numbers": ({"path": "table.parquet", "decimal": ","}, "data.decimal: table.parquet has its numbers as numbers"),
    "other kind": ({"path": "table.xlsx"}, "expected a table that ends in .csv, .*got table.xlsx"),
    "nothing left": ({"columns": ("age",), "drop": ("age",)}, "expected columns to learn from beside 'label' in table.csv"),
    "words to predict": ({"task": "regression"}, "expected a target of numbers for regression, got target 'label'"),
    "fractions as classes": ({"target": "price", "task": "classification"}, "expected classes, got target 'price'"),
    "no order": ({"order_by": "city"}, "data.order_by: 'city' of table.csv: its dates are not written as"),
    "infinite": ({"path": "infinite.csv", "columns": ("age",)}, r"'age' .* can't be an input: row 3 .from 0. is infinite"),
}  # fmt: skip


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_are_said(folder, case):
    written(folder, frame())
    written(folder, frame().iloc[:0], "empty.csv")
    (folder / "nothing.csv").write_text("")
    (folder / "broken.parquet").write_text("no table")
    (folder / "longer.csv").write_text("a,label\n1,2,3\n1,2,3\n")
    (folder / "table.xlsx").write_text("")
    (folder / "latin.csv").write_text("city,label\nZürich,1\n", encoding="latin-1")
    (folder / "table.parquet").write_text("")
    infinite = frame()
    infinite.loc[3, "age"] = np.inf
    written(folder, infinite, "infinite.csv")
    fields, said = MISTAKES[case]
    with pytest.raises(HarnessError, match=said):
        load_data(h.Table(**{"path": "table.csv", "target": "label", **fields}))


def test_tables_of_other_separators(folder):
    for separator, name in ((";", "a.csv"), ("\t", "b.tsv")):
        frame().to_csv(folder / name, index=False, sep=separator)
        assert (
            load_data(h.Table(path=name, target="label")).input_shape
            == load_data(
                h.Table(path=written(folder, frame(), "c.csv"), target="label")
            ).input_shape
        )
