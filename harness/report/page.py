"""One offline HTML file a study."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import plotly.graph_objects as go

from harness.answer.audit import CHECKS, audit
from harness.answer.budget import Budget, winner_by_budget
from harness.answer.failures import failures
from harness.answer.ranking import show
from harness.answer.whole import Answer, answer
from harness.report.figures.budget import plot_budget
from harness.report.figures.critical import compute_critical, plot_critical
from harness.report.figures.curves import compute_curves, plot_curves
from harness.report.figures.importance import compute_importance, plot_importance
from harness.report.figures.parallel import compute_parallel, plot_parallel
from harness.report.figures.probes import compute_layers, compute_panels, plot_layers, plot_panels
from harness.report.figures.ranking import compute_ranking, plot_ranking
from harness.report.figures.sensitivity import compute_sensitivity, plot_sensitivity
from harness.report.figures.survival import compute_survival, plot_survival
from harness.report.progress import progress_table
from harness.report.style import Look, looks
from harness.results import Results
from harness.spec.plan import arms

METRICS = ("loss", "accuracy")


class Figure(NamedTuple):
    """A figure on the page, with what it shows and how to read it."""

    key: str
    title: str
    caption: str
    packed: str
    """Its Plotly JSON, as :func:`packed`."""
    units: tuple[str, ...] = ()
    """Units that its horizontal axis can be switched to."""


def write_report(results: Results, folder: Path) -> Path:
    """Write the study's report and renew the index of all reports in the folder; return the report's path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{slug(results.study.name)}.html"
    path.write_text(render(results), encoding="utf-8")
    write_index(folder)
    return path


