"""The same study in three forms, errors that point at their place, overrides and the schema."""

import json
import re
import sys
import textwrap

import pytest

import harness as h
from harness.core.errors import SpecError
from harness.spec.arms import build_arms
from harness.spec.files import json_schema, load_study, override, validate

PYTHON = """
from harness import MLP, SGD, Adam, Claim, LogUniform, Recipe, Search, Study, Uniform, Dropout

study = Study(
    name="three forms",
    recipe=Recipe(data="mnist1d", model=MLP(widths=(100, 100)), batch_size=64, epochs=40, optimizer=SGD(lr=0.1)),
    compare={
        "optimizer": {"SGD": SGD(lr=LogUniform(1e-3, 1.0)), "Adam": Adam(lr=LogUniform(1e-4, 1e-1))},
        "regularizers": {"none": [], "dropout": [Dropout(rate=Uniform(0.0, 0.5))]},
    },
    search=Search(trials=24, objective="valid/loss"),
    seeds=10,
    claims=[Claim.faster("Adam / none", than="SGD / none", to=("valid/accuracy", 0.6), by="steps")],
)
"""


YAML = """
name: three forms
recipe:
  data: mnist1d
  model: {name: mlp, widths: [100, 100]}
  batch_size: 64
  epochs: 40
  optimizer: {name: sgd, lr: 1e-1}
compare:
  optimizer:
    SGD: {name: SGD, lr: {log_uniform: [1e-3, 1.0]}}
    Adam: {name: Adam, lr: {log_uniform: [1e-4, 1e-1]}}
  regularizers:
    none: []
    dropout: [{name: Dropout, rate: {uniform: [0.0, 0.5]}}]
search: {trials: 24, objective: valid/loss}
seeds: 10
claims:
  - {kind: faster, arm: Adam / none, than: SGD / none, on: valid/accuracy, target: 0.6, by: steps}
"""


@pytest.fixture
def forms(tmp_path):
    (tmp_path / "a.py").write_text(PYTHON)
    (tmp_path / "b.yaml").write_text(YAML)
    study = load_study(tmp_path / "b.yaml")
    (tmp_path / "c.json").write_text(json.dumps(study.dump()))
    return [load_study(tmp_path / name) for name in ("a.py", "b.yaml", "c.json")]


def test_a_file_may_be_named_by_a_text(forms, tmp_path):
    assert load_study(str(tmp_path / "b.yaml")) == forms[1]


def test_python_yaml_and_json_give_equal_studies(forms):
    python, yaml, js = forms
    assert python == yaml == js
    assert python.dump() == yaml.dump() == js.dump()
    assert (
        [a.recipe for a in build_arms(python)]
        == [a.recipe for a in build_arms(yaml)]
        == [a.recipe for a in build_arms(js)]
    )
    assert [a.name for a in build_arms(python)] == [
        "SGD / none",
        "SGD / dropout",
        "Adam / none",
        "Adam / dropout",
    ]


BROKEN = """\
name: broken
recipe:
  data: mnist2d
  model: {name: MLP, width: [100]}
  batch_size: 0
  epochs: -1
  optimizer: {name: SGD, lr: -0.1}
serch: {}
seeds: [1, 1]
"""


def test_all_mistakes_at_once_with_line_column_field_and_hint(tmp_path):
    path = tmp_path / "broken.yaml"
    path.write_text(BROKEN)
    with pytest.raises(SpecError) as caught:
        load_study(path)
    said = str(caught.value)
    assert "7 mistakes" in said
    for expected in (
        "broken.yaml:3:3: recipe.data: unknown data mnist2d: did you mean 'MNIST1D'?",
        "recipe.model.width: unknown field; did you mean 'widths'?",
        "broken.yaml:5:3: recipe.batch_size: expected a whole number from 1, 'full' or a space, got 0",
        "broken.yaml:6:3: recipe.epochs",
        "broken.yaml:7:26: recipe.optimizer.lr",
        "broken.yaml:8:1: serch: unknown field; did you mean 'search'?",
        "or a number of seeds from 1, or min and max, got [1, 1]",
    ):
        assert expected in said, said


