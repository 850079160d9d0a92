"""The time left: known when a speed is, of all stages from the first moment on, and never of a plan that is done."""

import pytest

from harness.protocol.countdown import Countdown, say_left


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def countdown():
    made = Countdown(Clock())
    made.plan({"search": 800, "confirm": 200}, {"search": 8, "confirm": 2}, False)
    made.begin("search")
    return made


def count(countdown, now, total):
    countdown.clock.now = now
    countdown.count(total)


def test_it_is_not_known_before_there_is_a_speed(countdown):
    assert countdown.left() is None and countdown.total == 1000
    countdown.ask(400)
    countdown.announce(400)
    count(countdown, 50.0, 0)  # workers boot
    count(countdown, 60.0, 10)
    count(countdown, 61.0, 30)
    assert countdown.left() is None, "a second is an accident"
    assert say_left(countdown.left()) == "time left not known yet"


def test_it_counts_down_over_both_stages(countdown):
    countdown.ask(400)
    countdown.announce(400)
    count(countdown, 60.0, 10)  # the boot does not count: 10 updates a second from here on
    count(countdown, 70.0, 110)
    assert countdown.left() == {"search": pytest.approx(69), "confirm": pytest.approx(20)}
    before = sum(countdown.left().values())
    countdown.ask(400)  # the next round: nothing new, since it was planned
    countdown.announce(400)
    assert sum(countdown.left().values()) == pytest.approx(before)
    count(countdown, 139.0, 800)
    assert countdown.left() == {"search": pytest.approx(0), "confirm": pytest.approx(20)}


def test_a_stage_has_its_own_speed_as_soon_as_it_has_one(countdown):
    countdown.ask(800)
    countdown.announce(800)
    count(countdown, 0.0, 1)
    count(countdown, 80.0, 801)
    countdown.begin("confirm, look 1")
    countdown.ask(200)
    countdown.announce(200)
    assert countdown.left()["confirm"] == pytest.approx(19.9), "the search's, until then"
    count(countdown, 100.0, 802)
    count(countdown, 110.0, 812)  # one a second
    assert countdown.left()["confirm"] == pytest.approx(188)


def test_known_runs_and_those_that_end_early_take_no_time(countdown):
    countdown.ask(800)  # all of the search is known but one run
    countdown.announce(100)
    count(countdown, 1.0, 10)
    count(countdown, 5.0, 50)
    countdown.announce(-50)  # which ended half way
    assert countdown.left() == {"search": 0, "confirm": pytest.approx(20)}
    assert countdown.total == 250 and countdown.to_plain() == {
        "runs": {"search": 8, "confirm": 2},
        "left": "about 20 s left",
    }


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        ({"search": 0.0, "confirm": 0.0}, "some seconds left"),
        ({"search": 0.0, "confirm": 31.0}, "at most about 35 s left"),
        (
            {"search": 5000.0, "confirm": 2.0},
            "at most about 84 min left: search 84 min, confirm some seconds",
        ),
        (
            {"search": 7200.0, "confirm": 7200.0},
            "at most about 4.0 h left: search 2.0 h, confirm 2.0 h",
        ),
    ],
)
def test_it_is_as_coarse_as_it_is_sure(seconds, said):
    assert say_left(seconds, at_most=True) == said
