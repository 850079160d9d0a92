"""The calibrated clock: one reading for each frozen recipe, kept for the next start."""

import math

import pytest

import harness as h
from harness import results
from harness.analysis.answer import answer_study
from harness.execution.pool import Pool
from harness.protocol import timing
from harness.protocol.progress import Progress
from harness.protocol.run import Options, run_study
from harness.report.page import render
from tests.studies import small


class Heard(Progress):
    """Keeps what is said."""

    def __init__(self):
        self.lines = []

    def say(self, text):
        self.lines.append(text)


def test_the_clock_is_read_once_an_arm_and_gives_seconds(folder):
    run_study(small(), Options(workers=0))
    first = results.load("small")
    assert set(first.clock) == {"SGD", "Adam"} and all(
        own[0].seconds > 0 for own in first.clock.values()
    )
    curves = first.confirmed_curves
    assert curves["seconds"].to_numpy() == pytest.approx(
        (curves["step"] * curves["arm"].map(lambda a: first.clock[a][0].seconds)).to_numpy()
    )
    run_study(small(seeds=3), Options(workers=0))
    assert results.load("small").clock == first.clock


def test_arms_that_cost_the_same_share_a_reading_of_the_clock(folder):
    rates = {str(lr): h.SGD(lr=lr) for lr in (0.1, 0.2)} | {"momentum": h.SGD(lr=0.1, momentum=0.9)}
    run_study(small(compare={"optimizer": rates}, search=None, claims=()), Options(workers=0))
    clock = results.load("small").clock
    assert clock["0.1"] == clock["0.2"] != clock["momentum"]


@pytest.mark.parametrize("disturbed", [(), (1,), (1, 2), (2,), (4,), (5,), (2, 3, 4, 5)])
@pytest.mark.parametrize("seconds", [1.0, 0.02, 1e-3, 3e-5, 1e-9, 0.0])
def test_blocks_of_updates_are_long_enough_whatever_disturbs_some(seconds, disturbed):
    sizes = []

    def make(updates):
        sizes.append(updates)
        # memory to allocate, a start of each block, and a hiccup of what else the machine does
        beside = 1.0 * (len(sizes) == 1) + 1e-4 + 0.015 * (len(sizes) in disturbed)
        return beside + updates * seconds

    blocks = timing.timed_blocks(make)
    counted = sizes[-timing.BLOCKS :]
    assert len(blocks) == timing.BLOCKS and len(set(counted)) == 1
    assert min(blocks) == pytest.approx(seconds, rel=0.02, abs=1e-4 / timing.MOST_UPDATES)
    assert counted[0] == timing.MOST_UPDATES or counted[0] * seconds >= timing.BLOCK_SECONDS / 2.1
    assert sum(sizes) <= timing.MOST_ALTOGETHER


def test_an_arm_that_can_t_be_trained_has_no_clock(folder):
    broken = small(
        compare={"model": {"MLP": h.MLP(widths=(8,)), "bomb": {"name": "tests.plugins.Failing"}}},
        claims=(),
        search=None,
    )
    run_study(broken, Options(workers=0))
    loaded = results.load("small")
    assert set(loaded.clock) == {"MLP"}
    assert math.isinf(answer_study(loaded).ranking[1].interval.mean)


def test_a_study_without_all_clocks_says_so_and_the_next_start_reads_them(folder, monkeypatch):
    sooner = h.Claim.faster("Adam", than="SGD", to=("valid/loss", 2.0), by="seconds")
    study = small(claims=[sooner])
    heard, read = Heard(), Pool.alone

    def lost_once(pool, call, argument):
        monkeypatch.setattr(Pool, "alone", read)

    monkeypatch.setattr(Pool, "alone", lost_once)
    run_study(study, Options(workers=0), heard)
    (lacking,) = {"SGD", "Adam"} - set(results.load("small").clock)
    assert any(f"the clock of {lacking} can't be read" in line for line in heard.lines)
    loaded = results.load("small")
    (claim,) = answer_study(loaded).claims
    assert claim.verdict.verdict == "undecided"
    assert f"The clock of {lacking} was not read" in claim.sentence
    assert "undecided" in render(loaded)
    again = run_study(study, Options(workers=0))
    assert (again.trained, again.answered) == (0, False) and len(results.load("small").clock) == 2
    assert run_study(study, Options(workers=0)).answered
