"""What holds for every regularizer: who owns the memory, that every field acts, that it is final."""

from typing import ClassVar

import pytest
import torch

import harness as h
from harness.core.errors import HarnessError
from harness.core.noise import Noise
from harness.core.parameter_layout import layout_of
from harness.core.registry import REGISTRY
from harness.protocol.train import train_outcomes
from harness.regularizers.base import Regularizer, RegularizerContext
from harness.spec.space import NonNegative
from tests.cases import REGULARIZERS, regularized

LAYOUT = layout_of({"hidden.weight": (8, 8), "hidden.bias": (8,), "out.weight": (3, 8)})
MEMBERS, SAMPLES = 2, 6


def random_rows(seed):
    stream = torch.Generator().manual_seed(seed)
    drawn = {
        name: torch.randn(MEMBERS, *slot.shape, generator=stream, dtype=torch.float64)
        for name, slot in LAYOUT.slots.items()
    }
    return LAYOUT.pack(drawn, torch.zeros(MEMBERS, LAYOUT.width, dtype=torch.float64))


def context(regularizer, noise=None):
    fields = {
        name: torch.full((MEMBERS,), value, dtype=torch.float64)
        for name, value in regularizer.numbers().items()
    }
    lr_K = torch.full((MEMBERS,), 0.1, dtype=torch.float64)
    return RegularizerContext(fields, lr_K, LAYOUT, slice(0, LAYOUT.width), noise)


def poison(*tensors):
    for tensor in tensors:
        tensor.fill_(torch.nan)


def applied(regularizer, lend, updates=3):
    """Apply all hooks to a few updates; return copies of the batches, gradients and weights.

    With ``lend`` there is one buffer for all batches and one for all gradients, which are NaN as
    soon as they have been used; without, each has memory of its own.
    """
    noise = Noise([0, 1], 0, torch.device("cpu"), torch.float64)
    ctx, results = context(regularizer, noise), []
    shape = (1, 4, 2) if regularizer.for_pictures else (8,)
    x_buffer, y_buffer = (
        torch.empty(MEMBERS, SAMPLES, *each, dtype=torch.float64) for each in (shape, (3,))
    )
    g_buffer, w_KP = torch.empty(MEMBERS, LAYOUT.width, dtype=torch.float64), random_rows(0)
    for update in range(updates):
        stream = torch.Generator().manual_seed(update)
        x, y, g = (
            buffer if lend else torch.empty_like(buffer)
            for buffer in (x_buffer, y_buffer, g_buffer)
        )
        x.normal_(generator=stream)
        y.copy_(torch.eye(3).double()[torch.randint(3, y.shape[:2], generator=stream)])
        g.copy_(random_rows(update + 1))
        before = [part.clone() for part in (x, y, g)]
        x_KB, y_KBD = regularizer.batch(x, y, ctx)
        weights_before = w_KP.clone()
        g_KP = regularizer.penalty(regularizer.clip(g, ctx), w_KP, ctx)
        assert torch.equal(w_KP, weights_before), "a penalty only reads the weights"
        assert all(map(torch.equal, before, (x, y, g))), "what is lent is not written into"
        results += [x_KB.clone(), y_KBD.clone(), g_KP.clone()]
        w_KP = regularizer.decay(w_KP, ctx) - 0.1 * g_KP
        if lend:
            poison(x, y, g)
        w_KP = regularizer.constrain(w_KP, ctx)
        results.append(w_KP.clone())
    return results


