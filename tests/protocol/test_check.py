"""Mistakes that are said before anything is trained."""

import re

import pytest

import harness as h
from harness import results
from harness.core.errors import NoStudyError, SpecError
from harness.probes.base import Probe
from harness.protocol.check import check_study
from harness.protocol.representative import representative
from harness.protocol.run import Options, run_study
from harness.regularizers.base import Regularizer
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


def iris(**fields):
    """A study of 96 training samples."""
    recipe = h.Recipe(data="iris", model=h.MLP(widths=(8,)), optimizer=h.SGD(lr=0.1), epochs=2)
    return h.Study(**{"name": "iris", "recipe": recipe, "seeds": 2} | fields)


@pytest.mark.parametrize(
    "compare, said",
    [
        ({"batch_size": [96, 97, "full"]}, "arm '97': recipe.batch_size: expected at most 96"),
        ({"batch_size": [32, 96, "full"]}, "arms '96', 'full' are one recipe: 'full' is 96"),
    ],
)
def test_batch_sizes_that_are_one_are_no_levels_of_a_claim(compare, said):
    claims = [h.Claim.monotone("batch_size", on="test/loss", rising=True)]
    with pytest.raises(SpecError, match=said):
        check_study(iris(compare=compare, claims=claims))
    check_study(iris(compare={"batch_size": [16, 48, "full"]}, claims=claims))


@pytest.mark.parametrize(
    "space, said",
    [
        (h.IntUniform(1, 200), "expected a space up to 96 .the training samples., got Int"),
        (h.IntUniform(2, 96), None),
        (h.Choice(8, 128), "expected a space up to 96"),
        (h.Choice(8, "full"), None),
        (h.Choice(8, 96), None),
    ],
)
def test_a_space_of_batch_sizes_ends_at_the_training_samples(space, said):
    recipe = iris().recipe.with_values({"batch_size": space})
    study = iris(recipe=recipe, search=h.Search(trials=4))
    if said is None:
        check_study(study)
        return
    with pytest.raises(SpecError, match=said):
        check_study(study)


def test_a_space_of_pixels_ends_at_the_picture():
    parts = {"data": h.Digits(image=True), "regularizers": [h.Cutout(size=h.IntUniform(2, 9))]}
    study = iris(recipe=iris().recipe.with_values(parts), search=h.Search(trials=4))
    with pytest.raises(SpecError, match=r"Cutout.size of at most 8, .* got IntUniform\(2, 9\)"):
        check_study(study)


@pytest.mark.parametrize("name", ["Uneven", "Drawn"])
def test_arrays_that_depend_on_the_split_are_refused(name):
    study = iris(recipe=iris().recipe.with_values({"data": f"tests.plugins.{name}"}))
    with pytest.raises(SpecError, match="data.split: expected the same arrays .* for every split"):
        check_study(study)


def test_all_kinds_of_trouble_are_found_before_training():
    data = iris(recipe=iris().recipe.with_values({"data": "tests.data.given.unseen_in_test"}))
    with pytest.raises(SpecError, match="arm .*: data tests.data.given.unseen_in_test: expected"):
        check_study(data)
    with pytest.raises(SpecError, match="arm 'bad': recipe.loss: expected .*three to return one"):
        check_study(iris(compare={"loss": {"ok": "MSE", "bad": "tests.engine.given.three"}}))


class FailingProbe(Probe):
    prefix = "own"

    def measure(self, scene, memory):
        raise RuntimeError("no such layer")


class ShapelessProbe(Probe):
    prefix = "own"

    def measure(self, scene, memory):
        return {"all": scene.w_KP.new_zeros(7, 2)}


class FailingPenalty(Regularizer):
    def penalty(self, g_KC, w_KC, ctx):
        return g_KC[:, :2] + w_KC


@pytest.mark.parametrize(
    "fields, said",
    [
        ({"probes": [FailingProbe()]}, "FailingProbe fails: RuntimeError: no such layer (test_"),
        ({"probes": [ShapelessProbe()]}, "with an entry for each of 1 members, got (7, 2) for"),
        ({"recipe": {"regularizers": (FailingPenalty(),)}}, "FailingPenalty fails: RuntimeError:"),
    ],
)
def test_own_parts_of_an_update_are_tried_before_anything_trains(folder, fields, said):
    study = small()
    recipe = study.recipe.model_copy(update=fields.pop("recipe", {}))
    with pytest.raises(SpecError, match=re.escape(said)):
        check_study(study.model_copy(update={"recipe": recipe, **fields}))
