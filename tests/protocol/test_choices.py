"""Choices of any type: through the search, the store, the figures, `reproduce`, and back."""

import io
import json

import numpy as np
import optuna
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

import harness as h
from harness import results
from harness.analysis.results import Results
from harness.core.study_record import StudyRecord, TrialEntry
from harness.protocol.reproduce import reproduce, run_of
from harness.protocol.run import Options, run_study
from harness.protocol.runs import key_of
from harness.protocol.search_space import count_trials, grid_size, recipe_form, sampled_forms
from harness.protocol.trial_storage import open_storage
from harness.protocol.tuner import ArmTuner
from harness.report.figures.base import FigureContext
from harness.report.figures.parallel import compute_parallel
from harness.report.figures.sensitivity import compute_sensitivity, value_name
from harness.report.page import render
from harness.report.winner_table import winner_table
from harness.spec.arms import Arm
from harness.spec.files import load_study
from harness.spec.space import parse_space
from harness.tracking import load_run

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([0.0, 1.0, 0.5, 1e-300])
    | st.sampled_from(["", "1", "true", "null", "[1]", "full", "ü", "yes"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "name"]), inner, max_size=2)
    ),
    max_leaves=5,
)
"""Options: single values of every type that Python or YAML takes for another, and nests of them."""
CHOICES = st.lists(ANYTHING, min_size=1, max_size=5, unique_by=lambda v: json.dumps(v, sort_keys=True))  # fmt: skip


class Optioned(torch.optim.SGD):
    """Gradient descent that takes arguments of any type."""

    def __init__(self, params, lr, options=None, clip=None, betas=(0.9, 0.99)):
        assert len(betas) == 2 and (options is None or isinstance(options, dict))
        assert clip is None or type(clip) in (int, bool)
        super().__init__(params, lr=lr, momentum=(options or {}).get("momentum", 0.0))


def typed(value):
    """Return a value in a form that is equal for equal types only: 1, 1.0 and True are equal."""
    return json.dumps(value, sort_keys=True)


def study_of_choices(**fields):
    outside = h.ExternalOptimizer(
        "tests.protocol.test_choices.Optioned",
        lr=h.Choice(0.05, 0.1),
        options=h.Choice({"momentum": 0.5}, {"momentum": 0.9, "why": [None]}, None),
        clip=h.Choice(1, True, None),
        betas=h.Choice((0.9, 0.99), (0.8, 0.9)),
    )
    own = h.SGD(lr=h.Choice(0.05, 0.1), momentum=0.9, nesterov=h.Choice(False, True))
    return h.Study(
        **{
            "name": "choices",
            "recipe": h.Recipe(
                data="iris",
                model=h.MLP(
                    widths=h.Choice((4,), (4, 4)),
                    activation=h.Choice("relu", "tanh"),
                    norm=h.Choice("none", "layer"),
                    bias=h.Choice(True, False),
                ),
                optimizer=own,
                epochs=2,
            ),
            "compare": {"optimizer": {"own": own, "outside": outside}},
            "search": h.Search(trials=12, batch=12, sampler="random", objective="train/loss"),
            "seeds": 2,
        }
        | fields
    )


@settings(max_examples=150, deadline=None)
@given(CHOICES)
def test_choices_survive_json_yaml_and_the_sampler_with_their_types(options):
    choice = h.Choice(*options)
    again = parse_space(json.loads(json.dumps(choice.dump())))
    text, yaml = io.StringIO(), YAML()
    yaml.dump(choice.dump(), text)
    from_yaml = parse_space(YAML(typ="safe").load(text.getvalue()))
    assert choice == again == from_yaml and hash(choice) == hash(again) == hash(from_yaml)
    assert typed(choice.options) == typed(options) == typed(from_yaml.options)
    forms = sampled_forms(choice)
    optuna.distributions.CategoricalDistribution(forms)
    assert len(set(forms)) == len(options), "Optuna tells them apart by =="
    assert [typed(recipe_form(choice, form)) for form in forms] == [typed(o) for o in options]


@settings(max_examples=60, deadline=None)
@given(CHOICES)
def test_values_of_trials_survive_the_store_and_stand_in_tables(options):
    trials = [
        TrialEntry("A", i, "finished", 0.5, {"optimizer.x": v}) for i, v in enumerate(options)
    ]
    plain = StudyRecord([], trials, {}, {}, {}).to_plain()
    back = StudyRecord.from_plain(json.loads(json.dumps(plain)))
    assert [typed(t.values["optimizer.x"]) for t in back.trials] == [typed(o) for o in options]


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc", "gp", "cmaes", "grid"])
@pytest.mark.filterwarnings("ignore")
def test_every_sampler_asks_for_options_of_their_own_type(sampler):
    outside = study_of_choices().compare["optimizer"]["outside"]
    recipe = h.Recipe(data="iris", model=h.MLP(), optimizer=outside, epochs=1)
    tuner = ArmTuner(Arm("A", {}, recipe), h.Search(trials=36, batch=18, sampler=sampler))
    seen = {"options": set(), "clip": set(), "betas": set()}
    while tuner.trials_left:
        for ask in tuner.ask():
            for name, forms in seen.items():
                value = ask.values[f"optimizer.{name}"]
                assert typed(ask.recipe.optimizer.args[name]) == typed(value)
                forms.add(typed(value))
            tuner.tell(ask.number, float(ask.number), "finished")
    assert seen["clip"] == {"1", "true", "null"}
    assert seen["betas"] == {"[0.9, 0.99]", "[0.8, 0.9]"} and len(seen["options"]) == 3


