"""What a page gives away, in a real browser: figures, tables, commands, paper."""

from __future__ import annotations

import csv
import re

import pytest

from tests.report.browser import PATIENCE, inside, settle, wait_until_drawn

pytestmark = pytest.mark.xdist_group("browser")


@pytest.mark.parametrize("kind", ["svg", "png", "csv"])
def test_every_figure_can_be_saved(still, kind, tmp_path):
    figure = still.locator("figure", has=still.locator("#curves-loss"))
    with still.expect_download() as download:
        figure.get_by_role("button", name=kind.upper()).click()
    download.value.save_as(tmp_path / "saved")
    content = (tmp_path / "saved").read_bytes()
    start = {"svg": b"<svg", "png": b"\x89PNG", "csv": b"trace,x,y,z\n"}[kind]
    assert content.startswith(start) and len(content) > 200


@pytest.mark.parametrize(("mm", "pixels"), [("85", 2008), ("180", 4252)])
def test_a_figure_is_saved_in_the_width_of_a_column(still, mm, pixels, tmp_path):
    figure = still.locator("figure", has=still.locator("#curves-loss"))
    figure.get_by_label("Width of the saved figure").select_option(mm)
    with still.expect_download() as download:
        figure.get_by_role("button", name="SVG").click()
    assert download.value.suggested_filename == f"curves-loss-{mm}mm.svg"
    download.value.save_as(tmp_path / "saved.svg")
    text = (tmp_path / "saved.svg").read_text(encoding="utf-8")
    assert f'width="{mm}mm"' in text and "n = 3 seeds an arm." in text
    sizes = {float(size) for size in re.findall(r"font-size: ([\d.]+)px", text)}
    # 7 pt; Plotly writes powers of ten on logarithmic axes larger, the digits between them smaller
    points = {round(size * 72 / 96, 1) for size in sizes}
    assert 7.0 in points and points <= {7.0, round(7 * 0.75, 1), round(7 * 1.25, 1)}
    with still.expect_download() as download:
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
def test_a_table_is_copied(still, kind, head):
    inside(
        still,
        "() => { document.execCommand = () => { window.copied = document.activeElement.value } }",
    )
    bar = still.locator("main .scroll + .save").first
    bar.get_by_role("button", name=kind).click()
    text = inside(still, "() => window.copied")
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


def test_the_table_of_a_map_has_a_row_for_each_cell(still, tmp_path):
    rows = saved_table(still, "improvement", tmp_path)
    z = inside(still, "() => document.getElementById('improvement').data[0].z")
    assert [float(row[3]) if row[3] else None for row in rows] == [v for row in z for v in row]
    # a row has its arm's name and number, a column the number alone
    assert {row[1] for row in rows} == {row[2].rsplit(" · ", 1)[1] for row in rows}


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


def test_a_command_is_copied(still):
    button = still.get_by_role("button", name="copy command").first
    button.click()
    still.get_by_role("button", name="copied").wait_for(timeout=5000)
