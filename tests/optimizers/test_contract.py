"""The contract of every optimizer: memory, fields, preconditioner, threshold, columns, members, classes.

Each check is a function that the tests run over the table of optimizers, and over a wrong optimizer that it must catch.
"""

import inspect
from typing import ClassVar, NamedTuple

import pytest
import torch

import harness as h
from harness.core.parameter_layout import layout_of
from harness.core.registry import REGISTRY, lookup
from harness.engine.optimizer_groups import fields_in
from harness.optimizers import adam_family
from harness.optimizers.base import Optimizer
from harness.spec.space import NonNegative
from tests.cases import OPTIMIZERS
from tests.optimizers.rows import LAYOUT, gradients, hyper_of, numbers, rows, starts

PRECONDITIONED = [name for name, case in OPTIMIZERS.items() if case.gradient_weight]


def trajectory(optimizer, steps=12):
    """Weights (steps, 1, P) after each update; every call gets memory of its own."""
    w_KP, path = rows(starts()), []
    state, hyper = optimizer.init(w_KP.clone()), hyper_of(optimizer)
    for g in gradients(steps):
        w_KP, state = optimizer.update(rows(g), state, w_KP.clone(), hyper, LAYOUT)
        path.append(w_KP.clone())
    return torch.stack(path)


# --- memory


def check_memory(optimizer):
    """Lend one buffer for the gradient and one for the weights, and poison both between the calls."""
    g_KP, w_KP = rows(starts()), rows(starts())
    state, hyper, path = optimizer.init(w_KP), hyper_of(optimizer), []
    for g in gradients(12):
        lent = rows(g)
        moved_KP, state = optimizer.update(g_KP.copy_(lent), state, w_KP, hyper, LAYOUT)
        assert torch.equal(g_KP, lent), "the gradient is not the optimizer's to change"
        path.append(moved_KP.clone())
        g_KP.fill_(torch.nan)
        w_KP.fill_(torch.nan)
        w_KP.copy_(path[-1])
    assert torch.equal(torch.stack(path), trajectory(optimizer)), "lent memory was kept"
    lent = {t.untyped_storage().data_ptr() for t in (g_KP, w_KP)}
    kept = {v.untyped_storage().data_ptr() for v in state if isinstance(v, torch.Tensor)}
    assert not lent & kept, "the state holds lent memory"


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer_keeps_no_lent_memory(name):
    check_memory(OPTIMIZERS[name].optimizer)


class LastGradient(NamedTuple):
    m_KP: torch.Tensor
    last_KP: torch.Tensor


class Adan(Optimizer):
    """Two terms of Adan (Xie et al. 2023): the running mean is of g + (g − last g)."""

    def init(self, w_KP):
        return LastGradient(w_KP.new_zeros(w_KP.shape), w_KP.new_zeros(w_KP.shape))

    def keep(self, g_KP):
        return g_KP.clone()

    def update(self, g_KP, state, w_KP, hyper, layout):
        m_KP = state.m_KP.lerp_(2 * g_KP - state.last_KP, 0.1)
        return w_KP.sub_(hyper["lr"] * m_KP), LastGradient(m_KP, self.keep(g_KP))


class ForgetfulAdan(Adan):
    """Keeps the last gradient without a copy, whose memory is the next gradient's."""

    def keep(self, g_KP):
        return g_KP


class Trespasser(Adan):
    """Scales the gradient in place, which probes have still to see."""

    def update(self, g_KP, state, w_KP, hyper, layout):
        return w_KP - g_KP.mul_(hyper["lr"]), state


class Anchored(Adan):
    """Pulls towards the first weights, kept without a copy."""

    def init(self, w_KP):
        return LastGradient(w_KP, w_KP.new_zeros(w_KP.shape))

    def update(self, g_KP, state, w_KP, hyper, layout):
        return w_KP - hyper["lr"] * (g_KP + w_KP - state.m_KP), state


def test_the_check_of_memory_catches_what_it_should():
    check_memory(Adan(lr=0.1))
    for wrong in (ForgetfulAdan, Trespasser, Anchored):
        with pytest.raises(AssertionError, match="kept|holds|not the optimizer's"):
            check_memory(wrong(lr=0.1))


# --- fields


