"""Groups of parameters: rates and decays of their own, against torch's parameter groups."""

import pytest
import torch

import harness as h
from harness.core.errors import HarnessError
from harness.core.parameter_numbers import GroupNumbers
from harness.engine.optimizer_groups import (
    OptimizerGroup,
    decay_of_parameters,
    groups_of,
    preconditioners,
    update_fields,
)
from harness.engine.program import program_of
from harness.protocol.check import check_study
from harness.protocol.train import train_outcomes
from harness.spec.arms import Run
from harness.spec.keys import shape_key
from harness.spec.resolved import resolve
from tests.cases import OPTIMIZERS
from tests.engine.test_cohort import assert_same, outcomes
from tests.engine.test_equivalences import bare_loop, batch_losses
from tests.optimizers.rows import LAYOUT, SHAPES, gradients, relative, rows, starts
from tests.optimizers.test_twins import double, run_twin  # noqa: F401  (a fixture)


def grouped_fields(optimizer, factor, decay):
    """What an update is given where the bias has a rate and a decay of its own."""
    numbers = optimizer.numbers()
    fields = {n: torch.tensor([[v]], dtype=torch.float64) for n, v in numbers.items()}
    lr_KP = torch.ones(1, LAYOUT.width, dtype=torch.float64)
    decay_KP = torch.full_like(lr_KP, torch.nan)
    for own_KP, value in ((lr_KP, factor), (decay_KP, decay)):
        LAYOUT.view(own_KP, "bias").fill_(value)
    said = GroupNumbers(lr_KP, decay_KP)
    apart = decay_of_parameters(optimizer, fields, LAYOUT, said)
    group = OptimizerGroup(optimizer, slice(0, 1), fields, apart, lr_KP)
    lr_K = torch.tensor([numbers["lr"]], dtype=torch.float64)
    return update_fields(group, lr_K, torch.ones_like(lr_K))


@pytest.mark.parametrize("name", [n for n, case in OPTIMIZERS.items() if case.twin])
def test_every_optimizer_moves_groups_as_its_twin_does(name):
    optimizer, twin = OPTIMIZERS[name].optimizer, OPTIMIZERS[name].twin
    own = {"lr": 0.1 * optimizer.lr}
    if "weight_decay" in optimizer.numbers():
        own["weight_decay"] = 0.3
    theirs = run_twin(lambda both: twin([{"params": both[0]}, {"params": both[1], **own}]))
    w_KP = rows(starts())
    state, fields = optimizer.init(w_KP), grouped_fields(optimizer, 0.1, 0.3)
    for g in gradients():
        w_KP, state = optimizer.update(rows(g), state, w_KP, fields, LAYOUT)
    for tensor in SHAPES:
        assert relative(LAYOUT.view(w_KP, tensor)[0], theirs[tensor]) <= 1e-12


@pytest.mark.parametrize("name", ["Muon", "SOAP"])
def test_a_factor_of_zero_leaves_parameters_and_others_as_they_move_alone(name):
    optimizer = OPTIMIZERS[name].optimizer

    def moved(fields):
        w_KP = rows(starts())
        state = optimizer.init(w_KP)
        for g in gradients(6):
            w_KP, state = optimizer.update(rows(g), state, w_KP, fields, LAYOUT)
        return {n: v[0] for n, v in LAYOUT.views(w_KP).items()}

    held, free = (
        moved(grouped_fields(optimizer, 0.0, 0.0)),
        moved(grouped_fields(optimizer, 1.0, 0.0)),
    )
    assert torch.equal(held["bias"], starts()["bias"]) and not torch.equal(
        free["bias"], held["bias"]
    )
    assert torch.equal(held["weight"], free["weight"])


GROUPS = {"*.bias": h.Group(lr=0.1, weight_decay=0.3), "out.weight": h.Group(lr=2)}


def torch_groups(parameters, lr):
    """torch's groups of the bare loop's three layers, for GROUPS and a decay of 0.1 elsewhere."""
    parameters = list(parameters)
    biases, (first, second, out) = parameters[1::2], parameters[::2]
    return [
        {"params": [first, second], "lr": lr, "weight_decay": 0.1},
        {"params": biases, "lr": 0.1 * lr, "weight_decay": 0.3},
        {"params": [out], "lr": 2 * lr, "weight_decay": 0.1},
    ]


RUNS = {
    "AdamW": (
        {"optimizer": h.AdamW(lr=0.01, weight_decay=0.1)},
        lambda p: torch.optim.AdamW(torch_groups(p, 0.01)),
    ),
    "WeightDecay": (
        {"optimizer": h.Adam(lr=0.01), "regularizers": [h.WeightDecay(rate=0.1)]},
        lambda p: torch.optim.AdamW(torch_groups(p, 0.01)),
    ),
    "L2": (
        {"optimizer": h.SGD(lr=0.1, momentum=0.9), "regularizers": [h.L2(strength=0.1)]},
        lambda p: torch.optim.SGD(torch_groups(p, 0.1), momentum=0.9),
    ),
    "another library's": (
        {"optimizer": {"name": "torch.optim.AdamW", "lr": 0.01, "weight_decay": 0.1}},
        lambda p: torch.optim.AdamW(torch_groups(p, 0.01)),
    ),
}


@pytest.mark.parametrize("name", RUNS)
def test_a_run_with_groups_equals_a_bare_pytorch_loop(name):
    fields, twin = RUNS[name]
    ours = batch_losses(fields | {"groups": GROUPS})
    assert ours == pytest.approx(bare_loop(twin), rel=1e-9, abs=1e-11)


