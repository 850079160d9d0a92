"""GPT: what tests of every model do not see: gradients of a twin, causality, distances, roles and initial weights."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

import harness as h
from harness.data.base import Data, load_data
from harness.engine.initialize import initial_weights
from harness.engine.program import program_of
from harness.models.base import Context, DataSizes
from harness.models.positions import rotary_tables, rotate
from harness.optimizers.muon import is_hidden_matrix
from harness.spec.arms import Run
from harness.spec.resolved import resolve
from tests.cases import LANGUAGE, MODELS
from tests.engine.test_cohort import numbers, outcomes
from tests.models.test_contract import drawn
from tests.models.twins import Inputs, gpt

NAMES = ["GPT", "rotary GPT"]


def case(name):
    model = MODELS[name].model
    network = model.network((7,), 5)
    x = torch.randint(0, 5, (4, 7), generator=torch.Generator().manual_seed(0))
    return model, network, x


@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_the_twin_s(name):
    model, network, x = case(name)
    params, _ = drawn(network)
    for p in params.values():
        p.requires_grad_()
    y = x.roll(1)

    def loss(out):
        return functional.cross_entropy(out.flatten(0, -2), y.flatten())

    ours = torch.autograd.grad(
        sum(loss(out) for out in network(params, x[None], Context(training=True))), params.values()
    )
    for k in range(2):
        own = {n: p[k] for n, p in params.items()}
        twin = torch.autograd.grad(loss(gpt(model, Inputs(own, {}, x, True))), params.values())
        for n, mine, theirs in zip(params, ours, twin, strict=True):
            torch.testing.assert_close(mine[k], theirs[k], rtol=1e-9, atol=1e-13, msg=n)


@pytest.mark.parametrize("name", NAMES)
def test_a_later_token_changes_no_earlier_output(name):
    _, network, x = case(name)
    params, _ = drawn(network)
    before = network(params, x[None], Context())
    for place in range(1, 7):
        other = x.clone()
        other[:, place] = (x[:, place] + 1) % 5
        after = network(params, other[None], Context())
        assert torch.equal(after[:, :, :place], before[:, :, :place])
        assert (after[:, :, place] != before[:, :, place]).any()


def test_turned_queries_and_keys_know_their_distance_alone():
    q, k = torch.randn(2, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    cos, sin = rotary_tables(30, 6, q)
    turned_q, turned_k = (rotate(v.expand(30, 6), cos, sin) for v in (q, k))
    products = turned_q @ turned_k.T
    for distance in (0, 3, 11):
        along = products.diagonal(distance)
        torch.testing.assert_close(along, along[:1].expand_as(along), rtol=1e-11, atol=1e-12)
    assert products[0, 0] != products[0, 3]
    torch.testing.assert_close(products[0, 0], q @ k)


@pytest.mark.parametrize("tied", [True, False])
def test_roles_are_right_for_muon_and_decay(tied):
    base = h.Recipe(
        data=LANGUAGE,
        model=h.GPT(width=8, layers=1, heads=2, tied=tied),
        optimizer=h.AdamW(lr=0.1, weight_decay=0.1),
        steps=1,
    )
    slots = program_of(resolve(base)).layout.slots
    moved = {name for name, slot in slots.items() if is_hidden_matrix(slot)}
    assert moved == {f"block.0.{name}.weight" for name in ("qkv", "mix", "up", "down")}
    assert slots["block.0.qkv.weight"].fused == 3
    exempt = {name for name, slot in slots.items() if slot.role in ("bias", "norm")}
    assert exempt == {n for n in slots if n.endswith(".bias") or "norm" in n}
    assert slots["tokens.weight"].role == slots["position.weight"].role == "embedding"
    assert ("out.weight" in slots) != tied


def test_initial_weights_are_gpt_2_s_and_another_init_s_where_it_is_named():
    model = h.GPT(width=64, layers=8, heads=4, tied=False)
    base = h.Recipe(data=LANGUAGE, model=model, optimizer=h.SGD(lr=0.1), steps=1)
    program = program_of(resolve(base))
    views = program.layout.views(initial_weights(program, [0]))
    for name, view in views.items():
        numbers = view[0].double().numpy().ravel()
        if name.endswith(".bias"):
            assert not numbers.any()
        elif "norm" in name:
            assert (numbers == 1).all()
        else:
            residual = name.endswith(("mix.weight", "down.weight"))
            expected = 0.02 / math.sqrt(2 * 8) if residual else 0.02
            error = 4 / math.sqrt(2 * numbers.size)  # four deviations of a sample's
            assert np.std(numbers) == pytest.approx(expected, rel=error), name
    xavier = program_of(resolve(base.with_values({"init": "Xavier"})))
    views = xavier.layout.views(initial_weights(xavier, [0]))
    assert float(views["block.0.up.weight"].std()) == pytest.approx(math.sqrt(2 / 320), rel=0.02)


def test_dropout_acts_in_training_alone():
    base = h.Recipe(
        data=LANGUAGE,
        model=h.GPT(width=8, layers=1, heads=2),
        optimizer=h.SGD(lr=0.1),
        steps=5,
        eval_every=5,
    )
    plain, dropped = (
        h.train(base.with_values({"regularizers": parts})).curves
        for parts in ([], [h.Dropout(rate=0.5).dump()])
    )
    assert plain["valid/loss"].iloc[0] == dropped["valid/loss"].iloc[0]
    assert plain["batch/loss"].iloc[-1] != dropped["batch/loss"].iloc[-1]


@pytest.mark.parametrize(
    "model, sizes, said",
    [
        (h.GPT(), DataSizes((4,), 3), "sequence of tokens"),
        (h.GPT(), DataSizes((4, 2), 3, vocabulary=3), "sequence of tokens"),
        (h.GPT(width=10, heads=4), DataSizes((4,), 3, vocabulary=3), "divisor of width 10, got 4"),
        (
            h.GPT(width=6, heads=2, positions="rotary"),
            DataSizes((4,), 3, vocabulary=3),
            "even number of features",
        ),
        (h.GPT(), DataSizes((4,), 9, vocabulary=3), "set tied: false"),
    ],
)
def test_what_can_not_be_built_is_said(model, sizes, said):
    with pytest.raises(ValueError, match=said):
        model.network_for(sizes)


def test_tied_embeddings_may_be_more_than_the_outputs():
    network = h.GPT(width=8, heads=2).network_for(DataSizes((7,), 3, vocabulary=5))
    params, _ = drawn(network)
    x = torch.zeros(1, 2, 7, dtype=torch.int64)
    assert network(params, x, Context()).shape == (3, 2, 7, 3)


def test_the_data_of_these_tests_have_tokens():
    assert load_data(Data.parse(LANGUAGE)).vocabulary == 5


@pytest.mark.parametrize("name", NAMES)
def test_bits_do_not_depend_on_place_or_company(name):
    base = h.Recipe(
        data=LANGUAGE,
        model=MODELS[name].model,
        optimizer=h.Muon(lr=0.02),
        batch_size=33,
        epochs=2,
        regularizers=[h.Dropout(rate=0.1)],
    )
    others = [Run.of(base, seed) for seed in (5, 6, 7)]
    alone, after, before = (
        outcomes([Run.of(base, 0)]),
        outcomes([*others, Run.of(base, 0)]),
        outcomes([Run.of(base, 0), *others[:1]]),
    )
    assert numbers(alone[0]) == numbers(after[3]) == numbers(before[0])
