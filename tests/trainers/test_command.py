"""Commands: what their placeholders become, what their lines tell, and that no value is read by a shell."""

from __future__ import annotations

import json

import pytest

import harness as h
from harness.core.errors import SpecError
from harness.execution.jobs import Job
from harness.execution.local import Serial
from harness.execution.pool import Pool
from harness.protocol.check import check_study
from harness.protocol.runs import key_of
from harness.protocol.train import train_outcomes
from harness.spec.arms import Run

SCRIPT = """
import json, sys, os
given = sys.argv[1:]
print("a line of text")
print(json.dumps({"step": 5, "valid/loss": float(len(given)), "lr": 0.1}))
print(json.dumps({"iter": 10, "val_loss": 0.5, "train_loss": 0.25}))
if "1" in os.environ.get("TEST", "") or given[-1] == "1":
    print(json.dumps({"test/accuracy": 0.9}))
print(json.dumps(given), file=sys.stderr)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "script.py").write_text(SCRIPT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    return tmp_path


def recipe(command, config=None, **trainer):
    return h.Recipe(trainer={"command": command, **trainer}, config=config or {}, steps=10)


def outcome_of(given, test=False, seed=3):
    return train_outcomes(given, [seed], test=test)[0]


def test_json_lines_are_the_curve_and_test_data_come_in_the_confirmation(folder):
    told = outcome_of(recipe("python script.py {seed} {confirming}"), test=True)
    assert told.status == "finished", told.detail
    assert [(p.step, p.metrics) for p in told.points] == [
        (5, {"valid/loss": 2.0}),
        (10, {"valid/loss": 0.5, "train/loss": 0.25}),
    ]
    assert told.summary["test/accuracy"] == 0.9 and told.summary["valid/loss"] == 0.5
    assert "test/accuracy" not in outcome_of(recipe("python script.py {confirming}")).summary
    assert "must not see test data" in outcome_of(recipe("python script.py 1")).detail


def test_every_value_is_one_argument_whatever_is_in_it(folder):
    nasty = "a b'; touch harmed; $(touch harmed) `x` \" \\ *"
    config = {"name": nasty, "rate": 1e-5, "opt": {"betas": [0.9, 0.99]}, "on": True, "size": 8}
    command = (
        "python script.py --n {name} '--r={rate} x' {opt.betas} {on} {size} {seed} {steps} bad"
    )
    (folder / "script.py").write_text("import sys, json\nsys.exit(json.dumps(sys.argv[1:]))\n")
    told = outcome_of(recipe(command, config)).detail
    got = json.loads(told.partition("said last: ")[2])
    assert got == ["--n", nasty, "--r=1e-05 x", "[0.9, 0.99]", "true", "8", "3", "10", "bad"]
    assert "exit code 1" in told and not (folder / "harmed").exists()


def test_metrics_without_a_part_are_not_recorded_and_it_is_said(folder):
    (folder / "script.py").write_text(
        "import json\nprint(json.dumps({'step': 1, 'loss': 0.5, 'lr': 0.1}))\n"
        "print(json.dumps({'step': 1, 'val_loss': 0.5}))\nprint(json.dumps({'seed': 3}))\n"
    )
    job = Job((0,), (Run.of(recipe("python script.py"), 0),), test=False)
    with Pool(Serial) as pool:
        [(_, done)] = pool.run([job])
    assert done.outcomes[0].points[0].metrics == {"valid/loss": 0.5}
    [note] = done.notes
    assert note.startswith("the trainer told loss, lr, not recorded: a name says its part")
    (folder / "script.py").write_text('print(\'{"step": 1, "loss": 0.5}\')\n')
    told = outcome_of(recipe("python script.py"))
    assert told.status == "failed" and "print lines such as" in told.detail
    assert "the trainer told loss, not recorded" in told.detail


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl"])
def test_a_file_of_metrics(folder, name):
    rows = "step,val_loss,note\n1,0.5,\n2,0.25,x\n"
    if name.endswith("jsonl"):
        rows = '{"step": 1, "val_loss": 0.5}\n{"step": 2, "val_loss": 0.25}'
    (folder / "script.py").write_text(
        f"import sys\nopen(sys.argv[1] + '/{name}', 'w').write({rows!r})\n"
    )
    told = outcome_of(recipe("python script.py {folder}", metrics=name))
    assert told.series("valid/loss") == [0.5, 0.25], told.detail


def test_a_pattern_finds_metrics_in_lines_of_text(folder):
    (folder / "script.py").write_text("print('step 7: train loss 1.5, val loss 2.5e-1')\n")
    pattern = r"step (?P<step>\d+): train loss (?P<train_loss>\S+), val loss (?P<val_loss>\S+)"
    [point] = outcome_of(recipe("python script.py", pattern=pattern)).points
    assert (point.step, point.metrics) == (7, {"train/loss": 1.5, "valid/loss": 0.25})


def test_keys_go_by_the_files_that_a_command_names(folder):
    (folder / "script.py").write_text("import beside\n")
    (folder / "beside.py").write_text("x = 1\n")
    run = Run.of(recipe("python script.py"), 0)
    key = key_of(run)
    (folder / "beside.py").write_text("x = 2\n")
    assert key_of(run) != key


@pytest.mark.parametrize(
    "command, said",
    [
        ("python script.py {sead}", "did you mean 'seed'"),
        ("python skript.py", "there is no file 'skript.py'"),
        ("no-such-program x", "there is no program 'no-such-program'"),
    ],
)
def test_the_plan_tells_what_is_wrong_with_a_command(folder, command, said):
    with pytest.raises(SpecError) as error:
        check_study(h.Study(name="s", recipe=recipe(command), seeds=1))
    assert said in str(error.value)


@pytest.mark.parametrize(
    "fields, said",
    [
        ({"command": "python 'x"}, "balanced quotes"),
        ({"command": "python x.py", "metrics": "out.csv"}, "expected {folder} in it"),
        ({"command": "python x.py", "pattern": "("}, "expected a regular expression"),
        ({"command": "python x.py", "pattern": "(?P<loss>.)"}, "expected named groups"),
        ({"comand": "python x.py"}, "expected a trainer by name"),
    ],
)
def test_mistakes_in_a_command_are_told(fields, said):
    with pytest.raises(SpecError) as error:
        h.Recipe(trainer=fields, steps=10)
    assert said in str(error.value)


def test_programs_of_any_kind(folder):
    told = outcome_of(recipe("""sh -c 'echo "{\\"step\\": 1, \\"valid/loss\\": 2}"'"""))
    assert told.series("valid/loss") == [2.0], told.detail
