"""The commands as a user types them: what they print, what they write, and mistakes that end in one clear line."""

from __future__ import annotations

import io
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import harness as h
from harness.analysis.audit import few_searches, judged_where_tuned, tuned_for_another
from harness.cli import study_main
from harness.protocol.run import Options, run_study
from harness.report.library import shared_name
from harness.spec.arms import build_arms
from harness.spec.files import load_study
from harness.tracking import studies
from tests.analysis.made import results
from tests.cli.conftest import SPEC, UNTUNED
from tests.report.pages import Page
from tests.studies import small


def test_run_then_status_report_and_run_again(cli, folder):
    status, out, _ = cli("run", "tiny.yaml", "--workers", 0)
    assert status == 0
    assert (
        "study tiny: 10 runs trained, 0 known already" in out and "report: reports/tiny.html" in out
    )
    assert "has the best test loss" in out and "harness ui" in out
    assert {"mlflow.db", "optuna.journal", "reports", "tiny.yaml"} <= {
        p.name for p in folder.iterdir()
    }
    assert "10 known already" in cli("run", "tiny.yaml", "--workers", 0)[1]
    status, out, _ = cli("status")
    assert "tiny" in out and "yes" in out and "10 finished" in out
    assert "SGD" in cli("status", "tiny")[1]
    (folder / "reports" / "tiny.html").unlink()
    assert cli("report", "tiny")[0] == 0 and (folder / "reports" / "tiny.html").exists()
    assert cli("report", "tiny.yaml", "--published", "--reports", "site")[0] == 0
    assert sorted(path.name for path in (folder / "site").iterdir()) == [
        "index.html",
        shared_name(),
        "tiny.html",
    ]


def test_quick_form_and_flags_change_the_study(cli, folder):
    _, out, _ = cli(
        "run",
        "tiny.yaml",
        "--quick",
        "--workers",
        0,
        "--trials",
        2,
        "--set",
        "recipe.epochs=1",
        "--reports",
        "r",
    )
    assert "study tiny-quick: 6 runs trained" in out
    assert (folder / "r" / "tiny-quick.html").exists()
    loaded = h.results.load("tiny-quick")
    assert set(loaded.runs["epochs"]) == {1.0} and loaded.study.search.trials == 2


CLAIM = "claims: [{kind: better, arm: Adam, than: SGD}]\n"
# alone, as the word of a verdict; "not distinguishable", say, is none
VERDICT = re.compile(r"\b(supported|smaller than claimed|opposite|undecided|refuted)\b")


def test_searches_by_a_flag_and_a_first_look_without_verdicts(cli, folder):
    (folder / "tiny.yaml").write_text(SPEC + CLAIM)
    given = "run", "tiny.yaml", "--quick", "--searches", 2, "--workers", 0
    status, out, err = cli(*given)
    assert status == 0, err
    assert "study tiny-quick: 8 runs trained" in out  # 2 arms × 2 searches × (1 trial + 1 seed)
    assert h.results.load("tiny-quick").study.search.searches == 2
    assert "  first look: Adam ends with a better" in out and not VERDICT.search(out)
    shown = " ".join(Page((folder / "reports" / "tiny-quick.html").read_text()).shown)
    assert "A first look: 2 searches × 1 seed, no verdict." in shown
    assert "first look" in shown and not VERDICT.search(shown)


def test_searches_of_a_study_without_any_are_a_mistake(cli, folder):
    (folder / "tiny.yaml").write_text(UNTUNED)
    status, _, err = cli("plan", "tiny.yaml", "--searches", 2)
    assert status == 2 and "--searches: study 'tiny' has no search" in err


