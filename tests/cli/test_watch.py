"""A study is watched while it runs, and before."""

from __future__ import annotations

from types import SimpleNamespace

from harness.protocol.run import Options, run_study
from tests.studies import small

FROM_ELSEWHERE = [  # a header of the request, and the answer's status
    ("Host", "evil.example", 403),
    ("Host", "127.0.0.1.evil.example:80", 403),
    ("Host", "localhost@evil.example", 403),
    ("Host", "127.0.0.1:80\t.evil.example", 403),
    ("Host", "localhost:8080", 200),  # a port that was forwarded
    ("Host", "[::1]:8080", 200),
    ("Origin", "http://evil.example", 403),
    ("Origin", "null", 403),
    ("Origin", "http://localhost:3000", 403),  # another program of this machine
    ("Origin", "http://{}", 200),
]


def test_a_running_study_is_watched(cli, folder, monkeypatch):
    import threading
    import urllib.error
    import urllib.request

    from harness.cli import watch as watching
    from harness.tracking import Session

    seen = {}

    def look(self, *arguments):
        seen.setdefault("page", watching.render_so_far("small"))
        return original(self, *arguments)

    original = Session.set_clock  # between the search and the confirm stage
    monkeypatch.setattr(Session, "set_clock", look)
    run_study(small(), Options(workers=0))
    assert "No answer yet" in seen["page"] and "Curves of the search runs" in seen["page"]
    # of the driver, from its first moment on
    assert "12 of 12 search runs and 0 of 4 confirm runs are done; time left" in seen["page"]
    server = watching.ThreadingHTTPServer(
        ("127.0.0.1", 0), lambda *rest: watching.PageHandler("small", None, *rest)
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        place = f"http://127.0.0.1:{server.server_port}/"
        with urllib.request.urlopen(place) as answer:
            assert "has the best test loss" in answer.read().decode()
        for name, value, answered in FROM_ELSEWHERE:
            request = urllib.request.Request(place, headers={name: value.format(place[7:-1])})
            status = 200
            try:
                with urllib.request.urlopen(request) as answer:
                    answer.read()
            except urllib.error.HTTPError as error:
                status = error.code
            assert (name, value, status) == (name, value, answered)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert "small is finished" in cli("watch", "small", "--terminal")[1]


def test_a_study_that_has_not_begun_is_waited_for(cli, folder, monkeypatch):
    from harness.cli import watch as watching

    waits = []

    def wait(seconds):
        waits.append(seconds)
        if len(waits) == 2:
            run_study(small(), Options(workers=0))

    monkeypatch.setattr(watching, "time", SimpleNamespace(sleep=wait))
    status, out, _ = cli("watch", "small", "--terminal")
    assert not status and len(waits) == 2
    assert out.count("no study 'small'") == 1 and "waiting until it begins" in out
    assert "small is finished" in out
