"""The report in a real browser: no request, no error, and every switch does what it says."""

from __future__ import annotations

import base64
import gzip
from pathlib import Path

import pytest

import harness as h
from harness import results
from harness.protocol.run import Options, run_study
from harness.report.library import shared_name
from harness.report.page import write_report
from tests.report.browser import PATIENCE, inside, settle, shown, wait_until_drawn
from tests.studies import small

pytestmark = pytest.mark.xdist_group("browser")


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


def test_hovering_says_what_a_point_is(still):
    plot = still.locator("#curves-loss")
    plot.scroll_into_view_if_needed()
    where = """() => { const p = document.getElementById('curves-loss'), l = p._fullLayout, box = p.querySelector('.nsewdrag').getBoundingClientRect();
        const t = p.data.find(t => t.meta.kind === 'mean' && t.meta.part === 'valid'), i = 1;
        return [box.x + l.xaxis.d2p(t.x[i]), box.y + l.yaxis.d2p(t.y[i])]; }"""
    x, y = inside(still, where)
    still.mouse.move(x - 3, y - 3)
    still.mouse.move(x, y, steps=3)
    text = plot.locator(".hovertext").first.text_content(timeout=5000)
    assert "valid/loss" in text and any(arm in text for arm in ("SGD", "Adam"))


def test_the_table_is_searched_and_sorted(still):
    rows = still.locator("#table tbody tr")
    still.wait_for_selector("#table tbody tr", state="attached")
    total = rows.count()
    still.locator("#find").fill("confirm adam")
    assert still.locator("#count").text_content() == f"3 of {total} runs"
    still.locator("#find").fill("")
    still.get_by_role("button", name="Value").click()
    values = [
        float(text)
        for text in still.locator("#table tbody tr td:nth-child(6)").all_text_contents()
        if text
    ]
    assert values == sorted(values)
    assert still.locator("th[aria-sort=ascending]").text_content() == "Value"
    link = still.locator("#table tbody tr a").first.get_attribute("href")
    assert link.startswith("http://127.0.0.1:5000/#/experiments/")
    assert (
        still.locator("[data-copy]")
        .first.get_attribute("data-copy")
        .startswith("harness reproduce ")
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
    page.wait_for_selector("#table tbody tr", state="attached")
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


OVERLAPPING = """() => [...document.querySelectorAll('.plot')].flatMap((plot) => {
    const titles = [...plot.querySelectorAll('.xtitle, .annotation-text')]
        .map((title) => [title.textContent, title.getBoundingClientRect()])
        .filter(([text, box]) => text && box.width);
    const meets = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
    return titles.flatMap(([text, box], i) => titles.slice(i + 1)
        .filter(([, other]) => meets(box, other)).map(([other]) => `${plot.id}: ${text} on ${other}`));
})"""
"""Pairs of titles of a figure's plots that lie on each other."""


@pytest.mark.parametrize("width", [390, 600, 820, 950, 970, 1400])
def test_a_long_effect_fits_into_its_row(browser, report, width):
    """A claim of samples, or of small numbers, has 28 characters: they lay on what stands beside
    them, and a phone's page became wider than its screen."""
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(report.as_uri())
    page.evaluate(
        "() => document.querySelectorAll('.forest [role=cell].effect')"
        ".forEach((cell) => { cell.textContent = '0.000168 [0.000154, 0.000187]'; })"
    )
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    wide = page.evaluate(
        "() => [...document.querySelectorAll('.forest [role=cell].effect')]"
        ".filter((cell) => cell.scrollWidth > cell.clientWidth).length"
    )
    assert wide == 0
    page.close()


def test_on_a_phone_nothing_is_wider_than_the_screen_and_no_title_lies_on_another(browser, report):
    phone = browser.new_page(viewport={"width": 390, "height": 844})
    phone.goto(report.as_uri())
    wait_until_drawn(phone)
    assert phone.evaluate("() => document.documentElement.scrollWidth") <= 390
    phone.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")  # draws all figures
    wait_until_drawn(phone)
    assert inside(phone, OVERLAPPING) == []
    # two plots that share their height's scale: under each other, each with its labels
    axes = "() => ['xaxis', 'xaxis2'].map(x => document.getElementById('sensitivity').layout[x].domain)"
    assert inside(phone, axes) == [[0, 1], [0, 1]]
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
def test_axe_finds_nothing(still):
    inside(still, AXE.read_text(encoding="utf-8"))
    # what Plotly draws is its own: the figure is an image with a name, and its numbers are saved as a table
    found = inside(
        still,
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