def other_value(value):
    """A legal value of a field that is far from the given one."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, tuple):
        return ()
    if isinstance(value, int):
        return max(1, value // 2)
    assert isinstance(value, float), f"say in the table how a field of {value!r} may change"
    return 0.25 if value == 0.5 else 0.5


def check_fields(optimizer, needs):
    for field in type(optimizer).model_fields:
        one = type(optimizer)(**optimizer.model_dump() | needs.get(field, {}))
        other = type(optimizer)(**one.model_dump() | {field: other_value(getattr(one, field))})
        assert not torch.allclose(trajectory(one), trajectory(other), rtol=1e-6), (
            f"{field} does nothing"
        )


FIRST_CASES = {type(case.optimizer).__name__: name for name, case in reversed(OPTIMIZERS.items())}


@pytest.mark.parametrize("cls", FIRST_CASES)
def test_every_field_acts(cls):
    case = OPTIMIZERS[FIRST_CASES[cls]]
    check_fields(case.optimizer, case.needs)


class Idle(Adan):
    damping: NonNegative = 0.1


def test_the_check_of_fields_catches_an_idle_one():
    check_fields(Adan(lr=0.1), {})
    with pytest.raises(AssertionError, match="damping does nothing"):
        check_fields(Idle(lr=0.1), {})


@pytest.mark.parametrize("cls", [h.NAdam, h.RAdam, h.Adamax])
def test_a_retired_field_is_read_and_left_out_with_a_warning(cls):
    with pytest.warns(FutureWarning, match=f"{cls.__name__} has no field 'bias_correction'"):
        read = Optimizer.parse({"name": cls.__name__, "lr": 0.1, "bias_correction": False})
    assert read == cls(lr=0.1) and "bias_correction" not in read.dump()


# --- what it divides by, and where it stops being stable


def stepped(optimizer, steps):
    """Return the state after some updates with an ε that matters, the weights, the next gradient and the fields."""
    w_KP, hyper = rows(starts()), hyper_of(optimizer)
    state, (*seen, last) = optimizer.init(w_KP), gradients(steps)
    for g in seen:
        w_KP, state = optimizer.update(rows(g), state, w_KP, hyper, LAYOUT)
    return state, w_KP, rows(last), hyper


def copied(state):
    return type(state)(*(v.clone() if isinstance(v, torch.Tensor) else v for v in state))


@pytest.mark.parametrize("steps", [1, 2, 5, 6, 9])  # RAdam is adaptive from the sixth
@pytest.mark.parametrize("name", PRECONDITIONED)
def test_preconditioner_is_what_the_gradient_is_divided_by(name, steps):
    """A gradient g and its mirror image −g leave the same divisor D, so the weights that they lead to differ by 2ηcg/D."""
    case = OPTIMIZERS[name]
    optimizer = case.optimizer.model_copy(update={"eps": 0.1})
    state, w_KP, g_KP, hyper = stepped(optimizer, steps)
    one_KP, after = optimizer.update(g_KP, copied(state), w_KP.clone(), hyper, LAYOUT)
    mirror_KP, _ = optimizer.update(-g_KP, copied(state), w_KP.clone(), hyper, LAYOUT)
    weight = case.gradient_weight(steps, numbers(optimizer))
    expected_KP = 2 * hyper["lr"] * weight * g_KP / optimizer.preconditioner(after, hyper)
    assert torch.allclose(mirror_KP - one_KP, expected_KP, rtol=1e-9, atol=1e-14)


def test_others_divide_by_nothing():
    for name in OPTIMIZERS.keys() - set(PRECONDITIONED):
        optimizer = OPTIMIZERS[name].optimizer
        state, *_, hyper = stepped(optimizer, 2)
        assert optimizer.preconditioner(state, hyper) is None


FAR = {"lr": 0.5, "eps": 1.0, "weight_decay": 0.5, "beta2": 0.9, "momentum_decay": 100.0}
"""Values with which every field shows in the threshold, and with which what changes over time soon stops to."""
STABLE = {name: OPTIMIZERS[name].optimizer.model_copy(update={
    field: value for field, value in FAR.items() if field in type(OPTIMIZERS[name].optimizer).model_fields
}) for name, case in OPTIMIZERS.items()
    if type(case.optimizer).stability_threshold is not Optimizer.stability_threshold}  # fmt: skip
STABLE["NAdam at half its momentum"] = h.NAdam(lr=0.5, eps=1.0, momentum_decay=0.0)


def growth(optimizer, curvature):
    """How much larger a weight is after up to 4,000 updates on ½hθ²; at 1e20 it has diverged.

    The weight is so small that ε, which is 1, is all that its gradient is divided by. A corrected mean overshoots at
    first by 1/(1−β₁), stable or not: divergence shows later.
    """
    layout = layout_of({"w": (1,)})
    hyper = hyper_of(optimizer, layout=layout)
    w_KP = torch.full((1, 1), 1e-40, dtype=torch.float64)
    state, first = optimizer.init(w_KP), float(w_KP)
    for _ in range(4000):
        w_KP, state = optimizer.update(curvature * w_KP, state, w_KP.clone(), hyper, layout)
        if abs(float(w_KP)) > 1e20 * first:
            break
    return abs(float(w_KP)) / first, state


@pytest.mark.parametrize("name", STABLE)
def test_threshold_is_where_a_quadratic_stops_being_stable(name):
    optimizer, layout = STABLE[name], layout_of({"w": (1,)})
    hyper = hyper_of(optimizer, layout=layout)
    _, state = growth(optimizer, 1e-3)
    threshold = float(optimizer.stability_threshold(state, hyper))
    divisor = optimizer.preconditioner(state, hyper)
    assert divisor is None or float(divisor) == pytest.approx(1.0)
    assert growth(optimizer, 0.99 * threshold)[0] < 1e-3
    assert growth(optimizer, 1.01 * threshold)[0] > 1e20


# --- columns, members, classes


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_coordinatewise_optimizer_moves_columns_as_it_moves_rows(name):
    optimizer, blocks = OPTIMIZERS[name].optimizer, (slice(0, 64), slice(64, LAYOUT.width))
    assert optimizer.coordinatewise == (name not in ("Muon", "Adafactor", "SOAP"))
    if not optimizer.coordinatewise:
        return
    w_KP, hyper = rows(starts()), hyper_of(optimizer)
    own = [fields_in(hyper, columns, LAYOUT) for columns in blocks]
    states = [optimizer.init(w_KP[:, columns]) for columns in blocks]
    for g in gradients(12):
        moved = [
            optimizer.update(rows(g)[:, columns], state, w_KP[:, columns].clone(), fields, LAYOUT)
            for columns, state, fields in zip(blocks, states, own, strict=True)
        ]
        w_KP, states = torch.cat([w for w, _ in moved], 1), [state for _, state in moved]
    assert torch.equal(w_KP, trajectory(optimizer)[-1])


def test_the_promise_of_columns_is_not_inherited_with_another_update():
    class Normalised(Adan):
        coordinatewise: ClassVar[bool] = True

        def update(self, g_KP, state, w_KP, hyper, layout):
            return w_KP - g_KP, state

    class Rowwise(Normalised):
        def update(self, g_KP, state, w_KP, hyper, layout):
            return w_KP - g_KP / g_KP.norm(), state

    assert Normalised.coordinatewise and not Rowwise.coordinatewise


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_member_moves_as_it_does_alone(name):
    one = OPTIMIZERS[name].optimizer
    other = one.model_copy(update={n: 0.5 for n in one.numbers() if getattr(one, n) > 0})
    w_KP, hyper = rows(starts(), 2), hyper_of(one, other)
    state = one.init(w_KP)
    for g in gradients(12):
        w_KP, state = one.update(rows(g, 2), state, w_KP.clone(), hyper, LAYOUT)
    for row, alone in enumerate((one, other)):
        assert torch.allclose(w_KP[row], trajectory(alone)[-1, 0], rtol=1e-12, atol=1e-15)


def overridden(cls):
    """Methods with a body that a class takes from another optimizer's class and writes anew."""
    optional = {n for n in vars(Optimizer) if not getattr(vars(Optimizer)[n], "__isabstractmethod__", 0)}  # fmt: skip
    bodies = [
        {n for n, v in vars(base).items() if inspect.isfunction(v) and not inspect.isabstract(v)}
        for base in cls.__mro__
        if issubclass(base, Optimizer) and base is not Optimizer
    ]
    names = [n for base in bodies for n in base if not n.startswith("__") and n not in optional]
    return {n for n in names if names.count(n) > 1}


@pytest.mark.parametrize("name", REGISTRY["optimizer"].parts)
def test_an_optimizer_is_final_and_overrides_no_body(name):
    cls = lookup("optimizer", name)
    assert getattr(cls, "__final__", False) and not inspect.isabstract(cls)
    assert not overridden(cls)
    assert not any(getattr(base, "__final__", False) for base in cls.__mro__[1:])


def test_the_check_of_classes_catches_an_overridden_body():
    assert overridden(ForgetfulAdan) == {"keep"} and overridden(Trespasser) == {"update"}


def test_abstract_classes_can_not_be_made():
    for cls in (Optimizer, adam_family.AdamFamily):
        with pytest.raises(TypeError, match="abstract"):
            cls(lr=0.1)
