"""The search: bounds, budgets, determinism, pruning and trials in Optuna's storage."""

import copy
import json
import math
import statistics
from collections import Counter
from pathlib import Path

import optuna
import pytest
from optuna.trial import FrozenTrial

import harness as h
from harness.core.errors import StoreError
from harness.protocol.search_space import sobol_points
from harness.protocol.trial_storage import TrialStorage, open_storage
from harness.protocol.tuner import ArmTuner
from harness.spec.arms import Arm
from harness.spec.search import STARTUP

SPACES = {"lr": h.LogUniform(1e-3, 1.0), "momentum": h.Uniform(0.5, 0.9)}


def arm(**extra):
    recipe = h.Recipe(
        data="digits",
        model=h.MLP(widths=h.Choice([8], [16, 16])),
        optimizer=h.SGD(**SPACES),
        batch_size=h.IntUniform(8, 64),
        epochs=1,
    )
    return Arm("A", {}, recipe.with_values(extra))


def searched(search, value=lambda ask: ask.values["optimizer.lr"], the_arm=None):
    made = ArmTuner(the_arm or arm(), search)
    asked = []
    while made.trials_left:
        for ask in (batch := made.ask()):
            asked.append(ask)
        for ask in batch:
            made.tell(ask.number, value(ask), "finished")
    return made, asked


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc", "gp", "cmaes", "grid"])
def test_samplers_keep_to_spaces_and_budget_and_repeat_themselves(sampler):
    search = h.Search(trials=12, batch=5, sampler=sampler)
    made, asked = searched(search)
    again, repeated = searched(search)
    assert [a.values for a in asked] == [a.values for a in repeated] and len(asked) == 12
    for ask in asked:
        assert (
            1e-3 <= ask.values["optimizer.lr"] <= 1
            and 0.5 <= ask.values["optimizer.momentum"] <= 0.9
        )
        assert ask.values["batch_size"] in range(8, 65) and ask.values["model.widths"] in (
            [8],
            [16, 16],
        )
        assert not ask.recipe.spaces()
    number, winner = made.winner()
    assert (
        winner.optimizer.lr == min(a.values["optimizer.lr"] for a in asked)
        and number == again.winner()[0]
    )


def test_another_seed_asks_otherwise():
    assert [a.values for a in searched(h.Search(trials=4, seed=0))[1]] != [
        a.values for a in searched(h.Search(trials=4, seed=1))[1]
    ]


def test_more_trials_go_on_with_the_same_search():
    short, long = (searched(h.Search(trials=n, batch=4))[1] for n in (8, 16))
    assert [a.values for a in long[:8]] == [a.values for a in short]


def test_raising_the_trials_of_a_default_search_keeps_the_first():
    short, long = (searched(h.Search(trials=n))[1] for n in (6, 16))
    assert [a.values for a in long[:6]] == [a.values for a in short]


def distance(ask):
    """A valley at lr = 0.03, momentum = 0.6."""
    lr, momentum = ask.values["optimizer.lr"], ask.values["optimizer.momentum"]
    return math.log10(lr / 0.03) ** 2 + 4 * (momentum - 0.6) ** 2


@pytest.mark.parametrize("sampler", ["tpe", "gp", "cmaes"])
def test_trials_after_the_start_learn(sampler):
    """The default's 16 were random search's draw for draw: TPE waited for 10, and knew 8 of 16."""
    two = arm(**{"model.widths": [8], "batch_size": 16})
    search = h.Search(sampler=sampler, trials=12)
    down, up = (
        [ask.values for ask in searched(search, value, two)[1]]
        for value in (distance, lambda ask: -distance(ask))
    )
    assert down[:STARTUP] == up[:STARTUP] and down[STARTUP:] != up[STARTUP:]


def test_the_default_finds_better_trials_than_random_search():
    two = arm(**{"model.widths": [8], "batch_size": 16})
    tpe, random = (
        [searched(h.Search(sampler=name, seed=seed), distance, two) for seed in range(8)]
        for name in (h.Search().sampler, "random")
    )
    assert [a.values for a in tpe[0][1]] != [a.values for a in random[0][1]]
    regret, of_random = (statistics.mean(m.best_value() for m, _ in s) for s in (tpe, random))
    assert regret < 0.6 * of_random


