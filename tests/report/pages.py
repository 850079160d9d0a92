"""Reports of small studies, and what a browser would load, run and show of them."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from html.parser import HTMLParser

import numpy as np

import harness as h
from harness import results
from harness.protocol.run import Options, run_study
from harness.report.library import shared_name


def finished(study):
    run_study(study, Options(workers=0))
    return results.load(study.name)


def many(names, **fields):
    recipe = h.Recipe(
        data="iris", model=h.MLP(widths=(4,)), optimizer=h.SGD(lr=0.1), batch_size=32, epochs=2
    )
    rates = np.geomspace(0.01, 1, len(names))
    levels = {name: h.SGD(lr=float(rate)) for name, rate in zip(names, rates, strict=True)}
    base = {"name": "many", "recipe": recipe, "compare": {"optimizer": levels}, "seeds": 2}
    return h.Study(**base | fields)


class Page(HTMLParser):
    """Gathers what a browser would load, run and show."""

    def __init__(self, text):
        super().__init__()
        self.loads, self.scripts, self.handlers, self.tags, self.shown = [], [], [], [], []
        self.open = None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        given = dict(attributes)
        self.loads += [given[k] for k in ("src", "href", "action", "data") if given.get(k)]
        self.handlers += [k for k in given if k.startswith("on")]
        self.open = tag
        if tag == "script":
            self.scripts.append((given.get("type", ""), ""))

    def handle_endtag(self, tag):
        self.open = None

    def handle_data(self, data):
        if self.open == "script":
            kind, text = self.scripts[-1]
            self.scripts[-1] = (kind, text + data)
        elif self.open != "style":
            self.shown.append(data)


def figures(page):
    packed = [text for kind, text in page.scripts if kind == "application/gzip"]
    return [json.loads(text) for text in map(unpacked, packed) if text.startswith('{"data"')]


def run_rows(page):
    """Return the cells of each row of the page's table of runs."""
    packed = [text for kind, text in page.scripts if kind == "application/gzip"]
    (columns,) = [json.loads(text) for text in map(unpacked, packed) if text.startswith("[[")]
    return list(zip(*columns, strict=True))


def unpacked(text):
    return gzip.decompress(base64.b64decode(text)).decode()


def assert_safe(text):
    page = Page(text)
    ui = "http://127.0.0.1:5000/#/experiments/"  # a link to click, never loaded
    shared = shared_name()  # what published pages load
    loads = [load for load in page.loads if not load.startswith(("#", ui))]
    assert all(load.endswith(".html") or load == shared for load in loads), loads
    assert not page.handlers and "img" not in page.tags
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert "default-src 'none'" in policy
    assert ("'self'" in policy) == (shared in loads)
    running = [body for kind, body in page.scripts if kind == "module"]
    assert {kind for kind, body in page.scripts if body} <= {
        "module",
        "application/gzip",
        "application/json",
    }
    library = [
        text
        for text in (unpacked(body) for kind, body in page.scripts if kind == "application/gzip")
        if "plotly.js v" in text[:200]
    ]
    assert len(running) == 1 and len(library) == (0 if shared in loads else 1)
    for body in running + library:
        assert base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() in policy
    return page