@pytest.mark.parametrize(
    "text, said",
    [
        ("name: x\nname: y\n", "duplicate key"),
        ("- 1\n", "expected fields such as 'name'"),
        ("a: [1\n", "can't be read as YAML or JSON"),
        ("name: x\nrecipe: {data: digits, model: MLP, optimizer: {name: SGD, lr: 0.1}}\n", "expected one of epochs, steps, samples, gradients, got none"),
        ("name: x\nrecipe: {data: digits, model: nowhere.Net, epochs: 1, optimizer: {name: SGD, lr: 0.1}}\n", "there is no module nowhere"),
        ("name: x\nrecipe: {data: digits, model: tests.plugins.TinyNt, epochs: 1, optimizer: {name: SGD, lr: 0.1}}\n", "did you mean 'TinyNet'"),
        ("name: x\nrecipe: {data: digits, model: MLP, epochs: 1, optimizer: {name: SGD, lr: {log_uniform: [0, 1]}}}\n", "a number above 0"),
        ("name: x\nrecipe: {data: digits, model: MLP, epochs: 1, optimizer: {name: SGD, lr: {uniform: [2, 1]}}}\n", "low < high"),
        ("name: x\nrecipe: {data: digits, model: MLP, epochs: 1, optimizer: {name: SGD, lr: 0.1}}\ncompare: {optimiser: {a: SGD}}\n", "did you mean 'optimizer'"),
        ("name: x\nrecipe: {data: digits, model: MLP, epochs: 1, optimizer: {name: SGD, lr: 0.1}}\nclaims: [{kind: better, arm: a, than: b}]\n", "unknown arm 'a'"),
    ],
)  # fmt: skip
def test_mistakes(tmp_path, text, said):
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(SpecError) as caught:
        load_study(path)
    assert said in str(caught.value)


def test_json_writes_characters_in_halves_and_they_are_read_whole(forms, tmp_path):
    tree = forms[0].dump() | {"question": "Is it 🙂? (\\ud83d\\ude42)"}
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(tree))  # ASCII: two escapes for the one character
    assert load_study(path).question == tree["question"]


HALVES = [
    {"name": "a\ud800"},
    {"question": "a\udcff"},
    {"compare": {"\ud800": {"a": 1, "b": 2}}},
    {"compare": {"optimizer": {"\ud800": None, "b": 2}}},
]


@pytest.mark.parametrize("fields", HALVES, ids=ascii)
def test_half_of_a_character_is_refused_in_words(forms, tmp_path, fields):
    study, path = forms[0], tmp_path / "spec.json"
    path.write_text(json.dumps(study.dump() | fields))
    with pytest.raises(SpecError, match="half of a character"):
        load_study(path)
    with pytest.raises(SpecError, match=r"half of a character|whole characters"):
        type(study)(**{"name": "a", "recipe": study.recipe} | fields)


def test_missing_files_and_scripts_without_a_study(tmp_path):
    with pytest.raises(SpecError, match="no such file; write one with 'harness new"):
        load_study(tmp_path / "none.yaml")
    (tmp_path / "optimizers.yaml").write_text("name: x\n")
    with pytest.raises(SpecError, match="no such file; did you mean '.*/optimizers.yaml'"):
        load_study(tmp_path / "optimisers.yaml")
    (tmp_path / "empty.py").write_text("x = 1\n")
    with pytest.raises(SpecError, match="expected one Study at the top level"):
        load_study(tmp_path / "empty.py")
    (tmp_path / "bad.py").write_text("1 / 0\n")
    with pytest.raises(SpecError, match="ZeroDivisionError"):
        load_study(tmp_path / "bad.py")


def test_overrides_reach_every_field(forms):
    study = override(
        forms[0],
        {
            "recipe.epochs": 3,
            "search.trials": 2,
            "seeds": 4,
            "name": "other",
            "recipe.model.widths": [8],
        },
    )
    assert (study.recipe.epochs, study.search.trials, study.seeds, study.name) == (
        3,
        2,
        (0, 1, 2, 3),
        "other",
    )
    assert override(forms[0], {"recipe.steps": 5}).recipe.epochs is None
    with pytest.raises(SpecError, match="did you mean 'recipe'"):
        override(forms[0], {"recipes.epochs": 1})