BASE = h.Recipe(
    data="digits",
    model=h.MLP(widths=(12, 7)),
    optimizer=h.AdamW(lr=0.01),
    batch_size=100,
    epochs=2,
    dtype="float64",
    groups={"*.bias": h.Group(lr=0.1, weight_decay=0.2), "out.weight": h.Group(lr=3)},
)


def test_members_of_other_numbers_share_a_cohort_and_train_as_alone():
    changes = [
        {"groups.*.bias.lr": 1.0},
        {"groups.*.bias.weight_decay": 0.0, "optimizer": h.SGD(lr=0.1)},
        {"groups.out.weight.lr": 0.0, "regularizers": ()},
    ]
    recipes = [BASE, *(BASE.with_values(change) for change in changes)]
    assert len({shape_key(resolve(r)) for r in recipes[:2] + recipes[3:]}) == 1
    assert shape_key(resolve(BASE.with_values({"groups": {}}))) != shape_key(resolve(BASE))
    own = [recipes[0], recipes[1], recipes[3]]
    runs = [Run.of(recipe, seed) for seed, recipe in enumerate(own)]
    for run, together in zip(runs, outcomes(runs), strict=True):
        assert_same(together, outcomes([run])[0])


@pytest.mark.parametrize(
    "schedule",
    [
        {"name": "WSD", "warm_up": "3 steps"},
        {
            "name": "Sequence",
            "pieces": [{"schedule": "WarmUp", "length": 0.3}, {"schedule": "Cosine"}],
        },
    ],
    ids=lambda schedule: schedule["name"],
)
def test_groups_follow_schedules_alike_in_every_library(schedule):
    recipe = BASE.with_values({"optimizer": h.SGD(lr=0.2), "groups": {"*.bias": {"lr": 0.1}}})
    library = {"optimizer": {"name": "torch.optim.SGD", "lr": 0.2}}
    own, theirs, plain = (
        train_outcomes(recipe.with_values(fields), [0])[0].series("train/loss")
        for fields in ({"schedule": schedule}, {"schedule": schedule} | library, {})
    )
    assert theirs == pytest.approx(own, rel=1e-9) and own[-1] != pytest.approx(plain[-1])


def test_groups_are_searched_by_their_path():
    recipe = BASE.with_values({"groups.*.bias.lr": h.LogUniform(0.01, 1.0)})
    assert recipe.spaces() == {"groups.*.bias.lr": h.LogUniform(0.01, 1.0)}
    again = h.Recipe.model_validate(recipe.dump())
    assert again == recipe and hash(again) == hash(recipe) != hash(BASE)
    found = resolve(recipe.with_values({"groups.*.bias.lr": 0.5}))
    assert found.groups["*.bias"] == h.Group(lr=0.5, weight_decay=0.2)
    assert found.settings()["groups.*.bias.lr"] == 0.5
    assert found.numbers()["groups.*.bias.lr"] == 0.5


def test_a_recipe_without_groups_has_the_form_it_had():
    plain = BASE.with_values({"groups": {}})
    assert "groups" not in plain.dump() and "groups" not in plain.model_dump()
    assert plain.settings().keys() == BASE.settings().keys() - {
        "groups.*.bias.lr",
        "groups.*.bias.weight_decay",
        "groups.out.weight.lr",
        "groups.out.weight.weight_decay",
    }


@pytest.mark.parametrize(
    "fields, message",
    [
        ({"groups": {"out.biass": {"lr": 2}}}, "did you mean 'out.bias'"),
        ({"groups": {"*.bias": {}, "out.*": {}}}, "got out.bias in '\\*.bias' and 'out.\\*'"),
        (
            {"optimizer": h.Adam(lr=0.1), "groups": {"*.bias": {"weight_decay": 1}}},
            "add WeightDecay",
        ),
        (
            {
                "optimizer": {"name": "torch.optim.LBFGS"},
                "groups": {"*.bias": {"lr": 0.1}},
            },
            "per-parameter options",
        ),
    ],
)
def test_groups_that_would_do_nothing_are_refused_by_the_plan(fields, message):
    study = h.Study(name="groups", question="?", recipe=BASE.with_values(fields))
    with pytest.raises(HarnessError, match=message):
        check_study(study)


def test_a_frozen_group_is_where_it_began_and_dampens_no_threshold():
    recipe = BASE.with_values({"groups": {"*": {"lr": 0}}, "optimizer": h.SGD(lr=0.1)})
    (outcome,) = train_outcomes(recipe, [0])
    losses = outcome.series("train/loss")
    assert losses[0] == pytest.approx(losses[-1], abs=1e-12)


def test_the_preconditioner_has_the_factors():
    recipe = BASE.with_values({"optimizer": h.SGD(lr=0.1), "groups": {"*.bias": {"lr": 0.5}}})
    program = program_of(resolve(recipe))
    groups = groups_of(program, [program.recipe])
    like_KP = torch.zeros(1, program.layout.width, dtype=torch.float64)
    one_K = torch.ones(1, dtype=torch.float64)
    states = [[groups[0].optimizer.init(like_KP)]]
    whole = [slice(0, program.layout.width)]
    found = preconditioners(groups, whole, states, one_K, one_K, like_KP)
    assert program.layout.view(found, "out.bias").unique().tolist() == [2.0]
    assert program.layout.view(found, "out.weight").unique().tolist() == [1.0]
