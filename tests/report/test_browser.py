"""The report in a real browser: no request, no error, and every switch does what it says."""

from __future__ import annotations

import base64
import csv
import fcntl
import glob
import gzip
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import harness as h
from harness import results
from harness.protocol.run import Options, run_study
from harness.report.library import shared_name
from harness.report.page import write_report
from tests.studies import small

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
PROBES = ["light", "Confusion", {"name": "Surfaces", "steps": 9}]
PATIENCE = 120_000
"""Milliseconds that a page may take to draw, on a machine that others are busy on too."""
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def found_browser():
    """Return a Chromium's path: one on the machine, else playwright's own, else Debian's; None where none can be had."""
    here = next(filter(None, map(shutil.which, NAMES)), None)
    own = os.environ.get("PLAYWRIGHT_BROWSERS_PATH", os.path.expanduser("~/.cache/ms-playwright"))
    here = here or next(iter(glob.glob(f"{own}/chromium-*/*/chrome")), None)
    if here is None and os.geteuid() == 0 and shutil.which("apt-get"):
        with open(f"{tempfile.gettempdir()}/harness-chromium.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # one worker of the test run at a time
            here = shutil.which("chromium") or installed()
    return here


def installed():
    """Install Debian's Chromium and return its path, or None."""
    wait = "-oDPkg::Lock::Timeout=240"
    for command in (
        ["apt-get", wait, "update"],
        ["apt-get", wait, "install", "-y", "--no-install-recommends", "chromium"],
    ):
        subprocess.run(command, capture_output=True, check=False, timeout=250)
    return shutil.which("chromium")


@pytest.fixture(scope="module")
def study_results(tmp_path_factory):
    """Results of three arms, one of them with a hostile name."""
    folder = tmp_path_factory.mktemp("browser")
    before = os.getcwd()
    os.chdir(folder)
    try:
        hostile = "</script><img src=x onerror=alert(1)>"
        arms = {
            "SGD": h.SGD(lr=h.LogUniform(0.01, 1.0)),
            "Adam": h.Adam(lr=h.LogUniform(1e-3, 0.1)),
            hostile: h.SGD(lr=0.05),
        }
        study = small(compare={"optimizer": arms}, probes=PROBES, seeds=3)
        run_study(study, Options(workers=0))
        yield results.load("small")
    finally:
        os.chdir(before)


@pytest.fixture(scope="module")
def report(study_results, tmp_path_factory):
    """A user's report: one file."""
    return write_report(study_results, tmp_path_factory.mktemp("reports"))


@pytest.fixture
def published(study_results, tmp_path):
    """A published report, with plotly.js beside it."""
    return write_report(study_results, tmp_path, published=True)


@pytest.fixture(scope="module")
def browser():
    path = found_browser()
    if path is None:
        pytest.skip("no Chromium on this machine, and none can be installed")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


class Observed(NamedTuple):
    """A page with all that went wrong on it and all that it asked for."""

    page: Any
    wrong: list
    asked: list

    def open(self, path):
        self.page.goto(path.as_uri())
        return self.page

    def loaded(self):
        return [url for url in self.asked if not url.startswith(("data:", "blob:"))]


@pytest.fixture
def observed(browser):
    opened = browser.new_page(viewport={"width": 1200, "height": 900}, color_scheme="light")
    wrong, asked = [], []
    opened.on(
        "console",
        lambda message: (
            wrong.append(message.text) if message.type in ("error", "warning") else None
        ),
    )
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("dialog", lambda dialog: wrong.append(dialog.message))
    opened.on("request", lambda request: asked.append(request.url))
    yield Observed(opened, wrong, asked)
    opened.close()


def wait_until_drawn(page):
    page.wait_for_selector(".plot .main-svg", timeout=PATIENCE)
    page.wait_for_function("() => !document.querySelector('.plot[aria-busy]')", timeout=PATIENCE)


@pytest.fixture
def page(observed, report):
    opened = observed.open(report)
    wait_until_drawn(opened)
    yield opened
    assert observed.wrong == []
    assert observed.loaded() == [report.as_uri()]


def inside(page, script, *arguments):
    """Run a function in the page, past its policy, as the developer tools do."""
    return page.evaluate(script, *arguments)


def shown(page, plot):
    """Return the (arm, kind, part) of a figure's visible traces."""
    script = "id => document.getElementById(id).data.filter(t => t.visible === true && t.meta).map(t => [t.meta.arm, t.meta.kind, t.meta.part])"
    return {tuple(row) for row in inside(page, script, plot)}


def settle(page):
    page.wait_for_timeout(300)


def test_an_arm_is_switched_off_in_all_figures_at_once(page):
    assert "Adam" in {arm for arm, *_ in shown(page, "curves-loss")}
    page.get_by_role("button", name="Adam").first.click()
    settle(page)
    for plot in ("curves-loss", "curves-accuracy", "profile", "probe-gradient"):
        assert {arm for arm, *_ in shown(page, plot)} & {"Adam", "SGD"} == {"SGD"}, plot
    page.get_by_role("button", name="all", exact=True).click()
    settle(page)
    assert "Adam" in {arm for arm, *_ in shown(page, "profile")}


def test_the_switches_of_the_curves(page):
    assert {(kind, part) for _, kind, part in shown(page, "curves-loss")} == {
        ("mean", "valid"),
        ("band", "valid"),
    }
    page.get_by_label("training", exact=True).check()
    page.get_by_label("every seed").check()
    page.locator("[name=unit]").select_option("samples")
    page.get_by_label("log x").check()
    page.locator("[name=centre]").select_option("median")
    settle(page)
    assert ("SGD", "seed", "train") in shown(page, "curves-loss")
    assert ("SGD", "band", "valid") in shown(page, "curves-loss")
    page.get_by_label("intervals", exact=True).uncheck()
    settle(page)
    assert {kind for _, kind, _ in shown(page, "curves-loss")} == {"mean", "seed"}
    look = "() => { const p = document.getElementById('curves-loss'); return [p.layout.xaxis.type, p._fullLayout.xaxis.title.text, p.data.find(t => t.meta.kind === 'mean').x] }"
    kind, title, x = inside(page, look)
    assert (kind, title) == ("log", "samples") and x[0] == 0 and x[-1] > 100


def test_the_median_and_smoothing_are_drawn(page, report):
    y = "() => document.getElementById('curves-loss').data.find(t => t.meta.kind === 'mean' && t.meta.part === 'valid').y"
    mean = inside(page, y)
    centres = inside(
        page,
        "() => document.getElementById('curves-loss').data.find(t => t.meta.kind === 'mean' && t.meta.part === 'valid').meta.centres",
    )
    assert mean == centres["mean"][0]
    page.locator("[name=centre]").select_option("median")
    settle(page)
    assert inside(page, y) == centres["median"][0]
    page.locator("[name=smooth]").fill("0.5")
    settle(page)
    first, second = centres["median"][0][:2]
    assert inside(page, y)[:2] == pytest.approx([first, (0.25 * first + 0.5 * second) / 0.75])


def test_zoom_is_kept_in_step(page):
    inside(
        page, "() => Plotly.relayout('curves-loss', {'xaxis.range[0]': 0.5, 'xaxis.range[1]': 1.5})"
    )
    settle(page)
    other = inside(page, "() => document.getElementById('curves-accuracy').layout.xaxis.range")
    assert other == [0.5, 1.5]


def test_any_metric_can_be_chosen(page):
    page.locator("#which").select_option("curves-gradient-all")
    settle(page)
    assert (
        inside(page, "() => document.getElementById('metric').layout.yaxis.title.text")
        == "gradient norm"
    )


def test_hovering_says_what_a_point_is(page):
    plot = page.locator("#curves-loss")
    plot.scroll_into_view_if_needed()
    where = """() => { const p = document.getElementById('curves-loss'), l = p._fullLayout, box = p.querySelector('.nsewdrag').getBoundingClientRect();
        const t = p.data.find(t => t.meta.kind === 'mean' && t.meta.part === 'valid'), i = 1;
        return [box.x + l.xaxis.d2p(t.x[i]), box.y + l.yaxis.d2p(t.y[i])]; }"""
    x, y = inside(page, where)
    page.mouse.move(x - 3, y - 3)
    page.mouse.move(x, y, steps=3)
    text = plot.locator(".hovertext").first.text_content(timeout=5000)
    assert "valid/loss" in text and any(arm in text for arm in ("SGD", "Adam"))


def test_the_table_is_searched_and_sorted(page):
    rows = page.locator("#table tbody tr")
    total = rows.count()
    page.locator("#find").fill("confirm adam")
    assert page.locator("#count").text_content() == f"3 of {total} runs"
    page.locator("#find").fill("")
    page.get_by_role("button", name="Value").click()
    values = [
        float(text)
        for text in page.locator("#table tbody tr td:nth-child(6)").all_text_contents()
        if text
    ]
    assert values == sorted(values)
    assert page.locator("th[aria-sort=ascending]").text_content() == "Value"
    link = page.locator("#table tbody tr a").first.get_attribute("href")
    assert link.startswith("http://127.0.0.1:5000/#/experiments/")
    assert (
        page.locator("[data-copy]")
        .first.get_attribute("data-copy")
        .startswith("harness reproduce ")
    )


@pytest.mark.parametrize("kind", ["svg", "png", "csv"])
def test_every_figure_can_be_saved(page, kind, tmp_path):
    figure = page.locator("figure", has=page.locator("#curves-loss"))
    with page.expect_download() as download:
        figure.get_by_role("button", name=kind.upper()).click()
    download.value.save_as(tmp_path / "saved")
    content = (tmp_path / "saved").read_bytes()
    start = {"svg": b"<svg", "png": b"\x89PNG", "csv": b"trace,x,y,z\n"}[kind]
    assert content.startswith(start) and len(content) > 200


@pytest.mark.parametrize(("mm", "pixels"), [("85", 2008), ("180", 4252)])
def test_a_figure_is_saved_in_the_width_of_a_column(page, mm, pixels, tmp_path):
    figure = page.locator("figure", has=page.locator("#curves-loss"))
    figure.get_by_label("Width of the saved figure").select_option(mm)
    with page.expect_download() as download:
        figure.get_by_role("button", name="SVG").click()
    assert download.value.suggested_filename == f"curves-loss-{mm}mm.svg"
    download.value.save_as(tmp_path / "saved.svg")
    text = (tmp_path / "saved.svg").read_text(encoding="utf-8")
    assert f'width="{mm}mm"' in text and "n = 3 seeds an arm." in text
    sizes = {float(size) for size in re.findall(r"font-size: ([\d.]+)px", text)}
    # 7 pt; Plotly writes powers of ten on logarithmic axes larger, the digits between them smaller
    points = {round(size * 72 / 96, 1) for size in sizes}
    assert 7.0 in points and points <= {7.0, round(7 * 0.75, 1), round(7 * 1.25, 1)}
    with page.expect_download() as download:
        figure.get_by_role("button", name="PNG").click()
    download.value.save_as(tmp_path / "saved.png")
    head = (tmp_path / "saved.png").read_bytes()[:24]
    # 600 dots an inch; the width stands in the header after 16 bytes
    assert int.from_bytes(head[16:20], "big") == pytest.approx(pixels, abs=8)


def test_a_figure_is_printed_alone_on_a_sheet_of_its_size(page):
    inside(page, "() => { window.print = () => { window.printed = true } }")
    figure = page.locator("figure", has=page.locator("#curves-loss"))
    figure.get_by_label("Width of the saved figure").select_option("85")
    figure.get_by_role("button", name="PDF").click()
    page.wait_for_function("() => window.printed")
    sheet = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", sheet)) == 1
    box = re.search(rb"/MediaBox\s*\[0 0 ([\d.]+)", sheet)
    assert float(box[1]) == pytest.approx(85 / 25.4 * 72, abs=2)


@pytest.mark.parametrize(
    ("kind", "head"), [("CSV", "Arm,"), ("Markdown", "| Arm |"), ("LaTeX", "\\begin{tabular}")]
)
def test_a_table_is_copied(page, kind, head):
    inside(
        page,
        "() => { document.execCommand = () => { window.copied = document.activeElement.value } }",
    )
    bar = page.locator("main .scroll + .save").first
    bar.get_by_role("button", name=kind).click()
    text = inside(page, "() => window.copied")
    assert text.startswith(head)
    if kind == "CSV":
        heads, *rows = csv.reader(text.splitlines())
        assert {len(row) for row in rows} == {len(heads)} and heads.count("low") == 2
        assert float(rows[0][2]) <= float(rows[0][1]) <= float(rows[0][3])
    if kind == "LaTeX":
        assert "\\toprule" in text and not re.search(r"[%#_&−×]", re.sub(r"\\.| & ", "", text))


def saved_table(page, plot, tmp_path):
    """Return the rows of a figure's CSV: trace, x, y, z."""
    figure = page.locator("figure", has=page.locator(f"#{plot}"))
    with page.expect_download() as download:
        figure.get_by_role("button", name="CSV").click()
    download.value.save_as(tmp_path / "saved.csv")
    with (tmp_path / "saved.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


def test_the_table_of_a_curve_has_what_is_shown_and_nothing_else(page, tmp_path):
    page.get_by_label("every seed").check()
    page.get_by_role("button", name="Adam").first.click()
    settle(page)
    rows = saved_table(page, "curves-loss", tmp_path)
    names = {row[0] for row in rows}
    assert sum(name.startswith("SGD valid seed ") for name in names) == 3
    assert not any("Adam" in name or "train" in name for name in names)
    drawn = "() => { const t = document.getElementById('curves-loss').data.find(t => t.meta.arm === 'SGD' && t.meta.kind === 'mean' && t.meta.part === 'valid'); return [t.x, t.y] }"
    x, y = inside(page, drawn)
    mine = [row for row in rows if row[0] == "SGD valid"]
    assert [float(row[1]) for row in mine] == x and [float(row[2]) for row in mine] == y


def test_the_table_of_a_map_has_a_row_for_each_cell(page, tmp_path):
    rows = saved_table(page, "improvement", tmp_path)
    z = inside(page, "() => document.getElementById('improvement').data[0].z")
    assert [float(row[3]) if row[3] else None for row in rows] == [v for row in z for v in row]
    assert {row[1] for row in rows} == {row[2] for row in rows}


def test_before_printing_all_figures_are_drawn(observed, report):
    page = observed.open(report)
    page.wait_for_selector(".plot .main-svg", timeout=PATIENCE)
    page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
    wait_until_drawn(page)
    page.emulate_media(media="print")
    assert page.locator(".plot:not(:has(.main-svg))").count() == 0
    assert not page.locator("nav").is_visible() and not page.locator(".save").first.is_visible()
    assert observed.wrong == []


def test_on_paper_all_is_drawn_in_few_pages_without_the_runs(observed, report):
    page = observed.open(report)
    page.wait_for_selector(".plot .main-svg", timeout=PATIENCE)
    wait_until_drawn(page)
    sheets = page.pdf(format="A4")
    assert 1 < len(re.findall(rb"/Type\s*/Page\b(?!s)", sheets)) <= 12
    page.emulate_media(media="print")
    assert not page.locator("#table").is_visible() and page.locator("ul.audit").is_visible()
    assert inside(
        page, "() => document.querySelector('.plot').style.getPropertyValue('--on-paper')"
    )


def test_a_page_of_several_searches_is_drawn(observed, folder):
    study = small(
        search=h.Search(trials=2, searches=3), recipe=small().recipe.with_values({"epochs": 1})
    )
    run_study(study, Options(workers=0))
    page = observed.open(write_report(results.load("small"), folder))
    page.wait_for_selector(".plot .main-svg", timeout=PATIENCE)
    page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
    wait_until_drawn(page)
    assert page.locator(".plot:not(:has(.main-svg))").count() == 0
    # each search froze a winner, and confirmed it by two seeds of its own
    page.get_by_label("every seed").check()
    settle(page)
    drawn = "() => document.getElementById('curves-loss').data.filter(t => t.visible === true && t.meta?.arm === 'SGD' && t.meta.kind === 'seed' && t.meta.part === 'valid').length"
    assert inside(page, drawn) == 3 * 2
    page.locator("#find").fill("confirm adam")
    assert page.locator("#count").text_content() == "6 of 24 runs"
    assert observed.wrong == []


def test_a_command_is_copied(page):
    button = page.get_by_role("button", name="copy command").first
    button.click()
    page.get_by_role("button", name="copied").wait_for(timeout=5000)


def test_published_pages_share_one_file_with_plotly(observed, published, report):
    library = published.parent / shared_name()
    page = observed.open(published)
    wait_until_drawn(page)
    assert "Adam" in {arm for arm, *_ in shown(page, "curves-loss")}
    assert observed.wrong == []
    assert sorted(observed.loaded()) == sorted([published.as_uri(), library.as_uri()])
    assert published.stat().st_size < report.stat().st_size - 0.9 * library.stat().st_size


OTHER_LIBRARY = b"globalThis.Plotly={}"
"""A script whose hash is in no page's policy."""


@pytest.mark.parametrize("other", [None, OTHER_LIBRARY], ids=["missing", "another"])
def test_a_published_page_without_its_plotly_says_so(observed, published, other):
    library = published.parent / shared_name()
    library.unlink()
    if other is not None:
        packed = base64.b64encode(gzip.compress(other)).decode()
        library.write_text(f'globalThis.packedPlotly="{packed}";')
    page = observed.open(published)
    page.locator("#no-library").wait_for(state="visible", timeout=10_000)
    assert shared_name() in page.locator("#no-library").text_content()
    rows = page.locator("#table tbody tr")
    page.locator("#find").fill("confirm adam")
    assert page.locator("#count").text_content() == f"3 of {rows.count()} runs"


def test_dark_and_light(page):
    colour = "() => document.getElementById('curves-loss').layout.font.color"
    before = inside(page, colour)
    page.get_by_role("button", name="Light or dark").click()
    settle(page)
    assert inside(page, colour) != before
    assert (
        inside(page, "() => getComputedStyle(document.body).backgroundColor") == "rgb(18, 23, 29)"
    )


def test_on_a_phone_nothing_is_wider_than_the_screen(browser, report):
    phone = browser.new_page(viewport={"width": 390, "height": 844})
    phone.goto(report.as_uri())
    phone.wait_for_selector(".plot .main-svg", timeout=PATIENCE)
    assert phone.evaluate("() => document.documentElement.scrollWidth") <= 390
    phone.close()


def test_a_film_is_moved_by_keyboard_and_played(page):
    length = """() => document.getElementById('surfaces').data
        .filter(t => t.meta?.kind === 'way').map(t => t.x.length)"""
    figure = page.locator("figure:has(#surfaces)")
    page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
    wait_until_drawn(page)
    whole = inside(page, length)
    assert set(whole) == {10}, "without a move, and so in print, all of it is seen"
    figure.get_by_role("slider").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    settle(page)
    assert set(inside(page, length)) == {2}
    assert figure.get_by_role("slider").get_attribute("aria-valuetext") == "update 1 of 9"
    heads = """() => document.getElementById('surfaces').data
        .flatMap((t, i, all) => t.meta?.kind === 'head' ? [t.x[0] === all[i - 1].x[1]] : [])"""
    assert all(inside(page, heads))
    figure.get_by_role("button", name="Play").click()
    page.wait_for_function(
        "() => document.querySelector('.film output').textContent === 'update 9 of 9'",
        timeout=PATIENCE,
    )
    figure.get_by_role("button", name="Play").wait_for(timeout=PATIENCE)
    settle(page)
    assert inside(page, length) == whole


AXE = Path(__file__).parents[2] / "tools/javascript/node_modules/axe-core/axe.min.js"
"""Deque's checker of accessibility, which make lint-js installs."""


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: make lint-js")
def test_axe_finds_nothing(page):
    inside(page, AXE.read_text(encoding="utf-8"))
    # what Plotly draws is its own: the figure is an image with a name, and its numbers are saved as a table
    found = inside(
        page,
        "() => axe.run({ exclude: [['.js-plotly-plot']] }).then(({ violations }) => violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html.slice(0, 200))]))",
    )
    assert found == []


def test_by_keyboard(page):
    page.keyboard.press("Tab")
    assert inside(page, "() => document.activeElement.className") == "skip"
    page.get_by_role("button", name="Adam").first.focus()
    page.keyboard.press("Space")
    settle(page)
    assert page.get_by_role("button", name="Adam").first.get_attribute("aria-pressed") == "false"
