"""MLflow's own pages of a study, in a real browser: what its UI makes of what is written for it."""

from __future__ import annotations

import contextlib
import json

import pytest
from mlflow.tracking import MlflowClient

import harness as h
from harness.protocol.run import Options, run_study
from harness.tracking.schema import Tag
from harness.tracking.studies import study_pages
from harness.tracking.views import charts_page
from tests.report.browser import PATIENCE
from tests.servers import mlflow_server
from tests.studies import small

pytestmark = pytest.mark.slow  # a server and a browser
ARMS = {"SGD / 64", "SGD / 128", "Adam / 64", "Adam / 128"}
CURVES = """() => [...document.querySelectorAll('.js-plotly-plot')]
    .filter((plot) => plot.layout?.xaxis.title?.text === 'Relative Time')
    .map((plot) => plot.data.filter((trace) => trace.name && trace.x?.length > 1)
        .map((trace) => [trace.name, Math.min(...trace.x), Math.max(...trace.x)]))[0] ?? []"""
"""Name, begin and end in seconds of each curve in the first chart over relative time."""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Return the address of MLflow's UI of a study with two factors."""
    folder = tmp_path_factory.mktemp("ui")
    optimizers = {"SGD": h.SGD(lr=0.1), "Adam": h.Adam(lr=0.01)}
    study = small(
        compare={"optimizer": optimizers, "batch_size": [64, 128]}, search=None, claims=[]
    )
    with contextlib.chdir(folder):
        run_study(study, Options(workers=0))
    with mlflow_server(folder, f"sqlite:///{folder / 'mlflow.db'}") as server:
        yield server.uri


@pytest.fixture
def page(browser):
    opened = browser.new_page(viewport={"width": 1400, "height": 900})
    opened.set_default_timeout(PATIENCE)
    yield opened
    opened.close()


def test_charts_groups_and_comparison_of_arms(site, page):
    experiment = MlflowClient(site).get_experiment_by_name("small").experiment_id
    page.goto(f"{site}/{study_pages(site)['small']}")
    for arm in ARMS:
        page.get_by_role("link", name=arm, exact=True).wait_for()

    # the description's link, and not MLflow's list of views, opens charts
    charts = page.get_by_role("link", name="Curves over time").get_attribute("href")
    assert charts == charts_page(experiment)
    page.goto(f"{site}/{charts}")
    page.wait_for_function(f"() => ({CURVES})().length >= {len(ARMS)}")
    curves = page.evaluate(CURVES)
    assert {name for name, _, _ in curves} == ARMS
    assert all(begin == 0 and end > 0 for _, begin, end in curves), "by each arm's own clock"
    # what arms are judged by comes first
    first = page.get_by_test_id("experiment-view-compare-runs-section-header").first
    assert first.text_content().startswith("curves(2)")

    page.get_by_role("button", name="Group by").click()
    # a tag is there, too
    page.get_by_text("level.batch_size", exact=True).last.click()
    for level in (64, 128):
        page.get_by_text(f"Group: {level}").wait_for()

    runs = MlflowClient(site).search_runs([experiment], f"tags.`{Tag.KIND}` = 'arm'")
    ids, experiments = json.dumps([run.info.run_id for run in runs]), json.dumps([experiment])
    page.goto(f"{site}/#/compare-runs?runs={ids}&experiments={experiments}")
    for arm in ARMS:
        page.get_by_text(arm, exact=True).first.wait_for()
