"""A stand-in for `python -m services serve`: it takes the handed-over socket, says ready and names one workspace."""

from __future__ import annotations

import json
import os
import socket
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

WORKSPACE = "6f1f7a5e-3a0c-4c39-9a54-0d4f6a1b2c3d"


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        key = Path(os.environ["SIGNALBOX_BOOTSTRAP_KEY_FILE"]).read_text("utf-8")
        allowed = self.headers.get("X-API-Key") == key
        body = json.dumps({"workspaces": [{"id": WORKSPACE, "slug": "default"}], "pid": os.getpid()}).encode()
        self.send_response(200 if allowed else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the tests read what the supervisor says."""


def main() -> None:
    # What the supervisor promised to hand over is written down for the tests to compare.
    seen = {name: value for name, value in os.environ.items() if name.startswith("SIGNALBOX_")}
    (Path(os.environ["SIGNALBOX_DATA_DIR"]) / "seen.json").write_text(json.dumps(seen), "utf-8")
    server = HTTPServer(("127.0.0.1", 0), Answers, bind_and_activate=False)
    server.socket.close()
    server.socket = socket.socket(fileno=int(os.environ["SIGNALBOX_LISTEN_FD"]))
    os.write(int(os.environ["SIGNALBOX_READY_FD"]), b"ready\n")
    server.serve_forever()


if __name__ == "__main__":
    main()
