"""Claims and ranking as SVG files: whole XML, every row in its place, whatever names hold."""

import math
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

import harness as h
from harness.report.plain_svg import DRAWN, NAMES, answer_pictures
from harness.stats import Interval

SVG = "{http://www.w3.org/2000/svg}"


def answer(claims=(), places=()):
    return SimpleNamespace(metric="test/accuracy", claims=claims, ranking=places)


def place(arm, mean, low, high):
    return SimpleNamespace(arm=arm, interval=Interval(mean, low, high))


def claimed(claim, mean, low, high, verdict):
    found = SimpleNamespace(effect=Interval(mean, low, high), verdict=verdict)
    return SimpleNamespace(claim=claim, verdict=found, sentence=str(claim))


def rows_of(picture):
    """Return the rows of a picture: name, number, and the places of low, mean and high."""
    for row in ElementTree.fromstring(picture).iter(f"{SVG}g"):
        (name, number), line = row.findall(f"{SVG}text"), row.find(f"{SVG}line")
        at = [
            float(line.get("x1")),
            float(row.find(f"{SVG}circle").get("cx")),
            float(line.get("x2")),
        ]
        yield name.text, number.text, at


def test_arms_lie_on_one_scale_and_names_are_text():
    places = [
        place("<b>&", 0.9, 0.8, 1.0),
        place("B", 0.6, 0.5, 0.7),
        place("lost", -math.inf, *[math.nan] * 2),
    ]
    pictures = answer_pictures(answer(places=places), {})
    assert list(pictures) == ["ranking.svg"]
    first, second = rows_of(pictures["ranking.svg"])
    assert first[:2] == ("<b>&", "90 [80, 100] %") and second[:2] == (
        "B",
        "60.0 [50.0, 70.0] %",
    )
    # 0.5 at the left, 1.0 at the right, and the others in proportion
    left, right = NAMES + 0.04 * DRAWN, NAMES + 0.96 * DRAWN
    for (_, _, at), values in ((first, (0.8, 0.9, 1.0)), (second, (0.5, 0.6, 0.7))):
        assert at == pytest.approx(
            [left + (v - 0.5) / 0.5 * (right - left) for v in values], abs=0.1
        )


def test_claims_lie_right_of_the_middle_where_they_are_favoured():
    better, worse = (h.Claim.better("A", than=other, on="test/accuracy") for other in "BC")
    claims = [
        claimed(better, 0.1, 0.05, 0.15, "supported"),
        claimed(worse, -0.2, -0.3, -0.1, "opposite"),
    ]
    (name, number, at), (_, _, other) = rows_of(answer_pictures(answer(claims), {})["claims.svg"])
    assert (
        name.startswith("● A ends with a better test accuracy") and number == "10.0 [5.0, 15.0] pp"
    )
    middle = NAMES + DRAWN / 2
    assert middle < at[0] < at[1] < at[2] and other[0] < other[1] < other[2] < middle


def test_nothing_to_draw_is_no_picture():
    assert answer_pictures(answer(places=[place("lost", math.nan, math.nan, math.nan)]), {}) == {}
