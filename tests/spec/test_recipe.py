"""Recipes: frozen, flat as settings, and equal to what their plain form is read as."""

import json

import pytest
from pydantic import ValidationError

import harness as h
from harness.spec.recipe import Recipe


def recipe(**fields):
    return Recipe(
        **{"data": "digits", "model": h.MLP(), "optimizer": h.SGD(lr=0.1), "epochs": 2} | fields
    )


def test_specs_are_frozen():
    with pytest.raises(ValidationError):
        recipe().epochs = 3


def test_settings_are_flat():
    flat = recipe(regularizers=[h.L2(strength=0.3), h.EarlyStopping()]).settings()
    assert (
        flat["optimizer"] == "SGD"
        and flat["optimizer.lr"] == 0.1
        and flat["regularizers.L2.strength"] == 0.3
    )
    assert all(not isinstance(v, dict) for v in flat.values())


def test_every_component_survives_its_plain_form():
    from tests.cases import MODELS, OPTIMIZERS, REGULARIZERS

    for optimizer in (case.optimizer for case in OPTIMIZERS.values()):
        assert recipe(optimizer=json.loads(json.dumps(optimizer.dump()))).optimizer == optimizer
    for model, *_ in MODELS.values():
        assert recipe(model=json.loads(json.dumps(model.dump()))).model == model
    made = recipe(regularizers=[r.dump() for r in REGULARIZERS.values()])
    assert made.regularizers == tuple(REGULARIZERS.values())
