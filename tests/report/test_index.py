"""The index: cards by topic, with a small picture of each study."""

import base64
import gzip
import json

from harness.report.forest import ForestRow, Line
from harness.report.index import by_topic, write_index
from harness.report.page_figure import FigureText, PageFigure
from harness.report.thumbnail import HEIGHT, WIDTH, card_forest, card_lines
from tests.report.test_page_files import page


def test_the_fundamentals_come_first_in_their_order():
    names = ["decay", "f01-core", "f10-adam", "flagship", "f16-vanishing", "fast"]
    topics = by_topic([{"name": name} for name in sorted(names)])
    assert [[about["name"] for about in own] for own in topics.values()] == [
        ["f01-core", "f10-adam", "f16-vanishing", "flagship"],
        ["decay", "fast"],
    ]


def figure(data, **layout):
    packed = base64.b64encode(gzip.compress(json.dumps({"data": data, "layout": layout}).encode()))
    return PageFigure("hero", FigureText("", ""), packed.decode())


def test_a_figure_s_lines_fill_the_picture():
    data = [
        {"x": [1, 10, 100], "y": [0.0, 5.0, 10.0], "line": {"color": "#0072B2"}},
        {"x": [1, 100], "y": [None, 2.0], "marker": {"color": ["#1", "#2"]}},
        {"x": [1, 2], "y": [0, 99], "xaxis": "x2"},
        {"x": [1, 2], "y": [0, 99], "visible": "legendonly"},
        {"x": [1, 2], "y": [0, 99], "type": "bar"},
    ]
    lines = card_lines(figure(data, xaxis={"type": "log"}))
    middle = f"{WIDTH // 2},{HEIGHT // 2}"
    assert lines[0] == {"colour": "#0072B2", "points": f"4,{HEIGHT - 4} {middle} {WIDTH - 4},4"}
    assert [line["colour"] for line in lines] == ["#0072B2", "#7F7F7F"]
    assert card_lines(None) == [] and card_lines(figure(data[2:])) == []


def test_cards_draw_claims_and_old_pages_do_without(tmp_path):
    row = ForestRow(
        "supported", "", "", "", "", "", Line(0.5, 0.25, 0.75, False, False, False, ()), ""
    )
    claims = card_forest([row, row._replace(line=None)])
    about = {"question": "Q", "answer": "A", "arms": 2, "runs": 4, "verdicts": ["supported: a"]}
    page(tmp_path / "new.html", name="new", forest=claims, lines=[], **about)
    page(tmp_path / "old.html", name="old", **about)
    text = write_index(tmp_path).read_text()
    assert text.count('class="picture"') == 1 and 'x1="24.0" x2="72.0"' in text
    assert text.count('class="card"') == 2 and "1 supported" in text