def test_train_prints_a_row_a_seed(cli, folder):
    status, out, _ = cli(
        "train", "tiny.yaml", "--seeds", 2, "--set", "epochs=1", "--csv", "curves.csv"
    )
    assert status == 0 and out.count("finished") == 2 and "test/" not in out
    curves = pd.read_csv(folder / "curves.csv")
    assert set(curves["seed"]) == {0, 1} and curves["epoch"].max() == 1
    status, _, err = cli("train", "tiny.yaml", "--arm", "SGD")
    assert status == 2 and "--set optimizer.lr=0.1" in err
    given = "train", "tiny.yaml", "--arm", "SGD", "--set", "optimizer.lr=0.2"
    assert cli(*given)[0] == 0
    status, out, err = cli(*given, "--test")
    assert status == 0 and "test/loss" in out and "evaluated on the test data" in err


def test_list_shows_all_components_or_one_kind(cli):
    out = cli("list")[1]
    for name in ("Lion", "CNN1D", "MNIST1D", "EarlyStopping", "Huber", "OneCycle"):
        assert name in out
    only = cli("list", "optimizers")[1]
    assert "Lion" in only and "CNN1D" not in only
    claims = cli("list", "claim")[1]
    assert "no worse" in claims and "than" in claims and "Lion" not in claims
    whole = " ".join(claims.split())
    assert "or goes back by less than margin." in whole and "`" not in out + claims
    status, _, err = cli("list", "optimiser")
    assert status == 2 and "optimizer" in err


@pytest.mark.parametrize("name", ["mine.py", "mine.yaml"])
def test_new_writes_a_spec_that_runs(cli, folder, name):
    assert cli("new", name)[0] == 0
    study = load_study(folder / name)
    assert study.name == "mine" and study.claims
    status, _, err = cli("new", name)
    assert status == 2 and "there already" in err
    short = ["--trials", 1, "--searches", 1, "--seeds", 1, "--workers", 0]
    assert "6 runs trained" in cli("run", name, *short, "--set", "recipe.epochs=1")[1]


@pytest.mark.parametrize("name", ["mine.py", "mine.yaml"])
def test_new_writes_a_spec_that_is_judged_by_what_it_tunes(cli, folder, name):
    """A new user's first report opened with findings: tuned for a loss, judged by a time."""
    cli("new", name)
    study = load_study(folder / name)
    arms = {arm.name: {"test/accuracy": [0.5] * 25} for arm in build_arms(study)}
    made = results(study, arms)
    for check in (few_searches, tuned_for_another, judged_where_tuned):
        assert not list(check(made)), check.__name__


def test_schema_accepts_what_the_harness_accepts(cli, folder):
    schema = json.loads(cli("schema")[1])
    assert {"name", "recipe", "compare", "search", "seeds", "claims"} <= set(schema["properties"])


def test_doctor_finds_nothing_to_mend(cli):
    status, out, _ = cli("doctor")
    assert status == 0 and "mend" not in out and "torch" in out


def test_doctor_says_what_to_mend(cli, monkeypatch, folder):
    (folder / "file").write_text("")
    monkeypatch.setenv("HARNESS_CACHE", str(folder / "file"))
    status, out, _ = cli("doctor")
    assert status == 1 and "mend  cache" in out


MISTAKES = [
    (["run", "no.yaml"], "no such file"),
    (["run", "tiny.txt"], "no such file"),
    (["plan", "bad.yaml"], "bad.yaml:2:3: recipe.optimiser: unknown field"),
    (["plan", "torn.yaml"], "can't be read as YAML"),
    (["run", "tiny.yaml", "--set", "recipe.epoch=3"], "epochs"),
    (["run", "tiny.yaml", "--set", "nonsense"], "expected FIELD=VALUE"),
    (["run", "tiny.yaml", "--set", "recipe.batch_size=-1"], "batch_size"),
    (["run", "tiny.yaml", "--device", "cuda:7"], "CUDA"),
    (["run", "tiny.yaml", "--store", "sqlite:////no/such/place/x.db", "--workers", "0"], "x.db"),
    (["report", "other"], "no study 'other'"),
    (["status", "other"], "no study 'other'"),
    (["new", "x.toml"], "expected a .py or .yaml"),
    (["train", "tiny.yaml", "--arm", "Adm"], "Adam"),
    (["verify", "--only", "mnits1d"], "did you mean 'mnist1d'?"),
    (["verify", "tiny.html"], "tiny.html: no such file; did you mean 'tiny.yaml'?"),
    (["nonsense"], "nonsense"),
]


