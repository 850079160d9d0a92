"""A real browser for the tests of pages: where it is, and what they do with it."""

from __future__ import annotations

import fcntl
import glob
import os
import shutil
import subprocess
import tempfile
from typing import Any, NamedTuple

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


def wait_until_drawn(page):
    page.wait_for_selector(".plot .main-svg", timeout=PATIENCE)
    page.wait_for_function("() => !document.querySelector('.plot[aria-busy]')", timeout=PATIENCE)


def inside(page, script, *arguments):
    """Run a function in the page, past its policy, as the developer tools do."""
    return page.evaluate(script, *arguments)


def shown(page, plot):
    """Return the (arm, kind, part) of a figure's visible traces."""
    script = "id => document.getElementById(id).data.filter(t => t.visible === true && t.meta).map(t => [t.meta.arm, t.meta.kind, t.meta.part])"
    return {tuple(row) for row in inside(page, script, plot)}


def settle(page):
    page.wait_for_timeout(300)
