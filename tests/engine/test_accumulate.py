"""Micro-batches: the numbers of the whole batch, for every model, optimizer and probe."""

import pytest
import torch

import harness as h
from harness.core.errors import HarnessError
from harness.engine.batching import member_bytes
from harness.engine.cohort import start
from harness.engine.loop import advance
from harness.engine.program import program_of
from harness.protocol.check import check_study, notes_of
from harness.protocol.train import train_outcomes
from harness.spec.arms import Run
from harness.spec.keys import shape_key
from harness.spec.resolved import resolve
from tests.cases import MODELS

BASE = h.Recipe(
    data=h.Digits(train_size=100),
    model=h.MLP(widths=(12, 7), activation="tanh"),
    optimizer=h.SGD(lr=0.2, momentum=0.9),
    # the last batch of an epoch has 20 samples, and no micro-batch divides 40
    batch_size=40,
    steps=7,
    eval_every=7,
    dtype="float64",
)
WITHOUT_STATISTICS = [name for name in MODELS if "batch-norm" not in name]


def weights_after(recipe, seeds=(0, 1), steps=7):
    """The weights after some updates, by members."""
    recipe = recipe.with_values({"steps": 1000, "eval_every": steps})
    return advance(start([Run.of(recipe, seed) for seed in seeds], test=False), steps).w_KP


def in_parts(recipe, count):
    return recipe.with_values({"accumulate": count})


@pytest.mark.parametrize("name", WITHOUT_STATISTICS)
def test_every_model_has_the_numbers_of_the_whole_batch(name):
    case = MODELS[name]
    data = {"name": case.data} if isinstance(case.data, str) else case.data
    recipe = BASE.with_values({"model": case.model.dump(), "data": data | {"train_size": 100}})
    whole_KP = weights_after(recipe, steps=4)
    torch.testing.assert_close(
        weights_after(in_parts(recipe, 3), steps=4), whole_KP, rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("batch", [1, 40, "full"])
@pytest.mark.parametrize("count", [2, 7, 40])
def test_any_number_of_parts_of_any_batch(batch, count):
    recipe = BASE.with_values({"batch_size": batch})
    if batch == 1:
        with pytest.raises(HarnessError, match="expected at most 1 micro-batches"):
            program_of(resolve(in_parts(recipe, count)))
        return
    torch.testing.assert_close(
        weights_after(in_parts(recipe, count)), weights_after(recipe), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"optimizer": {"name": "torch.optim.LBFGS", "lr": 0.1, "max_iter": 3}},
        {"optimizer": h.Muon(lr=0.02)},
        {"regularizers": [h.Mixup(alpha=0.5), h.LabelSmoothing(amount=0.1), h.ClipNorm(limit=0.1)]},
        {"regularizers": [h.L2(strength=0.1), h.InputNoise(std=0.2)], "optimizer": h.Adam(lr=0.01)},
        # large enough for gradients apart from the rows
        {"model": h.MLP(widths=(256, 256)), "optimizer": h.AdamW(lr=0.01, weight_decay=0.1)},
        {"loss": h.MSE(), "groups": {"*.bias": {"lr": 0.1}}},
    ],
    ids=str,
)
def test_optimizers_and_regularizers_see_the_gradient_of_the_whole_batch(fields):
    recipe = BASE.with_values(fields)
    torch.testing.assert_close(
        weights_after(in_parts(recipe, 3), (0,)), weights_after(recipe, (0,)), rtol=1e-7, atol=1e-10
    )


@pytest.mark.parametrize("model", [h.MLP(widths=(12,)), h.MLP(widths=(12,), norm="layer")], ids=str)
def test_probes_see_the_whole_batch(model):
    recipe = BASE.with_values({"model": model.dump(), "steps": 6, "eval_every": 1})
    probes = [
        {"name": name, "every": 1, "unit": "steps"}
        for name in ("GradientNorm", "UpdateRatio", "Activations", "NoiseScale", "Descent")
    ]
    whole, parts = (
        h.train(each, probes=probes).curves.drop(columns=["seconds"], errors="ignore")
        for each in (recipe, in_parts(recipe, 3))
    )
    assert parts.columns.tolist() == whole.columns.tolist() and len(whole.columns) > 20
    numbers = whole.select_dtypes("number").columns
    torch.testing.assert_close(
        torch.tensor(parts[numbers].to_numpy()),
        torch.tensor(whole[numbers].to_numpy()),
        rtol=1e-7,
        atol=1e-9,
        equal_nan=True,
    )


def test_dropout_drops_its_share_of_every_micro_batch():
    recipe = BASE.with_values({"model.dropout": 0.3})
    whole_KP, parts_KP = weights_after(recipe), weights_after(in_parts(recipe, 3))
    assert not torch.allclose(parts_KP, whole_KP) and torch.isfinite(parts_KP).all()


def test_members_that_accumulate_equal_themselves_alone():
    recipe = in_parts(BASE, 3)
    together = train_outcomes(recipe, [0, 1, 2])
    for seed, outcome in enumerate(together):
        (alone,) = train_outcomes(recipe, [seed])
        assert alone.series("batch/loss") == pytest.approx(outcome.series("batch/loss"), abs=1e-12)
        assert alone.summary["cost/gradients"] == outcome.summary["cost/gradients"]


def test_the_plain_form_has_it_only_where_it_is_asked_for():
    assert "accumulate" not in BASE.dump() and in_parts(BASE, 3).dump()["accumulate"] == 3
    assert shape_key(resolve(BASE)) != shape_key(resolve(in_parts(BASE, 3)))
    whole, parts = (
        member_bytes(program_of(resolve(in_parts(BASE.with_values({"batch_size": 80}), count))))
        for count in (1, 8)
    )
    assert parts < whole


def test_the_plan_says_what_differs_with_batch_statistics_and_dropout():
    fields = {"model": h.MLP(widths=(12,), norm="batch", dropout=0.2), "accumulate": 4}
    study = h.Study(name="parts", question="?", recipe=BASE.with_values(fields))
    check_study(study)
    said = " ".join(notes_of(study))
    assert "batch normalization goes by each of the 4 micro-batches" in said
    assert "dropout drops other units" in said
    plain = study.model_copy(update={"recipe": in_parts(BASE, 4)})
    assert not any("micro-batch" in note for note in notes_of(plain))
    (outcome,) = train_outcomes(study.recipe, [0])
    assert outcome.status == "finished"
