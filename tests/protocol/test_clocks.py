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


@pytest.mark.parametrize(
    ("seconds", "updates"), [(1.0, 1), (0.02, 1), (1e-3, 20), (3e-5, 667), (1e-9, 4096), (0, 4096)]
)
def test_a_timed_block_takes_as_long_as_it_is_to_or_one_update(seconds, updates):
    made = []

    def make(count):
        made.append(count)
        # the first has memory to allocate
        return (len(made) == 1) + count * seconds

    assert timing.block_size(make) == updates
    most = timing.MOST_ALTOGETHER
    assert sum(made) + timing.BLOCKS * updates <= most and sum(made) * seconds <= max(
        2 * seconds, 0.02
    )


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
