"""Components and their fields: hashable, found by path, refused with the nearest name."""

import json
from functools import partial

import pytest

import harness as h
from harness.core.errors import SpecError
from harness.core.registry import REGISTRY, canonical, lookup
from harness.spec.component import External, parse_part
from harness.spec.field_docs import field_docs
from harness.spec.files import override
from harness.spec.paths import flatten, put
from tests.analysis.made import study

NEEDED = {
    "Parameters": {"start": [0.0, 1.0]},
    "Objective": {"function": "beale"},
    "Torchvision": {"dataset": "MNIST"},
    "Arrays": {"path": "data.npz"},
    "Table": {"path": "table.csv", "target": "y"},
    "ImageFolder": {"path": "pictures"},
    "Command": {"command": "python train.py"},
    "Text": {"path": "book.txt"},
    "Logged": {"metric": "bleu", "larger_is_better": True},
    "Sequence": {"pieces": [{"schedule": "Constant"}]},
}
"""Values of required fields, by the part's name; a required number is 0.1."""


def smallest(kind, name):
    """A component of a registered class with as few fields as it takes."""
    needed = [n for n, field in lookup(kind, name).model_fields.items() if field.is_required()]
    return parse_part(kind, {"name": name, **dict.fromkeys(needed, 0.1), **NEEDED.get(name, {})})


REGISTERED = [(kind, name) for kind, known in REGISTRY.items() for name in known.parts]


@pytest.mark.parametrize("kind, name", REGISTERED)
def test_every_registered_component_is_hashable(kind, name):
    part = smallest(kind, name)
    again = parse_part(kind, json.loads(json.dumps(part.dump())))
    assert again == part and hash(again) == hash(part)
    assert {part: "found"}[again] == "found"


OUTSIDE = [
    ("optimizer", {"name": "torch.optim.SGD", "lr": 0.1, "betas": [0.9, 0.99]}),
    ("optimizer", {"name": "torch.optim.SGD", "lr": {"log_uniform": [0.1, 1.0]}}),
    ("model", {"name": "tests.plugins.TinyNet"}),
    ("loss", {"name": "torch.nn.CrossEntropyLoss", "label_smoothing": 0.1}),
]


@pytest.mark.parametrize("kind, plain", OUTSIDE)
def test_components_from_outside_are_hashable(kind, plain):
    part, again = parse_part(kind, plain), parse_part(kind, json.loads(json.dumps(plain)))
    assert isinstance(part, External) and part == again and hash(part) == hash(again)
    assert part.dump() == plain
    other = parse_part(kind, {**plain, "momentum": 0.5}) if kind == "optimizer" else None
    assert other is None or (other != part and hash(other) != hash(part))


def test_recipes_are_hashable():
    recipe = h.Recipe(data="digits", model=h.MLP(), optimizer=h.SGD(lr=0.1), epochs=2)
    assert len({recipe, h.Recipe.model_validate(recipe.dump())}) == 1


@pytest.mark.parametrize(
    "path, value, expected",
    [
        ("epochs", 3, {"epochs": 3}),
        ("optimizer.lr", 1, {"optimizer": {"name": "Adam", "lr": 1}}),
        ("parts.L2.strength", 1, {"parts": [{"name": "L2", "strength": 1}, "MaxNorm"]}),
        ("parts.MaxNorm.limit", 1, {"parts": [{"name": "L2"}, {"name": "MaxNorm", "limit": 1}]}),
        ("parts.1", "ClipNorm", {"parts": [{"name": "L2"}, "ClipNorm"]}),
        ("parts.L2", "L1", {"parts": ["L1", "MaxNorm"]}),
        ("parts.0.strength", 1, {"parts": [{"name": "L2", "strength": 1}, "MaxNorm"]}),
        ("claims.1.margin", 2, {"claims": [{"kind": "better"}, {"kind": "equal", "margin": 2}]}),
    ],
)  # fmt: skip
def test_values_are_put_at_paths(path, value, expected):
    tree = {
        "optimizer": "Adam",
        "parts": [{"name": "L2"}, "MaxNorm"],
        "claims": [{"kind": "better"}, {"kind": "equal"}],
    }
    put(tree, path, value)
    assert {name: tree[name] for name in expected} == expected


@pytest.mark.parametrize(
    "path, said",
    [
        ("parts.L1.strength", "parts.L1.strength: expected one of the parts ['L2'] or a position from 0 to 0"),
        ("epochs.more", "epochs.more: expected a field that has fields of its own, but 'epochs' is 3"),
    ],
)  # fmt: skip
def test_paths_that_lead_nowhere_are_refused(path, said):
    with pytest.raises(SpecError) as caught:
        put({"epochs": 3, "parts": [{"name": "L2"}]}, path, 1)
    assert said in str(caught.value)


def test_flat_values_can_be_put_back():
    nested = {"model": {"widths": [8], "init": {"gain": 2.0}}}
    tree = {"model": {}}
    put(tree, "model.init", {})
    for path, value in flatten("model", nested["model"]).items():
        put(tree, path, value)
    assert tree == nested


def test_set_reaches_items_of_lists():
    made = study(
        claims=[h.Claim.better("A", than="B"), h.Claim.no_worse("A", than="C", margin=0.1)],
        probes=["GradientNorm"],
        recipe=h.Recipe(
            data="digits", model=h.MLP(), optimizer=h.SGD(lr=0.1), epochs=1, regularizers=["MaxNorm"]
        ),
    )  # fmt: skip
    changed = override(
        made,
        {
            "claims.1.margin": 0.3,
            "probes.GradientNorm.every": 7,
            "recipe.regularizers.MaxNorm.limit": 2.0,
        },
    )
    assert changed.claims[1].margin == 0.3 and changed.probes[0].every == 7
    assert changed.recipe.regularizers[0].limit == 2.0


@pytest.mark.parametrize("kind, name", REGISTERED)
def test_registered_components_document_themselves(kind, name):
    cls = lookup(kind, name)
    assert cls.kind == kind and cls.__doc__
    assert canonical(kind, name.lower()) == name
    assert [field for field in cls.model_fields if field not in field_docs(cls)] == []


def test_parts_from_outside_go_by_the_types_of_their_arguments():
    made = [h.ExternalOptimizer("torch.optim.SGD", lr=0.1, dampening=x) for x in (1, True, 1.0)]
    assert len(set(made)) == 3 and made[0] != made[1] != made[2]
    first, other = (
        h.ExternalOptimizer("torch.optim.Adam", lr=0.1, **args)
        for args in ({"betas": (0.9, 0.99), "eps": 1e-8}, {"eps": 1e-8, "betas": [0.9, 0.99]})
    )
    assert first == other and hash(first) == hash(other)
    assert parse_part("optimizer", json.loads(json.dumps(first.dump()))) == first


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: h.ImageFolder(path="p", size="big"), "size: expected a whole number or a list, got 'big'"),
        (lambda: h.CrossEntropy(weight=[1, -2]), "weight.1: expected a number of at least 0, got -2"),
        (lambda: h.BCE(pos_weight="even"), "pos_weight: expected 'balanced' or a list, got 'even'"),
    ],
)  # fmt: skip
def test_mistakes_name_fields_and_no_types_of_ours(make, said):
    with pytest.raises(ValueError) as raised:
        make()
    assert str(raised.value).splitlines()[1:] == [f"  {said}"]


def test_near_names_inside_of_options_are_those_of_the_options():
    with pytest.raises(ValueError, match="data.stream.worker: unknown field; .* 'workers'"):
        h.Recipe(data=partial(dict, stream={"worker": 1}), optimizer=h.SGD(lr=0.1))
