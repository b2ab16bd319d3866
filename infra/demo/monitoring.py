"""A monitoring endpoint that knows beforehand which versions are unhealthy, and where.

The build number in the tag decides: every third build (1, 4, 7 …) fails its checks in staging, every
fifth (4, 9, 14 …) also or only in production.
"""

from __future__ import annotations

import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def build_of(tag: str) -> int:
    """The build number at the end of a tag such as `v1.0.7`."""
    return int(tag.rsplit(".", 1)[1])


def error_rate(tag: str, resource: str) -> float:
    """The share of failing requests that a resource shows while it runs a version."""
    build = build_of(tag)
    bad_in_staging = build % 3 == 1 and "staging" in resource
    bad_in_production = build % 5 == 4 and "production" in resource
    return 0.37 if bad_in_staging or bad_in_production else 0.002


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        query = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)
        body: dict[str, object]
        try:
            body, status = {"errorRate": error_rate(query["version"][0], query["resource"][0])}, 200
        except (KeyError, ValueError, IndexError):
            body, status = {"error": "ask with ?version=v1.0.7&resource=name"}, 400
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Quiet: it is asked all the time."""


def serve(port: int) -> int:
    """Serve on loopback in the background; on this port when it is free, else on any. The port."""
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), _Answer)
    except OSError:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port
