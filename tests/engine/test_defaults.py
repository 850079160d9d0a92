"""What a recipe leaves to its data (model, loss), and what is counted and dropped at the edges."""

import pytest
import torch

import harness as h
from harness.core.errors import HarnessError
from harness.data.tabular import Iris
from harness.engine.batching import optimizer_numbers
from harness.engine.cohort import start
from harness.engine.hyperparameters import dropout_rate, stack_hyperparameters
from harness.engine.leaving import drop
from harness.engine.loop import advance
from harness.engine.program import program_of
from harness.protocol.check import check_study
from harness.protocol.train import train_outcomes
from harness.spec.arms import Run
from harness.spec.resolved import resolve
from tests.cases import OPTIMIZERS


class Offering(Iris):
    """Data with a model of its own that drops, and a loss with a number."""

    smoothing: float = 0.7

    def default_model(self):
        return h.MLP(widths=(8,), dropout=0.5)

    def default_loss(self):
        return h.Huber(delta=self.smoothing)


def recipe(**fields):
    base = {"data": "tests.engine.test_defaults.Offering", "optimizer": h.SGD(lr=0.1), "epochs": 2}
    return h.Recipe(**base | fields)


def curve(made):
    return train_outcomes(made, [0])[0].series("train/loss")


def test_dropout_acts_on_a_default_model_with_a_place_for_it():
    assert dropout_rate(resolve(recipe())) == 0.5
    assert dropout_rate(resolve(recipe(regularizers=[h.Dropout(rate=0.1)]))) == 0.1
    named = recipe(model=h.MLP(widths=(8,), dropout=0.5), loss=h.Huber(delta=0.7))
    assert curve(recipe()) == curve(named)
    assert curve(recipe(regularizers=[h.Dropout(rate=0.1)])) != curve(recipe())


def test_dropout_on_a_default_model_without_a_place_is_refused_by_the_plan():
    made = h.Recipe(
        data="rosenbrock", optimizer=h.SGD(lr=0.1), steps=3, regularizers=[h.Dropout(rate=0.1)]
    )
    study = h.Study(name="dropped", question="?", recipe=made)
    with pytest.raises(HarnessError, match="model Parameters has no place for Dropout; use MLP"):
        check_study(study)


def test_the_numbers_of_a_default_loss_are_columns():
    made = resolve(recipe())
    hyper = stack_hyperparameters([made, made], torch.device("cpu"), torch.float64)
    assert hyper.loss["delta"].tolist() == [0.7, 0.7]


def test_an_empty_cohort_has_nobody_to_drop():
    cohort = advance(start([Run.of(recipe(), 0)], test=False))
    assert not cohort.members
    drop(cohort, [0], "pruned")
    assert cohort.outcomes[0].status == "finished"


KEPT = {"SGD": 0, "momentum": 1, "Adam": 2, "Adadelta": 3, "Muon": 3, "Schedule-Free AdamW": 3}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_memory_counts_the_optimizer_s_own_state(name):
    made = recipe(model=h.MLP(widths=(8, 8)), optimizer=OPTIMIZERS[name].optimizer)
    program = program_of(resolve(made))
    counted = optimizer_numbers(program)
    trained = next(step for step in program.times.evaluations if step)
    cohort = advance(start([Run.of(made, 0)], test=False), until=trained)

    def numbers(state):
        if isinstance(state, torch.Tensor):
            return state.numel()
        return sum(map(numbers, state)) if isinstance(state, (tuple, list)) else 0

    assert counted == numbers(cohort.states)
    if name in KEPT:
        assert counted // program.layout.width == KEPT[name]
