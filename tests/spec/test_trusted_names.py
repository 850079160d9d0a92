"""Specs that are no Python name the user's own code, and some of libraries: nothing else is
imported or called."""

import json
import sys

import pytest

import harness as h
from harness.core.errors import SpecError
from harness.spec.files import load_study, override
from harness.spec.trusted_names import trusted_names_only

OWN = """
import os.path
from functools import partial
from subprocess import getoutput
from numpy import load as read

def load():
    return [[0.0], [1.0]], [0, 1]

made = partial(load)
"""
REFUSED = [  # a field of the recipe, and what is written there
    ("data", {"name": "subprocess.getoutput", "cmd": "touch made-by-plan"}),
    ("data", {"name": "os.system", "command": "touch made-by-plan"}),
    ("data", {"name": "os.path.join", "a": "x"}),
    ("data", {"name": "builtins.eval", "source": "1"}),
    ("data", {"name": "shutil.rmtree", "path": "x"}),
    ("data", {"name": "posix.system", "command": "x"}),
    ("data", {"name": "__main__.f"}),
    ("data", {"name": "this.s"}),  # its import prints
    ("data", {"name": "mine_named.getoutput", "cmd": "touch made-by-plan"}),
    ("data", {"name": "mine_named.os.system", "command": "touch made-by-plan"}),
    ("data", {"name": "harness.core.whole_file.write_whole", "path": "x", "text": "y"}),
    ("data", {"name": "harness.__main__.main"}),
    ("data", {"name": "numpy.load", "file": "x"}),
    ("data", {"name": "pandas.read_pickle", "filepath_or_buffer": "x"}),
    ("data", {"name": "torchvision.datasets.utils.download_url", "url": "x", "root": "."}),
    ("data", {"name": "sklearn.datasets.dump_svmlight_file", "f": "x"}),
    ("model", "torch.hub.load"),
    ("model", "torch.load"),
    ("model", "torch.nn._reduction.warnings"),
    ("model", "torch.nn.modules.container.chain"),
    ("model", {"name": "torch.nn.Linear", "bias": {"object": "subprocess.getoutput"}}),
    ("optimizer", {"name": "os.system", "lr": 0.1}),
    ("loss", "os.getcwd"),
    ("metrics", [{"name": "os.getcwd", "larger_is_better": True}]),
    ("schedule", {"name": "os.getcwd"}),
    ("trainer", {"name": "os.system"}),
]


def written(folder, field, value, **fields):
    (folder / "mine_named.py").write_text(OWN)
    recipe = {"data": "iris", "model": "MLP", "epochs": 1, "optimizer": {"name": "SGD", "lr": 0.1}}
    path = folder / "study.json"
    path.write_text(json.dumps({"name": "s", "recipe": recipe | {field: value}, **fields}))
    return path


@pytest.mark.parametrize(("field", "value"), REFUSED, ids=lambda v: str(v)[:40])
def test_what_is_not_the_user_s_own_is_refused(tmp_path, monkeypatch, capsys, field, value):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "mine_named", raising=False)
    before = {*sys.modules}
    with pytest.raises(SpecError) as raised:
        load_study(written(tmp_path, field, value))
    said = str(raised.value)
    assert "in a file beside the spec" in said or "there is no module" in said, said
    assert not (tmp_path / "made-by-plan").exists() and capsys.readouterr().out == ""
    assert not {"this", "pty"} & ({*sys.modules} - before)


def test_levels_and_quick_forms_are_looked_at_too(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    bad = {"name": "os.system", "lr": 0.1}
    with pytest.raises(SpecError, match=r"os\.system is of Python itself"):
        load_study(written(tmp_path, "epochs", 1, compare={"optimizer": {"a": bad, "b": "SGD"}}))
    with pytest.raises(SpecError, match=r"os\.system is of Python itself"):
        study = load_study(written(tmp_path, "epochs", 1, quick={"recipe.optimizer": bad}))
        override(study, study.quick)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("data", "mine_named.load"),
        ("data", "mine_named.made"),
        ("data", {"name": "mine_named.read", "file": "x"}),  # the user's file says so
        ("model", {"name": "torch.nn.modules.linear.Linear", "in_features": 4, "out_features": 3}),
        ("optimizer", {"name": "torch.optim.Rprop", "lr": 0.1}),
        ("loss", {"name": "torch.nn.CrossEntropyLoss", "label_smoothing": 0.1}),
    ],
    ids=str,
)
def test_own_code_and_what_libraries_are_for_are_taken(tmp_path, monkeypatch, field, value):
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "mine_named", raising=False)
    study = load_study(written(tmp_path, field, value))
    assert override(study, {"recipe.epochs": 2}).recipe.epochs == 2


def test_what_python_has_named_is_not_asked_for_again():
    """A study in Python may use any library, and is changed by flags as text is."""
    recipe = h.Recipe(
        data="iris", model="MLP", optimizer=h.SGD(lr=0.1), epochs=1, loss="operator.sub"
    )
    study = h.Study(name="s", recipe=recipe)
    assert override(study, {"recipe.epochs": 2}).recipe.loss.name == "operator.sub"
    with trusted_names_only(), pytest.raises(ValueError, match=r"operator\.add"):
        h.Recipe(data="iris", model="MLP", optimizer=h.SGD(lr=0.1), epochs=1, loss="operator.add")
