"""What ``harness plan`` says, and that it trains nothing."""

import json

import pytest

from harness.stats import Variances, cheapest_design
from tests.cli.conftest import SPEC, UNTUNED


def test_plan_trains_nothing(cli, folder):
    status, out, _ = cli("plan", "tiny.yaml")
    assert status == 0 and "2 arms, 10 runs" in out and "cohort" in out and "MiB" in out
    assert "of training on" in out
    assert not (folder / "optuna.journal").exists() and not (folder / "reports").exists()
    same = cli("run", "tiny.yaml", "--dry-run")[1]
    assert "2 arms, 10 runs" in same


def test_plan_does_not_know_how_long_a_loop_of_ones_own_takes(cli, folder):
    spec = {
        "name": "own",
        "recipe": {"trainer": {"command": "true {lr}"}, "config": {"lr": 0.1}, "steps": 2},
    }
    (folder / "own.yaml").write_text(json.dumps(spec))
    status, out, _ = cli("plan", "own.yaml")
    assert status == 0 and "not known beforehand" in out and "ms" not in out


def test_plan_says_why_an_arm_trains_alone(cli, folder):
    spec = SPEC.replace("Adam: {name: Adam,", "Adam: {name: torch.optim.Rprop,")
    (folder / "tiny.yaml").write_text(spec)
    assert "alone: Rprop is another library's optimizer" in cli("plan", "tiny.yaml")[1].replace(
        "torch.optim.", ""
    )


def test_plan_says_what_finds_an_effect(cli, folder):
    status, out, _ = cli("plan", "tiny.yaml", "--detect", 0.01, "--spread", 0.01, 0.02)
    assert status == 0 and "2 arms, 10 runs" in out
    assert "to find a difference of 0.01, by the spread stated, at level 0.04" in out
    # a search of 3 trials, n* = √(3 · 4) = 3.5 seeds
    design = cheapest_design(0.01, Variances(1e-4, 4e-4), 3, alpha=0.04)
    words = f"{design.searches} searches × {design.seeds} seeds of 2 arms find it with 80 %"
    assert f"{words}: {2 * design.cost} runs" in out and "3.5 of them tell most" in out
    none = cli("plan", "tiny.yaml", "--detect", 0.01, "--spread", 0, 0.02)[1]
    assert "No spread by search was seen" in none and "inf" not in none
    (folder / "untuned.yaml").write_text(
        UNTUNED.replace("seeds: 2\n", "seeds: 4\n").replace("tiny", "untuned")
    )
    assert "no study 'untuned'" in cli("plan", "untuned.yaml", "--detect", 1)[2]
    assert cli("run", "untuned.yaml", "--workers", 0)[0] == 0
    out = cli("plan", "untuned.yaml", "--detect", 1)[1]
    assert (
        "test/loss of the stored study" in out and "SGD against Adam" in out and "seeds of 2" in out
    )
    assert "Too small a difference" in cli("plan", "untuned.yaml", "--detect", 1e-9)[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--detect", 0.01], "state the standard deviations of paired differences: --spread"),
        (["--detect", 0], "--detect: expected a difference other than 0, got 0"),
        (["--detect", 1, "--spread", -1, 2], "--spread: expected the standard deviations"),
        (["--detect", 1, "--spread", 0, 0], "--spread: expected the standard deviations"),
        (["--spread", 1, 2], "--spread: expected with --detect"),
    ],
)
def test_plans_of_effects_that_can_t_be_made(cli, words, said):
    status, _, err = cli("plan", "tiny.yaml", *words)
    assert status == 2 and said in err.replace("\n", " ")
