"""A real Prometheus, and something for it to scrape."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from infra.checks.debian import program
from infra.embedded.children import LAUNCH

START_LIMIT_S = SETTLE_LIMIT_S = 60.0
USER, PASSWORD = "ana", "correct horse"
PASSWORD_BCRYPT = "$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e"


class Exporter:
    """Shows gauges over HTTP in Prometheus' text format, and knows what of it Prometheus has.

    Attributes:
        asked: address of the Prometheus that scrapes this.
    """

    def __init__(self) -> None:
        self._gauges: dict[str, float | str] = {}
        self._fleeting: dict[str, float | str] = {}
        self._revision = 0
        self._scraped = threading.Condition()
        self.port = 0
        self.asked = ""

    def show(self, gauges: dict[str, float | str]) -> None:
        """Show gauges, such as `{'errors{pod="a"}': 1}`, and return when Prometheus has them, also if a later scrape should fail."""
        with self._scraped:
            self._gauges |= gauges
            self._settle()

    def show_only(self, fleeting: dict[str, float | str]) -> None:
        """Show gauges that Prometheus forgets as soon as they are no longer shown, and no others of this kind; return when it knows."""
        with self._scraped:
            self._fleeting = fleeting
            self._settle()

    def _settle(self) -> None:
        # What one scrape brings is stored together, and a scrape that takes too long is not stored at all.
        self._revision += 1
        end = time.monotonic() + SETTLE_LIMIT_S
        while self._known() != self._revision:
            assert self._scraped.wait(end - time.monotonic()), "nobody scrapes"
            assert time.monotonic() < end, "what is scraped can not be asked for"

    def _known(self) -> int:
        with urllib.request.urlopen(f"{self.asked}/api/v1/query?query=exporter_revision", timeout=30) as answer:
            found = json.load(answer)["data"]["result"]
        return int(found[0]["value"][1]) if found else 0

    def page(self) -> bytes:
        with self._scraped:
            self._scraped.notify_all()
            # A sample that says itself when it was taken is good for minutes, whatever becomes of the next scrape.
            at = int(time.time() * 1000)
            lines = [f"{name} {value} {at}" for name, value in self._gauges.items()]
            lines += [f"{name} {value}" for name, value in self._fleeting.items()]
            return "\n".join([*lines, f"exporter_revision {self._revision}", ""]).encode()

    @contextmanager
    def serving(self) -> Iterator[None]:
        exporter = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page = exporter.page()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, format: str, *arguments: Any) -> None:
                """Say nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            self.port = server.server_address[1]
            thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
            thread.start()
            try:
                yield
            finally:
                server.shutdown()
                thread.join()


@contextmanager
def prometheus(folder: Path, *, scrapes: int | None = None, web: dict[str, Any] | None = None) -> Iterator[str]:
    """Host and port of a Prometheus that answers, until the block ends.

    Args:
        folder: an empty one.
        scrapes: the port of an exporter.
        web: Prometheus' own web configuration (TLS, users).
    """
    jobs = [] if scrapes is None else [{"job_name": "exporter", "static_configs": [{"targets": [f"127.0.0.1:{scrapes}"]}]}]
    # JSON is YAML as well.
    config, web_config = folder / "prometheus.yml", folder / "web.yml"
    config.write_text(json.dumps({"global": {"scrape_interval": "200ms", "scrape_timeout": "200ms"}, "scrape_configs": jobs}))
    web_config.write_text(json.dumps(web or {}))
    command = [
        *(sys.executable, "-I", "-S", str(LAUNCH), str(os.getpid()), "9", "none"),
        str(program("prometheus")),
        f"--config.file={config}",
        f"--web.config.file={web_config}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--web.listen-address=127.0.0.1:0",
    ]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        log = _Log(process)
        try:
            yield log.address()
        finally:
            process.kill()
            log.join()


class _Log(threading.Thread):
    """Reads what Prometheus says, which tells its port and when it answers."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        super().__init__(daemon=True)
        self._process = process
        self._lines: list[str] = []
        self._decided = threading.Event()
        self._address = ""
        self._ready = False
        self.start()

    def run(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._lines.append(line)
            if found := re.search(r'msg="Listening on".* address=(\S+)', line):
                self._address = found[1]
            self._ready = self._ready or "Server is ready to receive web requests" in line
            if self._address and self._ready:
                self._decided.set()
        self._decided.set()

    def address(self) -> str:
        assert self._decided.wait(START_LIMIT_S), "".join(self._lines[-20:])
        assert self._ready, f"Prometheus ended: {''.join(self._lines[-20:])}"
        return self._address