@pytest.mark.parametrize("name", REGULARIZERS)
def test_regularizers_neither_write_into_nor_keep_what_is_lent(name):
    lent, own = (applied(REGULARIZERS[name], lend) for lend in (True, False))
    for a, b in zip(lent, own, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


KEPT: dict[str, torch.Tensor] = {}


class Averaging(Regularizer):
    """Wrong: it keeps the last gradient, whose memory is the next one's."""

    def clip(self, g_KC, ctx):
        last = KEPT.get("g", g_KC)
        KEPT["g"] = g_KC
        return (g_KC + last) / 2


class ClippingInPlace(Regularizer):
    """Wrong: it writes into the gradient, which probes read afterwards."""

    coordinatewise: ClassVar[bool] = True

    def clip(self, g_KC, ctx):
        return g_KC.clamp_(-0.1, 0.1)


class ShrinkingPenalty(Regularizer):
    """Wrong: a penalty that changes the weights."""

    def penalty(self, g_KC, w_KC, ctx):
        return g_KC + 0.1 * w_KC.mul_(0.5)


def test_the_contract_finds_a_kept_gradient():
    results = []
    for lend in (True, False):
        KEPT.clear()
        results.append(applied(Averaging(), lend))
    assert any(not torch.equal(a, b) for a, b in zip(*results, strict=True))


@pytest.mark.parametrize("wrong", [ClippingInPlace(), ShrinkingPenalty()], ids=type)
def test_the_contract_finds_what_writes_into_lent_memory(wrong):
    with pytest.raises(AssertionError, match="not written into|only reads"):
        applied(wrong, lend=True)


def trajectory(regularizer):
    recipe = h.Recipe(
        data=h.Digits(train_size=120),
        model=h.MLP(widths=(9, 6)),
        optimizer=h.Adam(lr=0.05),
        batch_size=20,
        epochs=25,
        dtype="float64",
    )
    (outcome,) = train_outcomes(regularized(recipe, regularizer), [0])
    return outcome.series("train/loss")


def fields_to_change():
    """Every numeric and boolean field of every regularizer, and the roles that it leaves out."""
    for name, regularizer in REGULARIZERS.items():
        for field in type(regularizer).model_fields:
            if isinstance(getattr(regularizer, field), (int, float, tuple)):
                yield pytest.param(name, field, id=f"{name} {field}")


OTHER = {"min_delta": 0.5, "patience": 4}
"""Values that differ enough; others are halved."""


@pytest.mark.parametrize("name, field", list(fields_to_change()))
def test_every_field_acts(name, field):
    regularizer = REGULARIZERS[name]
    value = getattr(regularizer, field)
    if isinstance(value, tuple):
        other = ()
    else:
        other = not value if isinstance(value, bool) else OTHER.get(field, value / 2)
    changed = regularizer.model_copy(update={field: other})
    assert trajectory(regularizer) != trajectory(changed)


def test_every_registered_regularizer_has_a_case():
    assert {type(r).__name__ for r in REGULARIZERS.values()} == set(REGISTRY["regularizer"].parts)


@pytest.mark.parametrize("name", REGISTRY["regularizer"].parts)
def test_regularizers_are_final(name):
    cls = getattr(h, name)
    assert cls.__final__ and cls.__mro__[1] is Regularizer


@pytest.mark.parametrize("name", REGULARIZERS)
def test_both_kinds_of_update_apply_regularizers_alike(name):
    """Another library's SGD is the engine's; the gradient is taken before the weights decay."""
    recipe = h.Recipe(
        data=h.Digits(train_size=120),
        model=h.MLP(widths=(9, 6)),
        optimizer=h.SGD(lr=0.1),
        batch_size=20,
        epochs=3,
        dtype="float64",
    )
    recipe = regularized(recipe, REGULARIZERS[name])
    theirs = recipe.with_values({"optimizer": {"name": "torch.optim.SGD", "lr": 0.1}})
    ours_loss, their_loss = (
        train_outcomes(r, [0])[0].series("train/loss") for r in (recipe, theirs)
    )
    assert ours_loss == pytest.approx(their_loss, rel=1e-9)


class MatrixDecay(Regularizer):
    """½λ‖W‖² of matrices alone: biases and norms are left out, by the shape of each parameter."""

    coordinatewise: ClassVar[bool] = True
    strength: NonNegative = 0.1

    def penalty(self, g_KC, w_KC, ctx):
        g_KC = g_KC.clone()
        weights = ctx.views(w_KC)
        for name, g in ctx.views(g_KC).items():
            if g.ndim > 2:
                g += ctx.hyper["strength"][:, None, None] * weights[name]
        return g_KC


@pytest.mark.parametrize("apart", [True, False])
def test_a_penalty_sees_which_parameter_it_penalises(apart):
    own, blocks = MatrixDecay(strength=0.5), LAYOUT.blocks(64 if apart else 10**9)
    assert len(blocks) == (2 if apart else 1)
    g_KP, w_KP = random_rows(1), random_rows(0)
    ctx = context(own)
    parts = [
        own.penalty(g_KP[:, columns], w_KP[:, columns], ctx._replace(columns=columns))
        for columns in blocks
    ]
    added = LAYOUT.views(torch.cat(parts, 1) - g_KP)
    weights = LAYOUT.views(w_KP)
    for name, slot in LAYOUT.slots.items():
        expected = 0.5 * weights[name] * (len(slot.shape) > 1)
        torch.testing.assert_close(added[name], expected)


def test_a_hook_of_the_old_form_is_refused_with_the_new_one():
    with pytest.raises(HarnessError, match=r"Old.constrain: .*\(self, w_KP, ctx\), got .*hyper\)"):

        class Old(Regularizer):
            def constrain(self, w_KP, layout, hyper):
                return w_KP


def test_mixup_takes_inputs_that_members_share():
    """As a full batch is given: one copy of the inputs for all members."""
    ctx = context(h.Mixup(alpha=1.0), Noise([0, 1], 0, torch.device("cpu"), torch.float64))
    x_1B, y_KBD = torch.randn(1, 5, 4).double(), torch.rand(MEMBERS, 5, 3).double()
    x_KB, mixed_KBD = h.Mixup(alpha=1.0).batch(x_1B, y_KBD, ctx)
    again = context(h.Mixup(alpha=1.0), Noise([0, 1], 0, torch.device("cpu"), torch.float64))
    own_KB, own_KBD = h.Mixup(alpha=1.0).batch(x_1B.expand(2, -1, -1).clone(), y_KBD, again)
    assert torch.equal(x_KB, own_KB) and torch.equal(mixed_KBD, own_KBD)


def test_dropout_declares_its_rate_and_takes_the_place_of_the_model_s():
    from harness.engine.hyperparameters import dropout_rate
    from harness.spec.resolved import resolve

    def rate(model, *regularizers):
        recipe = h.Recipe(
            data="iris",
            model=model,
            optimizer=h.SGD(lr=0.1),
            steps=1,
            regularizers=regularizers,
        )
        return dropout_rate(resolve(recipe))

    assert rate(h.MLP()) == 0 and rate(h.MLP(dropout=0.3)) == 0.3
    assert rate(h.MLP(dropout=0.3), h.Dropout(rate=0.1)) == 0.1
    assert rate(h.MLP(dropout=0.3), h.Dropout(rate=0.0)) == 0
    assert rate(h.Linear()) == 0
