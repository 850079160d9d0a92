"""Mistakes that are said before anything is trained."""

import pytest

import harness as h
from harness import results
from harness.core.errors import NoStudyError, SpecError
from harness.protocol.check import representative
from harness.protocol.run import Options, run_study
from tests.studies import small


@pytest.mark.parametrize(
    "fields, said",
    [
        ({"search": None}, "search: arm 'SGD' has spaces"),
        ({"recipe.data": "diabetes", "search.objective": "valid/accuracy"}, "got 'valid/accuracy'"),
        (
            {"recipe.data": {"name": "digits", "valid_fraction": 0.0}},
            "validation data come from data.valid_fraction",
        ),
        ({"recipe.model": "CNN2D"}, "CNN2D can't be built"),
        ({"recipe.device": "cuda"}, "expected a CUDA device"),
        ({"recipe.model": "linear", "recipe.regularizers": ["Dropout"]}, "no place for Dropout"),
        ({"claims": [h.Claim.better("Adam", than="SGD", on="test/f1")]}, "got 'test/f1'"),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_trains(folder, fields, said):
    import torch

    from harness.spec.files import override

    if "recipe.device" in fields and torch.cuda.is_available():
        pytest.skip("there is a GPU")
    changes = {k: [c.model_dump() for c in v] if k == "claims" else v for k, v in fields.items()}
    with pytest.raises(SpecError) as caught:
        run_study(override(small(), changes), Options(workers=0))
    assert said in str(caught.value)
    with pytest.raises(NoStudyError):
        results.load("small")


def test_a_representative_recipe_has_the_middle_of_every_space():
    recipe = h.Recipe(
        data="digits",
        model=h.MLP(widths=h.Choice([8], [16])),
        optimizer=h.SGD(lr=h.LogUniform(1e-4, 1e-2), momentum=h.Uniform(0.5, 0.9)),
        batch_size=h.IntUniform(8, 65),
        epochs=1,
    )
    middle = representative(recipe)
    assert middle.optimizer.lr == pytest.approx(1e-3)
    assert middle.optimizer.momentum == pytest.approx(0.7)
    assert (middle.batch_size, middle.model.widths) == (36, (8,))