@pytest.mark.parametrize("objective", ["valid/loss", "valid/accuracy"])
def test_diverged_trials_are_told_as_the_worst_finite_value_seen(objective):
    search = h.Search(trials=20, objective=objective)
    infinite = -math.inf if search.maximize else math.inf
    made = ArmTuner(arm(), search)
    for ask in made.ask():
        made.tell(ask.number, infinite, "diverged")
    assert made.finished_trials() == [] and made.best_value() is None, "they wait"
    for ask in made.ask():
        value = {8: 3.0, 9: 5.0}.get(ask.number, infinite)
        made.tell(ask.number, value, "finished" if math.isfinite(value) else "diverged")
    worst = 3.0 if search.maximize else 5.0
    assert [t.value for t in made.finished_trials()] == [worst] * 8 + [3.0, 5.0, worst, worst]
    assert made.winner()[0] == (9 if search.maximize else 8)
    for ask in made.ask():
        made.tell(ask.number, float("nan") if ask.number % 2 else 9.0, "diverged")
    assert all(math.isfinite(t.value) for t in made.finished_trials())


def test_a_search_in_which_all_diverged_ends_and_takes_the_first():
    made, _ = searched(h.Search(trials=16), lambda ask: math.inf)
    assert made.winner()[0] == 0 and made.best_value() is None
    assert len(made.finished_trials()) == 16


def test_sobol_points_are_spread_out_and_another_seed_or_arm_has_others():
    spaces = {"a": h.Uniform(0.0, 1.0), "b": h.LogUniform(1e-4, 1.0), "c": h.IntUniform(1, 4)}
    points = sobol_points(spaces, h.Search(), "A", 16)
    for path, cell in [
        ("a", lambda v: int(16 * v)),
        ("b", lambda v: int(4 * (4 + math.log10(v)))),
    ]:
        assert sorted(cell(point[path]) for point in points) == list(range(16)), "one in each"
    assert sorted(point["c"] for point in points) == sorted([1, 2, 3, 4] * 4)
    assert points[:5] == sobol_points(spaces, h.Search(), "A", 5)
    assert points != sobol_points(spaces, h.Search(seed=1), "A", 16)
    assert points != sobol_points(spaces, h.Search(), "B", 16)


def test_the_sobol_sampler_asks_sobol_points_from_the_first_round_on():
    made = ArmTuner(arm(), h.Search(trials=8, sampler="qmc"))
    lrs = [ask.values["optimizer.lr"] for ask in made.ask()]
    assert sorted(int(8 * (3 + math.log10(lr)) / 3) for lr in lrs) == list(range(8))


def test_grid_is_covered_once():
    one = Arm(
        "A",
        {},
        h.Recipe(
            data="digits",
            model=h.MLP(),
            epochs=1,
            optimizer=h.SGD(lr=h.LogUniform(1e-3, 1e1), momentum=h.Choice(0.0, 0.9)),
        ),
    )
    _, asked = searched(h.Search(trials=50, sampler="grid", grid=5), the_arm=one)
    points = {(round(a.values["optimizer.lr"], 9), a.values["optimizer.momentum"]) for a in asked}
    assert points == {(10.0**k, m) for k in range(-3, 2) for m in (0.0, 0.9)} and len(asked) == 10


def test_maximizing_objective_picks_the_largest():
    made, asked = searched(h.Search(trials=6, objective="valid/accuracy"))
    assert made.winner()[1].optimizer.lr == max(a.values["optimizer.lr"] for a in asked)


def test_diverged_trials_lose_and_do_not_stop_the_search():
    made, asked = searched(h.Search(trials=6), lambda ask: float("inf") if ask.number != 3 else 2.0)
    assert made.winner()[0] == 3 and made.best_value() == 2.0