def slug(name: str) -> str:
    """Return the study's name as a file name."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-").lower()


def render(results: Results) -> str:
    """Return the report as a page."""
    found = answer(results)
    names = [arm.name for arm in arms(results.study)]
    page = _environment().get_template("template.html")
    text: str = page.render(
        study=results.study,
        answer=found,
        show=show,
        looks=looks(names),
        sections=sections(results, found, looks(names)),
        winners=_winners(results),
        tally=_tally(t.verdict.verdict for t in found.claims),
        audit=audit(results),
        checks=list(CHECKS),
        progress=progress_table(results.confirmed_curves),
        clock=results.clock,
        runs=_run_rows(results, found),
        facts=_facts(results),
        spec=_spec_yaml(results),
        environment=results.environment,
        about=json.dumps(_about(results, found)),
        plotly=_packed_plotly(),
        script=_asset("page.js"),
        css=_asset("page.css"),
        hashes=_hashes(),
    )
    return text


def sections(results: Results, found: Answer, look: dict[str, Look]) -> dict[str, list[Figure]]:
    """Return the figures of each section that have something to show."""
    ranking = compute_ranking(found)
    parts: dict[str, list[Figure]] = {"ranking": [], "curves": [], "diagnostics": [], "search": []}
    if ranking.rows:
        parts["ranking"].append(_figure("ranking", RANKING, plot_ranking(ranking, look)))
    if (critical := compute_critical(found)) is not None:
        parts["ranking"].append(_figure("critical", CRITICAL, plot_critical(critical, look)))
    parts["ranking"] += _survival(results, found, look)
    curves = results.confirmed_curves
    for metric in METRICS:
        data = compute_curves(curves, metric, [p.arm for p in found.ranking])
        if data.bands:
            title = f"{metric.capitalize()} over training"
            parts["curves"].append(
                _figure(f"curves-{metric}", (title, CURVES), plot_curves(data, look))._replace(units=data.units)
            )
    parts["diagnostics"] = _diagnostics(results, curves, [p.arm for p in found.ranking], look)
    parts["search"] = _search(results, look)
    return parts


def _diagnostics(results: Results, curves: pd.DataFrame, names: Sequence[str], look: dict[str, Look]) -> list[Figure]:
    """Return the figures of each probe: its quantities over training, and its maps of layers."""
    figures = []
    for probe in results.study.probes:
        kind, about = probe.prefix, (type(probe).__doc__ or "").strip()
        panels = compute_panels(curves, kind, names)
        if any(panel.lines for panel in panels):
            figures.append(_figure(f"probe-{kind}", (probe.name, _plain(about)), plot_panels(panels, look)))
        for i, layers in enumerate(compute_layers(curves, kind, names)):
            title = f"{layers.title.capitalize()} by layer"
            figures.append(_figure(f"layers-{kind}-{i}", (title, LAYERS), plot_layers(layers)))
    return figures


def _plain(docstring: str) -> str:
    """Return the first paragraphs of a docstring as a caption."""
    return " ".join(docstring.replace("``", "").split())


def _survival(results: Results, found: Answer, look: dict[str, Look]) -> list[Figure]:
    """Return a figure for each target that the claims name."""
    targets = {(t.claim.on, t.claim.target, t.claim.by): t.claim for t in found.claims if t.claim.target is not None}
    names = [place.arm for place in found.ranking]
    figures = []
    for i, claim in enumerate(targets.values()):
        data = compute_survival(results, claim, names)
        if data.arms:
            title = f"Runs on their way to {claim.on} {claim.target:g}, by {claim.by}"
            figures.append(_figure(f"survival-{i}", (title, SURVIVAL), plot_survival(data, look)))
    return figures


def _search(results: Results, look: dict[str, Look]) -> list[Figure]:
    sensitivity = compute_sensitivity(results.study, results.trials)
    parallel = compute_parallel(results.study, results.trials)
    importance = compute_importance(results.importances)
    found = []
    budget = winner_by_budget(results)
    if budget is not None and len(budget.budgets) > 1:
        found.append(_figure("budget", ("Winner by tuning budget", _budget_text(budget)), plot_budget(budget, look)))
    if sensitivity.panels:
        found.append(_figure("sensitivity", SENSITIVITY, plot_sensitivity(sensitivity, look)))
    if any(len(axes) > 2 for axes in parallel.arms.values()):
        found.append(_figure("parallel", PARALLEL, plot_parallel(parallel, look)))
    if importance.arms:
        found.append(_figure("importance", IMPORTANCE, plot_importance(importance, look)))
    return found


def _tally(verdicts: Iterable[str]) -> str:
    counts = Counter(verdicts)
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())


def _budget_text(budget: Budget) -> str:
    turns = [f"from {n} trials on {arm} leads" for n, arm in budget.changes]
    lead = f"With one trial {budget.leaders[0]} leads" + (f"; {'; '.join(turns)}." if turns else ", and so it stays.")
    exact = (
        "Exact, since trials were independent"
        if budget.exact
        else "Only a description, since later trials learn from earlier"
    )
    return (
        f"Validation objective to be expected of the best of n trials (Dodge et al. 2019), with bootstrap intervals. {lead} "
        f"{exact}. Curves that still move at the right end say that more trials would change the answer."
    )


CRITICAL = (
    "Mean rank over seeds",
    "Each seed ranks the arms; the mark is an arm's mean rank. A grey bar joins arms whose mean ranks are closer than the "
    "critical difference (Nemenyi 1963; Demšar 2006): they are not told apart. It is more cautious than the paired tests of "
    "the table.",
)
SURVIVAL = (
    "Share of an arm's runs that have not reached the target yet, with 95 % intervals (Kaplan & Meier 1958). The sooner a "
    "staircase falls to 0 the faster the arm; one that ends above 0 has runs that never arrived, which are censored there."
)
LAYERS = (
    "Every layer over training, mean over seeds of the logarithm to base 10; all arms share the colours' scale. A map that "
    "fades from the output (bottom) towards the input (top) is a signal that vanishes on its way; one that brightens, one "
    "that explodes."
)
RANKING = (
    "Closing value of each arm",
    "Each row is an arm with its tuned recipe frozen; the large mark is the mean over fresh seeds, the bar its 95 % "
    "interval (Student's t), the small marks single seeds. Overlapping bars do not by themselves mean equal: the "
    "table's p is paired by seed.",
)
CURVES = (
    "Solid: held-out (validation) data; dotted: an equal number of training samples. Shaded: 95 % interval of the mean "
    "over seeds. Means go as far as all of an arm's seeds do. A gap that opens between dotted and solid is overfitting; "
    "a curve that still falls at the end was trained too short. Click an arm in the legend to hide it in every figure."
)
SENSITIVITY = (
    "Objective against each hyperparameter searched",
    "A mark is a trial; hollow ones were pruned early, diverged ones are left out. A best value at the edge of a space "
    "is a sign that the space is too small for that arm.",
)
PARALLEL = (
    "All hyperparameters of a trial together",
    "A line is a trial: the stronger its colour the better its objective, and the thick one is the best. The menu "
    "chooses the arm. Good trials that spread over a whole axis say that its hyperparameter hardly matters.",
)
IMPORTANCE = (
    "Which hyperparameters mattered",
    "Share of each hyperparameter in reaching the better trials (PED-ANOVA, Watanabe et al. 2023), within each arm. "
    "With few trials these shares are rough.",
)


def _figure(key: str, texts: tuple[str, str], figure: go.Figure) -> Figure:
    return Figure(key, texts[0], texts[1], packed(figure.to_json()))


def packed(text: str) -> str:
    """Return text as gzip in base64, which browsers unpack by themselves; the same text gives the same bytes."""
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def _winners(results: Results) -> list[dict[str, Any]]:
    rows = []
    for arm in arms(results.study):
        winner = results.winners[arm.name]
        mine = results.trials[results.trials["arm"] == arm.name] if len(results.trials) else results.trials
        recipe = arm.recipe.model_validate(winner["recipe"]).settings()
        values = {path: recipe.get(path) for path in arm.recipe.spaces()}
        best = list(mine[mine["trial"] == winner["trial"]]["value"]) if len(mine) else []
        text = ", ".join(
            f"{path} = {value:.4g}" if isinstance(value, float) else f"{path} = {value}" for path, value in values.items()
        )
        rows.append({"arm": arm.name, "trials": len(mine), "values": text, "objective": best[0] if best else None})
    return rows


def _run_rows(results: Results, found: Answer) -> list[dict[str, Any]]:
    shown, wrong = results.confirmed.sort_values("seed", kind="stable"), failures(results)
    columns = ["arm", "seed", "status", "run_id", "detail"]
    rows: list[dict[str, Any]] = shown[columns].to_dict("records")  # type: ignore[assignment]
    values = {place.arm: iter(place.values) for place in found.ranking}
    told = [{**row, "value": next(values[row["arm"]]), "labels": wrong.get(row["run_id"], ())} for row in rows]
    return sorted(told, key=lambda row: list(values).index(row["arm"]))


def _facts(results: Results) -> list[tuple[str, str]]:
    study, runs = results.study, results.runs
    search = study.search
    tuned = (
        f"{search.trials} trials an arm at most, {search.sampler} sampler, pruner {search.pruner}"
        if search and len(results.trials)
        else "none"
    )
    objective = f"{search.objective} ({search.reduce})" if search and len(results.trials) else "—"
    counts = runs["status"].value_counts().to_dict()
    return [
        ("Arms", str(len(arms(study)))),
        ("Search", tuned),
        ("Objective of the search", objective),
        ("Confirm seeds", ", ".join(map(str, sorted(set(results.confirmed["seed"]))))),
        ("Runs", f"{len(runs)} ({', '.join(f'{n} {status}' for status, n in counts.items())})"),
        ("Training time", f"{runs['cost/seconds'].sum():,.1f} s on one worker, {runs['cost/steps'].sum():,.0f} updates"),
        ("Data", str(study.recipe.data.name)),
    ]


def _spec_yaml(results: Results) -> str:
    from ruamel.yaml import YAML

    text = io.StringIO()
    writer = YAML()
    writer.default_flow_style = False
    writer.dump(results.spec, text)
    return text.getvalue()


def _about(results: Results, found: Answer) -> dict[str, Any]:
    verdicts = [f"{t.verdict.verdict}: {t.claim}" for t in found.claims]
    return {
        "name": results.study.name,
        "question": results.study.question,
        "answer": found.sentence,
        "verdicts": verdicts,
        "arms": len(found.ranking),
        "runs": len(results.runs),
    }


def write_index(folder: Path) -> Path:
    """Write ``index.html``, which lists every report in the folder with its answer."""
    entries = []
    for path in sorted(folder.glob("*.html")):
        with path.open(encoding="utf-8") as file:
            match = re.search(r'<script type="application/json" id="about">(.*?)</script>', file.read(65536), re.DOTALL)
        if match and path.name != "index.html":
            about = json.loads(match[1])
            tally = _tally(verdict.partition(":")[0] for verdict in about["verdicts"])
            entries.append({"file": path.name, "tally": tally, **about})
    index = folder / "index.html"
    page = _environment().get_template("index.html")
    index.write_text(page.render(entries=entries, css=_asset("page.css"), hashes=_hashes()), encoding="utf-8")
    return index


@lru_cache(maxsize=1)
def _environment() -> Any:
    from jinja2 import Environment, PackageLoader
    from markupsafe import Markup

    made = Environment(
        loader=PackageLoader("harness.report", "assets"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    made.filters["raw_json"] = lambda text: Markup(
        text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    )
    made.filters["raw"] = Markup
    return made


@lru_cache(maxsize=4)
def _asset(name: str) -> str:
    return (Path(__file__).parent / "assets" / name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


@lru_cache(maxsize=1)
def _packed_plotly() -> str:
    return packed(_plotly())


@lru_cache(maxsize=1)
def _hashes() -> str:
    """Return the content-security-policy sources of the page's two scripts."""
    scripts: Sequence[str] = (_plotly(), _asset("page.js"))
    digests = (base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts)
    return " ".join(f"'sha256-{d}'" for d in digests)
