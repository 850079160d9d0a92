"""A training function and some configs: the study that is built, what is said of it, and what is shown."""

from __future__ import annotations

import re
import sys
import types

import numpy as np
import pytest

import harness as h
from harness.core.errors import HarnessError, SpecError
from harness.protocol import notebook_progress
from harness.protocol.compare import notes_on
from harness.protocol.notebook_progress import NotebookProgress
from harness.stats.hierarchy import mean_test
from tests.trainers import loops
from tests.trainers.loops import shrink

SPACE = h.LogUniform(1e-2, 1.0)


def configs(**more):
    return {
        "one": {"lr": SPACE, "net": {"width": 1.0}, **more},
        "half": {"lr": SPACE, "net": {"width": 0.5}, **more},
    }


@pytest.fixture
def own_cache(folder, monkeypatch):
    monkeypatch.setenv("HARNESS_CACHE", str(folder / "cache"))
    return folder


@pytest.mark.slow
def test_arms_are_tuned_confirmed_and_judged_and_known_the_next_time(own_cache, capfd):
    call = {"steps": 3, "searches": 3, "seeds": 1, "trials": 2, "workers": 1}
    claims = [{"kind": "better", "arm": "one", "than": "half"}]
    results = h.compare(shrink, configs(), claims=claims, sampler="random", **call)
    assert results.study.name == "shrink" and results.study.search.sampler == "random"
    assert results.study.scope == "method" and list(results.by_arm) == ["one", "half"]
    assert len(results.searched) == 2 * 3 * 2 and len(results.confirmed) == 2 * 3
    # each frozen rate gives the loss that the loop computes by itself
    for _, run in results.confirmed.iterrows():
        w = (1 - run["config.lr"] * run["config.net.width"]) ** 3
        assert run["test/loss"] == pytest.approx(w * w + run["seed"] % 10 / 1000)
    assert len(results.verdicts()) == 1 and "one" in results._repr_html_()
    said = capfd.readouterr().err
    assert "the spread of so few searches is hardly known" in said
    assert "fewer than 4 repetitions decide nothing" in said
    again = h.compare(shrink, configs(), claims=claims, sampler="random", **call)
    assert list(again.runs["run_id"]) == list(results.runs["run_id"])


def test_without_spaces_each_config_runs_once_a_seed(own_cache):
    results = h.compare(
        lambda run: run.log(1, valid_loss=run.config["x"] + run.seed),
        {"a": {"x": 1}, "b": {"x": 2}},
        steps=1,
        seeds=[3, 5],
        shared={"x": 0, "y": 1},
        workers=0,
    )
    assert results.study.name == "compare" and results.study.search is None
    assert not len(results.searched) and results.study.metric == "valid/loss"
    assert list(results.by_arm["b"]["valid/loss"]) == [5.0, 7.0]
    assert set(results.runs["config.y"]) == {1.0}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "in one of steps, epochs, samples and seconds, got none"),
        ({"steps": 1, "epochs": 2}, "got steps and epochs"),
        ({"steps": 1, "claims": [h.Claim.better("one", than="two")]}, "unknown arm 'two'"),
        ({"steps": 1, "objective": "test/loss"}, "objective"),
        ({"steps": 1, "sampler": "magic"}, "sampler"),
        ({"steps": 1, "samplr": "tpe"}, "search.samplr: unknown field; did you mean 'sampler'"),
        ({"steps": 1, "arms": [1, 2]}, r"arms: expected a config for each arm .* got \[1, 2\]"),
        ({"steps": 1, "arms": {}}, "arms: expected a config for each arm"),
        ({"steps": 1, "arms": {"a": 5}}, r"arms\['a'\]: expected values by name, .* got 5"),
        ({"steps": 1, "arms": {"a": {1: 2}}}, r"arms\['a'\]: expected names as keys"),
        ({"steps": 1, "shared": 5}, "shared: expected values by name"),
        ({"steps": 1, "arms": {"a": {"lr": {"log_uniform": [1, 0.1]}}}}, "expected low < high"),
        ({"steps": 1, "claims": "a better than b"}, "claims: .* got 'a better than b'"),
        ({"steps": 1, "objective": "loss"}, "such as 'valid/loss', got 'loss'"),
        ({"steps": 1, "metric": "loss"}, "its part of the data, such as 'test/loss'"),
        ({"steps": 1, "name": "a/b"}, "name: expected a name of letters, digits"),
        ({"steps": 1, "workers": "two"}, "workers: expected a whole number from 0 on, got 'two'"),
        ({"steps": 1, "workers": -1}, "workers: expected a whole number from 0 on, got -1"),
        ({"steps": "many"}, "steps: .* got 'many'"),
        ({"steps": 1, "train": "no_such.train"}, "there is no module no_such"),
        ({"steps": 1, "train": 5}, "trainer: .* got 5"),
    ],
)
def test_what_cannot_be_compared_is_refused(own_cache, options, said):
    given = {"train": shrink, "arms": configs()} | options
    with pytest.raises(SpecError, match=said):
        h.compare(given.pop("train"), given.pop("arms"), **given)
    assert not (own_cache / "optuna.journal").exists()


