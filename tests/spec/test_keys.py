"""Keys: changed by all that changes a number, and by nothing else."""

import harness as h
from harness.spec.arms import Run
from harness.spec.keys import run_key, shape_key
from harness.spec.recipe import Recipe


def recipe(**fields):
    return Recipe(
        **{"data": "digits", "model": h.MLP(), "optimizer": h.SGD(lr=0.1), "epochs": 2} | fields
    )


def test_run_keys_change_with_all_that_matters_and_nothing_else():
    base = Run.of(recipe(), 0)
    key = run_key(base, "data", "code")
    changed = [
        run_key(Run.of(recipe(epochs=3), 0), "data", "code"),
        run_key(Run.of(recipe(), 1), "data", "code"),
        run_key(base, "other", "code"),
        run_key(base, "data", "other"),
        run_key(Run.of(recipe(optimizer=h.SGD(lr=0.1, momentum=0.5)), 0), "data", "code"),
    ]
    assert len({key, *changed}) == 6
    assert run_key(Run.of(Recipe.model_validate(recipe().dump()), 0), "data", "code") == key


def test_shape_key_ignores_which_numbers():
    a, b = recipe(regularizers=[h.L2(strength=0.1)]), recipe(regularizers=[h.L2(strength=0.2)])
    assert shape_key(a) == shape_key(b) != shape_key(recipe())
