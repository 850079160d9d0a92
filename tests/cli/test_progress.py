"""What is shown while a study runs: bars in a terminal, a line a stage in a log."""

import io

from rich.console import Console

from harness.cli.progress import Bars, Lines, choose_display


def shown(console, file):
    with choose_display(console) as progress:
        progress.stage("search", 12)
        progress.added(1000)
        progress.made(400)
        for i in range(15):
            progress.best(f"arm {i}", "valid/loss", 0.5 + i, 3)
        progress.say("a worker died; its runs go on alone")
        progress.live.refresh() if isinstance(progress, Bars) else None
    return file.getvalue()


def test_terminal_shows_speed_time_left_and_the_best_of_each_arm():
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=120, height=60)
    assert isinstance(choose_display(console), Bars)
    text = shown(console, file)
    assert "search · 12 runs" in text and "40%" in text and "updates/s" in text and "left" in text
    assert "arm 0" in text and "0.5" in text and "and 3 more" in text
    assert "a worker died" in text


def test_a_log_tells_now_and_then_how_far_the_study_is():
    file, now = io.StringIO(), [0.0]
    lines = Lines(Console(file=file, force_terminal=False), clock=lambda: now[0])
    lines.countdown.clock = lines.clock
    lines.planned({"search": 900, "confirm": 300}, {"search": 9, "confirm": 3}, at_most=False)
    lines.stage("search", 9)
    lines.asked(300)
    lines.added(300)
    for now[0], total in ((1.0, 10), (30.0, 155), (61.0, 310), (62.0, 315)):
        lines.made(total)
    told = "search: 26% of the study, about 3 min left: search 2 min, confirm 60 s"
    assert file.getvalue().splitlines() == ["search: 9 runs", told]


def test_log_gets_plain_lines():
    file = io.StringIO()
    console = Console(file=file, force_terminal=False)
    assert isinstance(choose_display(console), Lines)
    assert shown(console, file) == "search: 12 runs\na worker died; its runs go on alone\n"
