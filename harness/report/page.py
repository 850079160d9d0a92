"""One offline HTML file a study."""

from __future__ import annotations

import io
import json
import math
import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from harness.analysis.answer import Answer, answer
from harness.analysis.audit import CHECKS, audit
from harness.analysis.failures import failures
from harness.analysis.ranking import show
from harness.analysis.results import Results
from harness.report.figures.sensitivity import compute_sensitivity
from harness.report.library import packed_plotly, plotly_source
from harness.report.progress import progress_table
from harness.report.script import content_hash, page_script
from harness.report.sections import sections
from harness.report.style import looks
from harness.spec.arms import arms


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
    return fill_page(
        "template.html",
        study=results.study,
        answer=found,
        looks=looks(names),
        sections=sections(results, found, looks(names)),
        near=compute_sensitivity(results.study, results.trials).near,
        winners=_winners(results),
        tally=tally(t.verdict.verdict for t in found.claims),
        audit=audit(results),
        checks=list(CHECKS),
        progress=progress_table(results.confirmed_curves),
        clock=results.clock,
        runs=_run_rows(results, found),
        run_link=results.link("{}"),
        facts=_facts(results),
        spec=_spec_yaml(results),
        environment=results.environment,
        about=json.dumps(_about(results, found)),
    )


def fill_page(name: str, **content: Any) -> str:
    """Return a page with figures: a template filled with content, script, style and plotly.js."""
    assets = {
        "plotly": packed_plotly(),
        "script": page_script(),
        "css": _asset("page.css"),
        "hashes": f"{content_hash(plotly_source())} {content_hash(page_script())}",
    }
    text: str = (
        _environment().get_template(name).render(show=show, number=_number, **assets, **content)
    )
    return text


def tally(verdicts: Iterable[str]) -> str:
    """Return how many verdicts there are of each kind, in words."""
    counts = Counter(verdicts)
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())


def _number(value: Any) -> str:
    """Return a table's number in five digits, and anything else as it is."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def _winners(results: Results) -> list[dict[str, Any]]:
    rows = []
    for arm in arms(results.study):
        winner = results.winners[arm.name]
        mine = (
            results.trials[results.trials["arm"] == arm.name]
            if len(results.trials)
            else results.trials
        )
        recipe = arm.recipe.model_validate(winner["recipe"]).settings()
        values = {path: recipe.get(path) for path in arm.recipe.spaces()}
        best = list(mine[mine["trial"] == winner["trial"]]["value"]) if len(mine) else []
        text = ", ".join(
            f"{path} = {value:.4g}" if isinstance(value, float) else f"{path} = {value}"
            for path, value in values.items()
        )
        rows.append(
            {
                "arm": arm.name,
                "trials": len(mine),
                "values": text,
                "objective": best[0] if best else None,
            }
        )
    return rows


def _run_rows(results: Results, found: Answer) -> list[dict[str, Any]]:
    """Return every run: those of the confirm stage by the arms' places, then those of the search."""
    shown, wrong = results.runs.sort_values(["trial", "seed"], kind="stable"), failures(results)
    columns = ["arm", "stage", "trial", "seed", "status", "run_id", "cost/steps", "cost/seconds"]
    rows: list[dict[str, Any]] = shown.reindex(columns=columns).to_dict("records")  # type: ignore[assignment]
    places = {place.arm: i for i, place in enumerate(found.ranking)}
    values = {
        place.arm: dict(zip(results.by_arm[place.arm].index, place.values, strict=True))
        for place in found.ranking
    }
    objectives = {(t["arm"], t["trial"]): t["value"] for t in results.trials.to_dict("records")}
    for row in rows:
        confirm = row["stage"] == "confirm"
        row["value"] = (
            values[row["arm"]][row["seed"]]
            if confirm
            else objectives.get((row["arm"], row["trial"]))
        )
        row["labels"] = wrong.get(row["run_id"], ()) if confirm else ()
    return sorted(
        rows, key=lambda row: (row["stage"] != "confirm", places.get(row["arm"], len(places)))
    )


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
        (
            "Training time",
            f"{runs['cost/seconds'].sum():,.1f} s on one worker, {runs['cost/steps'].sum():,.0f} updates",
        ),
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
    """Write ``index.html``, which lists every report in the folder with its answer, and the pages that compare studies."""
    pages = [found for path in sorted(folder.glob("*.html")) if (found := _about_of(path))]
    entries = [
        page | {"tally": tally(v.partition(":")[0] for v in page["verdicts"])}
        for page in pages
        if "verdicts" in page
    ]
    comparisons = [page for page in pages if "compares" in page]
    index = folder / "index.html"
    page = _environment().get_template("index.html")
    index.write_text(
        page.render(entries=entries, comparisons=comparisons, css=_asset("page.css")),
        encoding="utf-8",
    )
    return index


def _about_of(path: Path) -> dict[str, Any] | None:
    """Return what a page says it is about."""
    with path.open(encoding="utf-8") as file:
        match = re.search(
            r'<script type="application/json" id="about">(.*?)</script>',
            file.read(65536),
            re.DOTALL,
        )
    return {"file": path.name, **json.loads(match[1])} if match else None


@lru_cache(maxsize=1)
def _environment() -> Any:
    from jinja2 import Environment, PackageLoader
    from markupsafe import Markup

    made = Environment(
        loader=PackageLoader("harness.report", "assets"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["raw_json"] = lambda text: Markup(
        text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    )
    made.filters["raw"] = Markup
    return made


@lru_cache(maxsize=4)
def _asset(name: str) -> str:
    return (Path(__file__).parent / "assets" / name).read_text(encoding="utf-8")