def test_importance_is_shared_by_two_hyperparameters_or_more():
    two, one = (
        arm(**{"model.widths": [8], "batch_size": 16}),
        arm(**{"model.widths": [8], "batch_size": 16, "optimizer.momentum": 0.9}),
    )
    search = h.Search(trials=24, sampler="random")
    shares = searched(search, the_arm=two)[0].importance()
    assert shares.keys() == {"optimizer.lr", "optimizer.momentum"}
    assert sum(shares.values()) == pytest.approx(1.0)
    assert shares["optimizer.lr"] > 0.9, "the objective is the rate itself"
    assert searched(search, the_arm=one)[0].importance() == {}


@pytest.mark.parametrize("pruner", ["median", "asha", "hyperband"])
def test_pruners_end_the_worst(pruner):
    made = ArmTuner(arm(), h.Search(trials=24, batch=8, pruner=pruner))
    ended = []
    while made.trials_left:
        for ask in made.ask():
            value = float(ask.number % 8)
            gone = any(made.should_prune(ask.number, rung, value) for rung in (1, 2))
            ended += [ask.number] if gone else []
            made.tell(ask.number, value, "pruned" if gone else "finished")
    assert ended and not {n for n in ended if n % 8 == 0}
    assert made.winner()[0] % 8 == 0


def store_trials(made, place):
    storage = TrialStorage(place, "study")
    storage.write_finished([made])
    storage.write_finished([made])
    storage.close()


def test_the_storage_gets_each_trial_once_and_survives_a_torn_line(tmp_path):
    place = str(tmp_path / "o.journal")
    made, _ = searched(h.Search(trials=5))
    store_trials(made, place)
    with Path(place).open("a") as file:
        file.write('{"op_code": 4, "torn')
    store_trials(made, place)
    (summary,) = optuna.get_all_study_summaries(open_storage(place))
    assert summary.n_trials == 5 and summary.study_name.startswith("study/A")
    assert all(json.loads(line) for line in Path(place).read_text().splitlines())


def test_the_copies_of_trials_are_as_many_as_trials(tmp_path, monkeypatch):
    """Copies of all trials at each ask, and for each write, would be the square of their number."""
    copied, whole = Counter(), copy.deepcopy

    def counted(value, *rest):
        listed = value if isinstance(value, list) else [value]
        copied[trials] += sum(isinstance(item, FrozenTrial) for item in listed)
        return whole(value, *rest)

    monkeypatch.setattr(copy, "deepcopy", counted)
    for trials in (20, 40):
        made, _ = searched(h.Search(trials=trials, sampler="tpe"))
        store_trials(made, str(tmp_path / f"{trials}.journal"))
        made.best_value(), made.winner(), made.finished_trials()
    assert copied[40] <= 2.5 * copied[20] + 40


def test_importance_finds_what_mattered():
    made, _ = searched(
        h.Search(trials=40, sampler="random"), lambda ask: abs(ask.values["optimizer.lr"] - 0.03)
    )
    shares = made.importance()
    assert max(shares, key=shares.get) == "optimizer.lr" and sum(shares.values()) == pytest.approx(
        1
    )


def test_arm_without_spaces_asks_nothing():
    plain = ArmTuner(
        Arm("A", {}, h.Recipe(data="digits", model=h.MLP(), epochs=1, optimizer=h.SGD(lr=0.1))),
        h.Search(),
    )
    assert plain.trials_left == 0 and plain.winner()[1].optimizer.lr == 0.1


def test_storage_by_environment_and_without_passwords_in_errors(tmp_path, monkeypatch):
    place = f"sqlite:///{tmp_path / 'o.db'}"
    monkeypatch.setenv("HARNESS_STORAGE", place)
    made, _ = searched(h.Search(trials=3))
    store_trials(made, None)
    (summary,) = optuna.get_all_study_summaries(place)
    assert summary.n_trials == 3
    with pytest.raises(StoreError, match="can't be used") as error:
        open_storage("postgresql://ann:sesame@127.0.0.1:9/none")
    assert "sesame" not in str(error.value)
