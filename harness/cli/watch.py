"""``watch``: a running study in the browser or in the terminal."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from harness.analysis.live import ArmSoFar, read_study, say_state, summarize_arms
from harness.cli.console import PlainConsole
from harness.core.errors import HarnessError, NoStudyError
from harness.report.watch import EVERY, render_so_far
from harness.spec.objects import reading_stored
from harness.tracking import Reader

WAITING = "\nwaiting until it begins   (Ctrl-C ends that)"
SECONDS_BETWEEN_LOOKS = 2
"""Seconds after which the terminal's table is renewed."""


@reading_stored()
def watch_page(study: str, uri: str | None, port: int) -> None:
    """Serve the study's page on 127.0.0.1 until Ctrl-C.

    Args:
        study: name of a study that runs, perhaps in another process.
        uri: MLflow's tracking URI; by default :func:`harness.tracking.default_uri`.
        port: 0 takes a free one.

    Raises:
        StoreError: the store can't be read. A study that has not begun is waited for.
        HarnessError: the port is taken.
    """
    try:
        render_so_far(study, uri)  # what can't be read is refused here, not in the browser
    except NoStudyError as error:
        print(f"{error}{WAITING}", flush=True)
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), partial(PageHandler, study, uri))
    except OSError as error:
        raise HarnessError(
            f"--port: 127.0.0.1:{port} can't be served: {error.strerror}; choose another port"
        ) from error
    print(f"watching {study}: http://127.0.0.1:{server.server_port}   (Ctrl-C ends it)", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


class PageHandler(BaseHTTPRequestHandler):
    """Answers every request with the study's page as it is now.

    ``http.server`` makes one for each request, in a thread of its own.

    Args:
        study: name of the study.
        uri: MLflow's tracking URI.
        rest: what ``http.server`` gives to a handler.
    """

    def __init__(self, study: str, uri: str | None, *rest: object) -> None:
        self.study, self.uri = study, uri
        # last: the base class answers the request within its constructor
        super().__init__(*rest)  # type: ignore[arg-type]  # the request, the client and the server

    @reading_stored()
    def do_GET(self) -> None:
        """Send the page, to a page of its own address alone; no other path exists."""
        if not self._asked_from_here():
            return self.send_error(403, "this page is served to this machine's browser only")
        if self.path != "/":
            return self.send_error(404)
        try:
            status, page = 200, render_so_far(self.study, self.uri)
        except HarnessError as error:  # the store may be away for a while: the browser asks again
            again = f"<!doctype html><meta http-equiv=refresh content={EVERY}>"
            status, page = 503, f"{again}<p>{html.escape(str(error))}</p>"
        body = page.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")  # or going back would show an old state
        self.end_headers()
        with suppress(ConnectionError):  # a browser that has gone elsewhere meanwhile
            self.wfile.write(body)

    def _asked_from_here(self) -> bool:
        """Return whether the browser asked for this address, and for a page of this address.

        A page from elsewhere whose name was made to point at 127.0.0.1 (DNS rebinding) could else
        read the study: its requests still name its own host.
        """
        host, origin = self.headers.get("Host", ""), self.headers.get("Origin")
        # not the port: what forwards it, such as ssh -L, may have another
        return _is_local(host) and origin in (None, f"http://{host}")

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing: a line a request would drown the rest."""


_LOCAL = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?", re.IGNORECASE)


def _is_local(host: str) -> bool:
    return _LOCAL.fullmatch(host) is not None


@reading_stored()
def watch_terminal(study: str, uri: str | None) -> None:
    """Show a table of the study's arms, renewed until it is finished or Ctrl-C.

    Args:
        study: name of a study that runs, perhaps in another process.
        uri: MLflow's tracking URI; by default :func:`harness.tracking.default_uri`.

    Raises:
        StoreError: the store can't be read. A study that has not begun is waited for.
    """
    console = PlainConsole()
    try:
        reader = _read_when_begun(study, uri)
        # no refresh by itself: a table changes only when it has been read again
        with Live(_view(reader), console=console, auto_refresh=False) as live:
            while not reader.complete():
                time.sleep(SECONDS_BETWEEN_LOOKS)
                live.update(_view(reader), refresh=True)
    except KeyboardInterrupt:
        return
    console.print(f"{study} is finished: harness report {study}", highlight=False, markup=False)


def _read_when_begun(study: str, uri: str | None) -> Reader:
    """Return the study's reader once the study has begun; say at first that it has not."""
    said = False
    while True:
        try:
            reader = Reader.of(study, uri)
            reader.spec()
            return reader
        except NoStudyError as error:
            if not said:
                print(f"{error}{WAITING}", flush=True)
            said = True
            time.sleep(SECONDS_BETWEEN_LOOKS)


def _view(reader: Reader) -> Group:
    """Return what is shown of a study: a sentence, and a row for each arm."""
    rows = summarize_arms(reader, read_study(reader))
    return Group(Text(say_state(reader, rows)), _table(rows))


def _table(rows: Sequence[ArmSoFar]) -> Table:
    table = Table(
        "arm",
        "search runs",
        "best objective",
        "confirm runs",
        "held-out loss",
        "diverged or failed",
        box=None,
    )
    for row in rows:
        best, last = ("" if v is None else f"{v:.5g}" for v in (row.best, row.last))
        table.add_row(row.arm, str(row.searched), best, str(row.confirmed), last, str(row.wrong))
    searched, confirmed = sum(row.searched for row in rows), sum(row.confirmed for row in rows)
    wrong = sum(row.wrong for row in rows)
    table.add_row("all", str(searched), "", str(confirmed), "", str(wrong))
    return table
