"""Fixtures: a study's report, open in a real browser. One is made in a run of the tests, since its tests run in one process."""

from __future__ import annotations

import contextlib

import pytest

import harness as h
from harness import results
from harness.protocol.run import Options, run_study
from harness.report.page import write_report
from tests.report.browser import Observed, found_browser, wait_until_drawn
from tests.studies import small

PROBES = ["light", "Confusion", {"name": "Surfaces", "steps": 9}]


@pytest.fixture(scope="session")
def study_results(tmp_path_factory):
    """Results of three arms, one of them with a hostile name."""
    hostile = "</script><img src=x onerror=alert(1)>"
    arms = {
        "SGD": h.SGD(lr=h.LogUniform(0.01, 1.0)),
        "Adam": h.Adam(lr=h.LogUniform(1e-3, 0.1), beta1=h.Uniform(0.5, 0.95)),
        hostile: h.SGD(lr=0.05),
    }
    study = small(compare={"optimizer": arms}, probes=PROBES, seeds=3)
    with contextlib.chdir(tmp_path_factory.mktemp("browser")):
        run_study(study, Options(workers=0))
        return results.load("small")


@pytest.fixture(scope="session")
def report(study_results, tmp_path_factory):
    """A user's report: one file."""
    return write_report(study_results, tmp_path_factory.mktemp("reports"))


@pytest.fixture
def published(study_results, tmp_path):
    """A published report, with plotly.js beside it."""
    return write_report(study_results, tmp_path, published=True)


@pytest.fixture(scope="module")
def browser():
    # of a module: playwright keeps an event loop running, which other tests can't bear
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = found_browser()
    if path is None:
        pytest.skip("no Chromium on this machine, and none can be installed")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


def observe(browser):
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
    return Observed(opened, wrong, asked)


@pytest.fixture
def observed(browser):
    """A page of the test's own."""
    opened = observe(browser)
    yield opened
    opened.page.close()


@pytest.fixture
def page(observed, report):
    """The report, drawn, for a test that switches things on it."""
    opened = observed.open(report)
    wait_until_drawn(opened)
    yield opened
    assert observed.wrong == []
    assert observed.loaded() == [report.as_uri()]


@pytest.fixture(scope="module")
def drawn(browser, report):
    opened = observe(browser)
    wait_until_drawn(opened.open(report))
    yield opened
    opened.page.close()


@pytest.fixture
def still(drawn, report):
    """The report, drawn once for all tests that leave it as it is, which spares 5 s each."""
    yield drawn.page
    assert drawn.wrong == []
    assert drawn.loaded() == [report.as_uri()]
