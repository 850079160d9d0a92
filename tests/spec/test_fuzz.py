"""Any spec, file, flag or name ends as accepted, or refused in a sentence; never in a traceback.

Hypothesis draws them: valid studies changed at any place, files of any bytes, flags of any text.
``HARNESS_FUZZ=2000`` for the full form (``make torture``).
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from harness.cli.changes import change_study
from harness.cli.flags import Flags
from harness.core.errors import HarnessError
from harness.report.file_names import slug
from harness.spec.arms import build_arms
from harness.spec.files import load_study, name_of_spec
from tests.spec.test_files import YAML as SPEC
from tests.torture import Tally

CASES = int(os.environ.get("HARNESS_FUZZ", "200"))
WHOLE = YAML(typ="safe").load(SPEC)
PARTS = [
    {"name": "cnn", "channels": [4]},
    {"name": "gpt"},
    {"name": "nosuch"},
    {"name": "os.system"},
    {"log_uniform": [1e-3, 1.0]},
    {"uniform": [1.0, 0.0]},
    {"choice": []},
    {"choice": [1, "a", None, [2]]},
    {"int_uniform": [8, 64]},
]
NUMBERS = [0, -1, 1, 2**31, 2**63, 10**30, -(10**400), 1e308, -1e-308, float("nan"), float("inf")]
TEXTS = ["", " ", "\0", "a/b", "../..", "a" * 5000, "ü — 漢字 🙂", "%s{}[bold]", "'\"`", "\r\n", "None", "1e3", "~", "valid/loss", "test/loss", "x" * 300 + "/y", "\u202e", "\ud800"]  # fmt: skip
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(NUMBERS),
    st.integers(),
    st.floats(),
    st.sampled_from(TEXTS),
    st.text(max_size=20),
    st.sampled_from(PARTS),
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(TEXTS) | st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
TRIED = Counter()
quick = settings(
    deadline=20_000,  # whatever hangs fails
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module", autouse=True)
def tally():
    """Cases are counted as tries; one that ends otherwise fails its test."""
    yield
    Tally("a spec, file, flag or name at random", TRIED["cases"]).write()


def ends(call):
    """Return what a call gives; None where it is refused in words that a person can use."""
    TRIED["cases"] += 1
    try:
        return call()
    except HarnessError as error:
        said = str(error)
        assert said.strip() and "Traceback" not in said and len(said) < 20_000, said[:500]
        return None


def accepted(study):
    """What is accepted can be written, read again and taken apart."""
    arms = ends(lambda: build_arms(study))
    assert type(study).model_validate(study.dump()) == study or "nan" in repr(study)
    return arms


def places(tree, path=()):
    """Return the paths of all values of a tree."""
    found = [path]
    if isinstance(tree, (dict, list)):
        for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
            found += places(value, (*path, key))
    return found


def changed(tree, path, how, value, name):
    """Return a tree with one of its places changed."""
    tree = deepcopy(tree)
    if not path:
        return value
    inner = tree
    for key in path[:-1]:
        inner = inner[key]
    if how == "removed":
        del inner[path[-1]]
    elif how == "named" and isinstance(inner, dict):
        inner[name] = inner.pop(path[-1])
    elif how == "added" and isinstance(inner, dict):
        inner[name] = value
    else:
        inner[path[-1]] = value
    return tree


def read(folder, text, suffix=".yaml"):
    path = folder / f"spec{suffix}"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    ends(lambda: name_of_spec(path))
    return ends(lambda: load_study(path))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@settings(quick, max_examples=CASES // 2)
@given(data=st.data())
def test_a_study_changed_anywhere(folder, data):
    tree = WHOLE
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(places(tree)))
        how = data.draw(st.sampled_from(["put", "put", "put", "removed", "named", "added"]))
        name = data.draw(st.sampled_from([*TEXTS, "lr", "trials", "kind", "name"]))
        tree = changed(tree, path, how, data.draw(values), name)
    if study := read(folder, json.dumps(tree), ".json"):
        accepted(study)
        assert slug(study.name) is not None


@settings(quick, max_examples=CASES // 4)
@given(seed=st.integers(0, 2**32), junk=st.binary(max_size=12), cuts=st.integers(1, 4))
def test_a_file_damaged_anywhere(folder, seed, junk, cuts):
    stream, text = random.Random(seed), SPEC.encode()
    marks = [b"&a", b"*a", b"!!python/object:os.system ", b"<<: *a", b": ", b"- ", b"\t", b"{", b"]", b"? ", b"|\n", b"%", b"\xff", b"---\n", b"...\n", junk]  # fmt: skip
    for _ in range(cuts):
        at, length = stream.randrange(len(text) + 1), stream.choice([0, 0, 1, 5, 40])
        text = text[:at] + stream.choice(marks) + text[at + length :]
    if study := read(folder, text):
        accepted(study)


FIELDS = ["recipe.epochs", "recipe.batch_size", "optimizer.lr", "recipe.optimizer", "search.trials", "seeds", "name", "compare", "claims", "compare.optimizer.SGD.lr", "", ".", "a..b", "search", "recipe.model.widths.0", "hero", "quick", "checkpoint", "keep"]  # fmt: skip


@settings(quick, max_examples=CASES - CASES // 2 - CASES // 4)
@given(
    field=st.sampled_from(FIELDS) | st.text(max_size=12),
    value=values.map(json.dumps) | st.text(max_size=20),
    quick_form=st.booleans(),
    numbers=st.lists(st.none() | st.integers() | st.sampled_from([10**30]), min_size=3, max_size=3),
    device=st.none() | st.text(max_size=8),
)
def test_flags_of_any_text(folder, field, value, quick_form, numbers, device):
    trials, searches, seeds = numbers
    flags = Flags(
        quick=quick_form,
        trials=trials,
        searches=searches,
        seeds=seeds,
        device=device,
        changes=[f"{field}={value}", value],
    )
    study = read(folder, SPEC)
    for some in (flags, flags._replace(changes=[f"{field}={value}"])):
        if changed_study := ends(lambda: change_study(study, some)):  # noqa: B023
            accepted(changed_study)


@settings(quick, max_examples=20)
@given(name=st.sampled_from(TEXTS) | st.text(max_size=300))
def test_files_of_any_name(folder, name):
    ends(lambda: load_study(Path(name)))
    ends(lambda: name_of_spec(folder / name))
