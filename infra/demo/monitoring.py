"""A monitoring endpoint that knows beforehand which versions are unhealthy, and where.

The build number at the end of the tag decides. Of every four builds, 0 and 2 are good, 1 fails its checks in staging, and 3
passes there and fails in one region of production, so that a rollout stops halfway.
"""

from __future__ import annotations

import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def build_of(tag: str) -> int:
    """The build number at the end of a tag such as `v4.2.7`."""
    return int(tag.rsplit(".", 1)[1])


def error_rate(tag: str, resource: str) -> float:
    """The share of failing requests that a resource shows while it runs a version."""
    kind = build_of(tag) % 4
    unhealthy = (kind == 1 and resource.startswith("staging-")) or (kind == 3 and resource.startswith("production-ap-"))
    return 0.37 if unhealthy else 0.002


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        query = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)
        body: dict[str, object]
        try:
            body, status = {"errorRate": error_rate(query["version"][0], query["resource"][0])}, 200
        except (KeyError, ValueError, IndexError):
            body, status = {"error": "ask with ?version=v4.2.7&resource=staging-eu-1"}, 400
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
