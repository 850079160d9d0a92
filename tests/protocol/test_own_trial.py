"""The plan tries a training loop, and says in a sentence what is wrong."""

from __future__ import annotations

import copy
import json

import pytest

import harness as h
from harness.core.errors import SpecError
from harness.protocol import own_trial
from harness.protocol.check import check_study, notes_of
from harness.protocol.plan import plan_study
from harness.trainers.noted_config import NotedConfig


def study(name, **fields):
    base = {"trainer": f"tests.trainers.loops.{name}", "steps": 100, "config": {"lr": 0.1}}
    search = fields.pop("search", None)
    return h.Study(name="s", recipe=h.Recipe(**base | fields), seeds=2, search=search)


@pytest.mark.parametrize(
    "name, said",
    [
        (
            "takes_two",
            "expected a function train(run), got tests.trainers.loops.takes_two(run, oth",
        ),
        ("NO_FUNCTION", "got tests.trainers.loops.NO_FUNCTION, a int"),
        ("fails_at_once", "fails_at_once fails: KeyError: 'no such name' (loops.py:"),
        ("leaves", "leaves fails: SystemExit: enough"),
        ("vanishes", "its process ended with exit code 3; it said last: about to vanish"),
    ],
)
def test_a_loop_that_can_not_be_run_is_refused_in_one_sentence(name, said):
    with pytest.raises(SpecError) as error:
        check_study(study(name))
    assert said in str(error.value) and len(str(error.value).splitlines()) == 2


def test_a_loop_is_tried_for_two_steps_and_planned():
    plan = plan_study(study("walk"), workers=2)
    assert plan.runs == 2 and plan.arms[0].steps == 100
    said = " ".join(plan.notes)
    assert "no limit of time" in said and "alone" not in said


def test_what_a_loop_tells_is_compared_with_what_is_asked():
    notes = " ".join(
        notes_of(
            study(
                "diverges",
                config={"lr": h.Uniform(0.0, 1.0)},
                search=h.Search(trials=2, objective="train/loss"),
            )
        )
    )
    assert "told valid/loss when it was tried, and not train/loss" in notes
    assert "told no test metric" in notes


def test_a_loop_that_does_not_ask_is_given_up_without_a_mistake(monkeypatch):
    monkeypatch.setattr(own_trial, "DRY_SECONDS", 2.0)
    asked = study("asks_late", steps=1000)
    check_study(asked)
    assert "tried for 2 s without an end" in " ".join(notes_of(asked))


READ = "trainer tests.trainers.loops.walk read no value of run.config in which they differ"


@pytest.mark.parametrize(
    "values, said",
    [
        ({"config": {"lr": h.Uniform(0.0, 1.0)}}, None),
        ({"config": {"lr": 0.1, "width": h.IntUniform(1, 9)}}, "did not read run.config['width']"),
        ({"compare": {"config.lr": [0.1, 0.2]}}, None),
        ({"compare": {"config.width": [8, 16]}}, f"arms '8' and '16': {READ}"),
    ],
)
def test_values_that_a_loop_does_not_read_are_told(values, said):
    compare, config = values.get("compare", {}), values.get("config", {"lr": 0.1})
    search = h.Search(trials=2, objective="valid/loss") if "config" in values else None
    recipe = study("walk", config={"width": 8, **config}).recipe
    asked = h.Study(name="s", recipe=recipe, compare=compare, seeds=2, search=search)
    notes = [note for note in notes_of(asked) if "run.config" in note]
    assert (said is None) == (not notes) and (said is None or said in notes[0])


def test_a_loop_that_takes_all_values_together_has_read_them():
    for take in (dict, lambda c: {**c}, lambda c: c | {}, copy.deepcopy, json.dumps, list):
        config = NotedConfig(lr=0.1, width=8)
        take(config)
        assert config.read == {"lr", "width"}, take


def test_pruning_needs_a_length_in_steps():
    asked = study(
        "ticks",
        steps=None,
        seconds=0.2,
        config={"lr": h.Uniform(0.0, 1.0)},
        search=h.Search(trials=2, pruner="median"),
    )
    with pytest.raises(SpecError, match="expected none beside lengths in seconds"):
        check_study(asked)


COMMAND = "python -c pass --lr {lr} --seed {seed}"
SEARCH = h.Search(trials=2)


@pytest.mark.parametrize(
    "command, config, compare, said",
    [
        ("python -c pass {seed}", {"lr": h.Uniform(0, 1)}, {}, "arm 'base': config.lr is tuned, but trainer.command does not name {lr}"),
        (COMMAND, {"lr": 0.1, "seed": 3}, {}, "{seed} in trainer.command is what the harness gives each run, and not config's 'seed'"),
        (COMMAND, {"lr": 0.1, "depth": 1}, {"config.depth": [1, 2]}, "arms '1' and '2': expected command lines that differ, got the same"),
    ],
)  # fmt: skip
def test_a_command_that_is_not_told_what_varies_is_refused(command, config, compare, said):
    recipe = h.Recipe(trainer={"command": command}, config=config, steps=3)
    with pytest.raises(SpecError) as error:
        check_study(h.Study(name="s", recipe=recipe, compare=compare, seeds=2, search=SEARCH))
    assert said in str(error.value) and len(str(error.value).splitlines()) == 2


@pytest.mark.parametrize("command, noted", [(COMMAND, False), ("python -c pass {lr}", True)])
def test_a_command_without_the_seed_is_noted(command, noted):
    recipe = h.Recipe(trainer={"command": command}, config={"lr": h.Uniform(0, 1)}, steps=3)
    whole = h.Study(name="s", recipe=recipe, seeds=2, search=SEARCH)
    check_study(whole)
    assert ("does not name {seed}" in " ".join(notes_of(whole))) == noted