@pytest.mark.parametrize(("words", "said"), MISTAKES, ids=[" ".join(w) for w, _ in MISTAKES])
def test_a_mistake_ends_in_a_message(cli, folder, words, said):
    (folder / "bad.yaml").write_text("recipe:\n  optimiser: SGD\n  data: iris\nname: x\n")
    (folder / "torn.yaml").write_text("name: [x\n")
    if Path("/no").exists() or (
        words[0] == "run" and "sqlite:////no" in " ".join(words) and not Path("/").stat().st_uid
    ):
        words = [w.replace("/no/such/place", "/proc/none") for w in words]
    status, _, err = cli(*words)
    assert status == 2 and said in err


def test_script_takes_the_flags(folder, monkeypatch, capsys):
    study = load_study(_spec(folder))
    monkeypatch.setattr(sys, "argv", ["tiny.py", "--quick", "--workers", "0", "--seeds", "2"])
    with pytest.raises(SystemExit) as ended:
        study_main(study)
    assert not ended.value.code and "study tiny-quick: 6 runs trained" in capsys.readouterr().out


def _spec(folder):
    path = folder / "tiny.yaml"
    path.write_text(SPEC)
    return path


def test_both_ways_to_call_and_from_any_folder(tmp_path):
    (tmp_path / "tiny.yaml").write_text(SPEC)
    beside = Path(sys.executable).parent / "harness"
    for command in ([sys.executable, "-m", "harness"], [str(beside)]):
        done = subprocess.run(
            [*command, "--help"], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert "doctor" in done.stdout and not done.stderr


def test_ui_without_a_store_says_so(cli, folder):
    (folder / "mlflow.db").unlink()
    status, _, err = cli("ui")
    assert status == 2 and "run a study first" in err


def test_ui_serves_the_store_on_loopback_only(cli, folder, monkeypatch):
    called = {}

    class Keeper:
        stdin, returncode = io.BytesIO(), 0

        def __init__(self, command, **more):
            called.update(command=command)

        def wait(self):
            return 0

    monkeypatch.setattr(subprocess, "Popen", Keeper)
    monkeypatch.setattr(studies, "study_pages", lambda uri: {"s": "#/experiments/1/runs"})
    status, out, _ = cli("ui", "--port", 5999)
    assert status == 0 and "s: http://127.0.0.1:5999/#/experiments/1/runs" in out
    words = called["command"]
    assert words[words.index("--host") + 1] == "127.0.0.1" and "5999" in words
    assert words[words.index("--backend-store-uri") + 1] == f"sqlite:///{folder / 'mlflow.db'}"


def test_ui_on_a_port_that_is_taken_says_so(cli, folder):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        status, _, err = cli("ui", "--port", port)
    assert status == 2 and f"port: {port} is taken" in err and "Traceback" not in err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "h.Adam(lrr=3)",
            ["script.py:3: this Adam is not valid", "lrr: unknown field; did you mean 'lr'?"],
        ),
        (
            "h.Recipe(data='digits', optimizer='Adamm', epoch=3)",
            ["did you mean 'Adam'?", "did you mean 'epochs'?"],
        ),
        ("h.results.load('nothing')", ["no MLflow store at"]),
    ],
)
def test_mistake_in_a_script_that_python_runs(tmp_path, line, said):
    script = tmp_path / "script.py"
    script.write_text(f"import harness as h\n\n{line}\n")
    environment = {k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"}
    done = subprocess.run(
        [sys.executable, script.name],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    for text in said:
        assert text in done.stderr
    assert "Traceback" not in done.stderr


def test_studies_side_by_side(cli, folder):
    for name, epochs in (("one", 2), ("two", 3)):
        run_study(small(name=name, search=None, compare={"optimizer": {"a": h.SGD(lr=0.1), "b": h.SGD(lr=0.2)}}, claims=[], recipe=small().recipe.with_values({"epochs": epochs})), Options(workers=0))  # fmt: skip
    text = cli("report", "one", "two", "--compare")[1]
    page = (folder / "reports" / "compare-one-two.html").read_text()
    assert "compare-one-two.html" in text
    assert (
        "one: a" in page
        and "two: b" in page
        and "<code>recipe.epochs</code></td><td>2</td><td>3</td>" in page
    )
    runs = re.findall(r'<td class="n">(\d+)</td></tr>', page)
    assert runs == ["2"] * 4, "one row an arm, each with its two runs"
    assert cli("report", "one", "two", "--compare", "--published", "--reports", "site")[0] == 0
    shared = (folder / "site" / "compare-one-two.html").read_text()
    assert f'src="{shared_name()}"' in shared and len(shared) < len(page) - 1_900_000
    assert "expected the names of two studies" in cli("report", "one", "--compare")[2]


def test_version_and_completion(cli, folder, monkeypatch, capsys):
    assert cli("--version") == (0, f"harness {h.__version__}\n", "")
    cli("run", "tiny.yaml", "--quick", "--workers", 0)

    def completed(*words):
        monkeypatch.setenv("_HARNESS_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", " ".join(["harness", *words]))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        return cli()[1].split()

    assert completed("sta") == ["status"]
    assert completed("list", "opt") == ["optimizer"]
    assert completed("audit", "t") == ["tiny-quick"]
    assert completed("report", "t") == ["tiny-quick", "tiny.yaml"]


def test_names_are_set_alike_in_all_commands(cli):
    for command in (["plan"], ["run", "--workers", 0, "--dry-run"], ["train"]):
        one, two = (
            cli(*command, "tiny.yaml", "--set", f"{path}=3", *LR)
            for path in ("epochs", "recipe.epochs")
        )
        assert one[0] == two[0] == 0
        # 3 epochs of iris's 90 training samples in batches of 32
        assert "9" in re.findall(r"\b\d+\b", one[1]) and "9" in re.findall(r"\b\d+\b", two[1])


LR = ("--set", "optimizer.lr=0.1")


def test_a_study_s_near_name_is_told(cli):
    cli("run", "tiny.yaml", "--quick", "--workers", 0)
    for command in ("status", "audit", "report", "export"):
        status, _, err = cli(command, "tiny-qick")
        assert status == 2 and "did you mean 'tiny-quick'?" in err


@pytest.mark.parametrize(
    "flags, said",
    [
        (("--seeds", "0"), "--seeds: expected a number of at least 1, got '0'"),
        (("--trials", "x"), "--trials: expected a whole number, got 'x'"),
        (("--detect", "abc"), "--detect: expected a number, got 'abc'"),
        (("--detect", "1", "--spread", "1", "b"), "--spread: expected a number, got 'b'"),
    ],
)
def test_a_flag_s_value_that_does_not_fit_is_one_sentence(cli, flags, said):
    status, _, err = cli("plan", "tiny.yaml", *flags)
    assert (status, err) == (2, f"error: {said}\n")


def test_a_script_s_flags_are_refused_likewise(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["mine.py", "--seeds", "0"])
    with pytest.raises(SystemExit) as ended:
        study_main(small())
    assert ended.value.code == 2
    assert capsys.readouterr().err == "error: --seeds: expected a number of at least 1, got '0'\n"


def test_mistakes_are_caught_by_a_public_name(folder):
    for kind in (h.HarnessError, h.SpecError):
        with pytest.raises(kind, match=r"nowhere.yaml: no such file"):
            h.load_study("nowhere.yaml")
    with pytest.raises(h.NoStudyError):
        h.results.load("nothing")
    assert issubclass(h.NoStudyError, h.StoreError) and issubclass(h.ProtocolError, h.HarnessError)