@pytest.mark.parametrize(
    ("loop", "more", "said"),
    [
        (loops.fails_at_once, {}, r"fails: KeyError: 'no such name' \(loops.py:\d+\)$"),
        (loops.silent, {}, "fails: it told no metrics"),
        (
            loops.shrink,
            {"metric": "test/accuracy"},
            "metric: arm 'a' tells .*; got 'test/accuracy'",
        ),
        (
            loops.shrink,
            {"claims": [h.Claim.faster("a", than="b", to=("valid/loss", 0.5), by="epochs")]},
            "claims.0.by: arm 'a' does not tell its epochs",
        ),
        # a library's line says nothing to a user: the loop's own is named
        (loops.fails_late, {}, r"no run .* ended well, .* 'a': failed, .*\(loops.py:\d+\)"),
    ],
)
def test_loops_that_tell_nothing_of_use_end_in_a_sentence(own_cache, loop, more, said):
    arms = {name: {"lr": 0.1, "net": {"width": 1.0}} for name in "ab"}
    with pytest.raises(HarnessError) as error:
        h.compare(loop, arms, steps=6, seeds=1, workers=0, **more)
    assert re.search(said, str(error.value), re.MULTILINE), error.value


class Handle:
    def __init__(self):
        self.pages = []

    def update(self, page):
        self.pages.append(page)


def test_a_notebook_shows_one_output_that_is_renewed(monkeypatch):
    handle, shown = Handle(), []

    def display(page, display_id):
        shown.append((page, display_id))
        return handle

    kernel = types.SimpleNamespace(kernel=object())
    ipython = types.SimpleNamespace(get_ipython=lambda: kernel)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    module = types.SimpleNamespace(HTML=str, display=display)
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    assert notebook_progress.in_notebook()
    times = iter(np.arange(0.0, 100.0, 0.1))
    monkeypatch.setattr(notebook_progress.time, "monotonic", lambda: next(times))
    with NotebookProgress() as progress:
        progress.say("<b>few</b> searches")
        progress.stage("search", 12)
        progress.added(100)
        for total in range(1, 21):
            progress.made(total)
        progress.best("<i>", "valid/loss", 0.25, 3)
    assert len(shown) == 1 and shown[0][1] is True
    # the first two and the last at once, and of 2.1 seconds of updates every half
    assert 5 <= len(handle.pages) <= 8
    last = handle.pages[-1]
    assert "&lt;b&gt;few" in last and "<b>few" not in last and "<td>&lt;i&gt;</td>" in last
    assert "search · 12 runs" in last and "20 of 100 steps" in last and "0.25" in last


def test_a_terminal_is_no_notebook(monkeypatch):
    assert not notebook_progress.in_notebook()
    shell = types.SimpleNamespace()
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    assert not notebook_progress.in_notebook()


@pytest.mark.parametrize("searches, seeds, told", [(3, 1, True), (3, 2, False), (4, 1, False)])
def test_repetitions_that_decide_are_counted_as_verdicts_count_them(searches, seeds, told):
    study = h.Study(
        name="s",
        recipe=h.Recipe(data="iris", optimizer=h.SGD(lr=SPACE), epochs=1),
        search=h.Search(trials=2, searches=searches),
        seeds=seeds,
    )
    assert ("decide nothing" in " ".join(notes_on(study))) == told
    values = 1 + 0.001 * np.arange(searches * seeds).reshape(searches, seeds)
    assert (mean_test(values, scope="method").p == 1) == told