def test_schema_accepts_what_the_loader_accepts():
    tree = json.loads(json_schema())
    assert {"name", "recipe", "compare", "search", "seeds", "claims"} <= set(tree["properties"])


def test_validate_names_the_source():
    with pytest.raises(SpecError, match="my source is not valid"):
        validate({"name": "x"}, "my source")


def test_user_code_beside_the_spec(tmp_path):
    (tmp_path / "besideme.py").write_text(
        textwrap.dedent("""
        from harness import Optimizer

        class Half(Optimizer):
            \"\"\"θ ← θ − η g / 2.\"\"\"

            def init(self, w_KP):
                return ()

            def update(self, g_KP, state, w_KP, hyper, layout):
                return w_KP - hyper["lr"] * g_KP / 2, state
        """)
    )
    path = tmp_path / "s.yaml"
    path.write_text(
        "name: s\nrecipe: {data: iris, model: Linear, epochs: 1, optimizer: {name: besideme.Half, lr: 0.2}}\n"
    )
    half = load_study(path).recipe
    plain = half.with_values({"optimizer": {"name": "SGD", "lr": 0.1}})
    losses = [h.train(r).runs["train/loss"][0] for r in (half, plain)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    assert half.targets() and not plain.targets()


BAD_FILES = {
    "latin": ("name: caf\xe9".encode("latin-1"), "expected text in UTF-8, got byte 0xe9"),
    "utf16": ("name: x".encode("utf-16"), "expected text in UTF-8, got byte 0xff"),
    "bomb": (
        "".join(f"a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 9)}]\n" for i in range(9)),
        "expected at most 100,000 values, got more; does an alias",
    ),
    "itself": ("a: &a [*a]\nname: x", "a: unknown field"),
    "brackets": ("name: " + "[" * 5000, "expected at most 40 levels, got more"),
    "date": ("name: 2020-99-99", "can't be read as YAML or JSON: month must be"),
    "text": ("just words", "expected fields such as 'name' and 'recipe'"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_file_that_is_no_spec_is_refused_at_once(tmp_path, case):
    text, said = BAD_FILES[case]
    if case == "bomb":
        text = "a0: &a0 [x]\n" + text
    path = tmp_path / "s.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SpecError, match=re.escape(said)):
        load_study(path)


BAD_NAMES = {
    "..x": "can't import ..x: expected a module and a name in it, such as mine.Net",
    "fails_here.Net": "can't import fails_here.Net: its module fails: ZeroDivisionError: .* (fails_here.py:1)",
    "half_written.Net": "can't import half_written.Net: its module fails: SyntaxError: ",
}


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_of_code_that_makes_no_part_are_refused(tmp_path, monkeypatch, name):
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "fails_here.py").write_text("1 / 0")
    (tmp_path / "half_written.py").write_text("def net(")
    recipe = {"data": "iris", "model": {"name": name}, "epochs": 1, "optimizer": "SignSGD"}
    (tmp_path / "s.json").write_text(json.dumps({"name": "s", "recipe": recipe}))
    with pytest.raises(SpecError) as caught:
        load_study(tmp_path / "s.json")
    for words in BAD_NAMES[name].split(".* "):
        assert words in str(caught.value)


@pytest.mark.parametrize(
    "field", ["search.trials", "search.batch", "seeds", "recipe.epochs", "search.repeats"]
)
def test_numbers_beyond_all_bounds_are_refused(field):
    lr = {"log_uniform": [1e-3, 1.0]}
    recipe = {"data": "iris", "epochs": 1, "optimizer": {"name": "SGD", "lr": lr}}
    study = validate({"name": "s", "recipe": recipe, "search": {}}, "s.yaml")
    with pytest.raises(SpecError, match=field):
        override(study, {field: 10**30})
