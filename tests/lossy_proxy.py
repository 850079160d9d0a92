"""A proxy before a server that loses answers after the work was done."""

from __future__ import annotations

import http.client
import random
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class LossyProxy(ThreadingHTTPServer):
    """Passes every request on, and some answers not.

    Args:
        target: the server's port on this machine.
        share: of the answers that are lost.
    """

    def __init__(self, target, share):
        super().__init__(("127.0.0.1", 0), _Passing)
        self.target, self.share = target, share
        self.uri = f"http://127.0.0.1:{self.server_address[1]}"
        self.random, self.passed, self.lost = random.Random(5), 0, 0


class _Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def pass_on(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else None
        headers = {name: v for name, v in self.headers.items() if name.lower() != "host"}
        asked = http.client.HTTPConnection("127.0.0.1", self.server.target, timeout=60)
        asked.request(self.command, self.path, body, headers)
        answer = asked.getresponse()
        content, status = answer.read(), answer.status
        asked.close()
        self.server.passed += 1
        if self.server.random.random() < self.server.share:
            self.server.lost += 1
            content, status = b"lost", 500
        self.send_response(status)
        self.send_header("Content-Type", answer.getheader("Content-Type", "text/plain"))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = pass_on

    def log_message(self, *_):
        pass


@contextmanager
def lossy_proxy(target, share):
    proxy = LossyProxy(target, share)
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()