def test_a_study_of_choices_goes_through_search_store_figures_and_reproduce(folder):
    study = study_of_choices()
    run_study(study, Options(workers=0))
    loaded = results.load("choices")
    assert loaded.study == study, "from the store"
    trials = loaded.trials
    outside = trials[trials["arm"] == "outside"]
    assert set(map(value_name, outside["optimizer.clip"])) == {"1", "true", "null"}
    assert set(outside["optimizer.options"]) == {
        '{"momentum": 0.5}', '{"momentum": 0.9, "why": [null]}', "null",
    }  # fmt: skip
    own = trials[trials["arm"] == "own"]
    assert {type(v) for v in own["optimizer.nesterov"]} <= {bool, np.bool_}
    check_figures(loaded)
    assert "optimizer.nesterov" in render(loaded)
    for rows in (loaded.confirmed, loaded.searched):
        for run in rows.groupby("arm")["run_id"].first():
            assert reproduce(run).verdict in ("identical", "within tolerance")


def check_figures(loaded: Results) -> None:
    """No trial is left out of a figure, whatever the type of its value."""
    context = FigureContext.of(loaded)
    panels = {panel.name: panel for panel in compute_sensitivity(context).panels}
    count = loaded.trials["value"].notna().groupby(loaded.trials["arm"]).sum()
    for path in ("optimizer.clip", "optimizer.options", "optimizer.betas", "model.widths"):
        assert len(panels[path].points["outside"]) == count["outside"], path
    assert panels["optimizer.clip"].values == ("1", "null", "true"), "numbers first, names by name"
    assert panels["optimizer.nesterov"].values == ("false", "true")
    assert panels["optimizer.lr"].values == (), "numbers have an axis of numbers"
    axes = {axis.title: axis for axis in compute_parallel(context).arms["outside"].axes}
    assert {text for _, text in axes["optimizer.clip"].ticks} == {"1", "null", "true"}
    rows = {row.arm: row.values for row in winner_table(loaded).rows}
    won = loaded.winners["outside"][0].recipe["optimizer"]["options"]
    assert f"optimizer.options = {won}" in rows["outside"]


def test_optuna_s_storage_has_the_choices(folder):
    run_study(study_of_choices(seeds=1), Options(workers=0))
    stored = [s for s in optuna.get_all_study_summaries(open_storage(None)) if "/outside" in s.study_name]  # fmt: skip
    params = [t.params for t in optuna.load_study(study_name=stored[0].study_name, storage=open_storage(None)).trials]  # fmt: skip
    assert {p["optimizer.clip"] for p in params} == {"1", "true", "null"}


@pytest.mark.parametrize("ending", ["yaml", "json"])
def test_a_study_of_choices_is_written_and_read(ending, tmp_path):
    study, path = study_of_choices(), tmp_path / f"study.{ending}"
    with path.open("w", encoding="utf-8") as file:
        (YAML().dump if ending == "yaml" else json.dump)(study.dump(), file)
    assert load_study(path) == study


def test_a_grid_has_every_option_once():
    spaces = {"a": h.Choice(None, 1, True), "b": h.IntUniform(1, 3), "c": h.LogUniform(0.1, 1.0)}
    search = h.Search(trials=7, sampler="grid", grid=4)
    assert grid_size(spaces, search) == 3 * 3 * 4
    assert count_trials(spaces, search) == 7 and count_trials({}, search) == 0
    assert count_trials(spaces, h.Search(trials=99, sampler="grid", grid=4)) == 36
    assert count_trials(spaces, h.Search(trials=99)) == 99


def test_options_of_one_text_are_reproduced_by_the_run_s_key(folder):
    outside = h.ExternalOptimizer(
        "tests.protocol.test_choices.Texts", lr=0.1, kind=h.Choice(1, "1", True, "true")
    )
    study = study_of_choices(compare={"optimizer": {"outside": outside}}, seeds=1)
    run_study(study, Options(workers=0))
    searched = results.load("choices").searched
    kinds = set()
    for run in searched["run_id"]:
        record = load_run(run)
        kinds.add(typed(run_of(record).recipe.optimizer.args["kind"]))
        assert key_of(run_of(record)) == record.run.key
    assert kinds == {"1", '"1"', "true", '"true"'}


class Texts(torch.optim.SGD):
    """Gradient descent that takes an argument whose type matters."""

    def __init__(self, params, lr, kind=None):
        super().__init__(params, lr=lr)
