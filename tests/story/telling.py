"""The story, told over HTTP as CI, an operator and an approver would: good version, bad in staging, bad in production, fixed version."""

from __future__ import annotations

import json
import threading
import time
import urllib.parse
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from tests.story.house import House, wait_until

INTERVAL_S = 2
STAGING = ("stg-1", "stg-2")
PRODUCTION = ("prd-1", "prd-2", "prd-3")


class Monitoring:
    """An HTTP endpoint that reports chosen (version, resource) pairs as failing, and remembers who was measured."""

    def __init__(self) -> None:
        self.unhealthy: set[tuple[str, str]] = set()
        self.asked: set[tuple[str, str]] = set()
        told = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)
                pair = (query["version"][0], query["resource"][0])
                told.asked.add(pair)
                data = json.dumps({"errorRate": 0.5 if pair in told.unhealthy else 0.0}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.port = self._server.server_port

    @contextmanager
    def serving(self) -> Iterator[Monitoring]:
        """Serve until the block ends."""
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join(60)


class Telling:
    """One telling in one workspace; several may share it."""

    def __init__(self, here: House, monitoring: Monitoring) -> None:
        self.name = uuid.uuid4().hex[:6]
        self.monitoring = monitoring
        self._client = here.client()
        self.resources: dict[str, str] = {}
        self.environments: dict[str, str] = {}
        self.deployment = ""

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call the API; what is 503 or cut is asked again with the same key for up to two minutes."""
        headers = {} if method == "GET" else {"Idempotency-Key": str(uuid.uuid4())}
        end = time.monotonic() + 120
        while True:
            response = self._try(method, path, body, headers)
            if response is not None and response.status_code != 503:
                break
            assert time.monotonic() < end, f"{method} {path}: no answer for two minutes"
            time.sleep(0.2)
        assert response.is_success, f"{method} {path} answered {response.status_code}: {response.text[:400]}"
        return response.json() if response.content else {}

    def _try(self, method: str, path: str, body: Any, headers: dict[str, str]) -> httpx.Response | None:
        try:
            return self._client.request(method, path, json=body, headers=headers)
        except httpx.TransportError:
            return None

    # --- the world -------------------------------------------------------------------------------------------------------------

    def build(self) -> None:
        """Clusters, a system with two environments and a deployment, an agent, and two policies."""
        provider = self.call("PUT", "/resource-providers", {"id": "", "name": f"p-{self.name}"})["id"]
        clusters = [(name, "staging") for name in STAGING] + [(name, "production") for name in PRODUCTION]
        self.call("PUT", f"/resource-providers/{provider}/set", {"resources": [self._cluster(*one) for one in clusters]})
        for name, _ in clusters:
            self._read_back(name)
        system = self.call("POST", "/systems", {"name": f"shop-{self.name}"})["id"]
        for stage in ("staging", "production"):
            selector = f'resource.metadata["env"] == "{stage}" && resource.metadata["telling"] == "{self.name}"'
            body = {"name": f"{stage}-{self.name}", "metadata": {"stage": stage}, "resourceSelector": selector}
            self.environments[stage] = self.call("POST", "/environments", body)["id"]
            self.call("PUT", f"/systems/{system}/environments/{self.environments[stage]}")
        agent = str(uuid.uuid4())
        self.call("PUT", f"/job-agents/{agent}", {"name": f"a-{self.name}", "type": "test-runner", "config": {"delaySeconds": 0}})
        body = {
            "name": f"api-{self.name}",
            "slug": "api",
            "resourceSelector": "true",
            "jobAgentSelector": f'jobAgent.id == "{agent}"',
        }
        self.deployment = self.call("POST", "/deployments", body)["id"]
        self.call("PUT", f"/systems/{system}/deployments/{self.deployment}")
        for policy in self._policies():
            self.call("POST", "/policies", policy)

    def _cluster(self, name: str, env: str) -> dict[str, Any]:
        full = f"{self.name}-{name}"
        return {
            "identifier": f"cluster/{full}",
            "name": full,
            "kind": "Cluster",
            "version": "v1",
            "config": {},
            "metadata": {"env": env, "telling": self.name},
            "createdAt": "2026-01-01T00:00:00Z",
        }

    def _read_back(self, name: str) -> None:
        quoted = urllib.parse.quote(f"cluster/{self.name}-{name}", safe="")
        self.resources[name] = self.call("GET", f"/resources/identifier/{quoted}")["id"]

    def _policies(self) -> list[dict[str, Any]]:
        mine = f'deployment.id == "{self.deployment}"'
        url = f"http://127.0.0.1:{self.monitoring.port}/?version={{{{.version.tag}}}}&resource={{{{.resource.name}}}}"
        metric = {
            "name": "errors",
            "intervalSeconds": 1,
            "count": 2,
            "provider": {"type": "http", "url": url},
            "successCondition": "result.ok && result.json.errorRate < 0.01",
        }
        progression = {
            "dependsOnEnvironmentSelector": 'environment.metadata["stage"] == "staging"',
            "minimumSuccessPercentage": 100,
            "requireVerificationPassed": True,
        }
        return [
            {
                "name": f"healthy-{self.name}",
                "selector": mine,
                "rules": [
                    {"verification": {"triggerOn": "jobSuccess", "metrics": [metric]}},
                    {"rollback": {"onJobStatuses": ["failure"], "onVerificationFailure": True}},
                ],
            },
            {
                "name": f"careful-{self.name}",
                "selector": f'{mine} && environment.metadata["stage"] == "production"',
                "rules": [
                    {"environmentProgression": progression},
                    {"anyApproval": {"minApprovals": 1}},
                    {"gradualRollout": {"rolloutType": "linear", "timeScaleInterval": INTERVAL_S}},
                ],
            },
        ]

    # --- what is looked at -----------------------------------------------------------------------------------------------------

    def key(self, name: str) -> str:
        """The release target key of a cluster."""
        stage = "staging" if name in STAGING else "production"
        return f"{self.resources[name]}-{self.environments[stage]}-{self.deployment}"

    def running(self, names: tuple[str, ...]) -> set[str | None]:
        """The tags that run on some clusters."""
        states = [self.call("GET", f"/release-targets/{self.key(name)}/state") for name in names]
        return {(state.get("currentRelease") or {}).get("version", {}).get("tag") for state in states}

    def jobs(self, name: str, tag: str) -> list[dict[str, Any]]:
        """Jobs of a version on a cluster, newest first."""
        items = self.call("GET", f"/release-targets/{self.key(name)}/jobs?limit=100")["items"]
        return [job for job in items if job["dispatchContext"]["version"]["tag"] == tag]

    def tried(self, names: tuple[str, ...], tag: str) -> list[int]:
        """How many jobs of a version each cluster had."""
        return [len(self.jobs(name, tag)) for name in names]

    def explain(self, name: str) -> dict[str, Any]:
        """Why a cluster is where it is."""
        explanation: dict[str, Any] = self.call("GET", f"/release-targets/{self.key(name)}/explanation")
        return explanation

    def post(self, tag: str) -> str:
        """CI posts a version; its id."""
        body = {"tag": tag, "name": tag, "status": "ready", "config": {}, "jobAgentConfig": {}, "metadata": {}}
        return str(self.call("POST", f"/deployments/{self.deployment}/versions", body)["id"])

    def approve(self, version: str) -> None:
        """A person approves a version for production."""
        body = {"status": "approved", "environmentIds": [self.environments["production"]]}
        self.call("PUT", f"/deployment-versions/{version}/user-approval-records", body)

    def bad(self, tag: str, names: tuple[str, ...]) -> None:
        """Let monitoring report a version as failing on some clusters."""
        self.monitoring.unhealthy.update((tag, f"{self.name}-{name}") for name in names)

    # --- the story -------------------------------------------------------------------------------------------------------------

    def tell(self) -> None:
        """All of it, in order. Raises: AssertionError where it goes otherwise."""
        with self._client:
            self.build()
            self.good_version()
            self.unhealthy_in_staging()
            self.unhealthy_in_production()
            self.fixed_version()
            self.growing_inventory()

    def good_version(self) -> None:
        version = self.post("v1")
        wait_until(lambda: self.running(STAGING) == {"v1"}, "v1 runs in staging")
        waits = wait_until(lambda: self._waits_only_for("anyApproval", PRODUCTION[0]), "production waits for a person")
        assert "approv" in waits["message"].lower(), waits
        assert self.tried(PRODUCTION, "v1") == [0, 0, 0]
        self.approve(version)
        wait_until(lambda: self.running(PRODUCTION) == {"v1"}, "v1 runs in production")
        assert self.tried(PRODUCTION, "v1") == [1, 1, 1]
        made = sorted(job["createdAt"] for name in PRODUCTION for job in self.jobs(name, "v1"))
        assert len(set(made)) == 3, made

    def _waits_only_for(self, rule: str, name: str) -> dict[str, Any] | None:
        newest = self.explain(name)["versions"][:1]
        if not newest:
            return None
        held = [one for one in newest[0]["reasons"] if one["verdict"] != "allowed" and one["ruleType"] != "gradualRollout"]
        return held[0] if [one["ruleType"] for one in held] == [rule] else None

    def unhealthy_in_staging(self) -> None:
        self.bad("v2", STAGING)
        self.approve(self.post("v2"))
        wait_until(lambda: self.tried(STAGING, "v1") == [2, 2], "staging is rolled back to v1 by jobs of its own")
        wait_until(lambda: self.running(STAGING) == {"v1"}, "v1 runs in staging again")
        assert self.tried(STAGING, "v2") == [1, 1]
        assert self.tried(PRODUCTION, "v2") == [0, 0, 0]

    def unhealthy_in_production(self) -> None:
        self.bad("v3", PRODUCTION)
        version = self.post("v3")
        wait_until(lambda: self.running(STAGING) == {"v3"}, "v3 runs in staging")
        self.approve(version)
        wait_until(lambda: sorted(self.tried(PRODUCTION, "v1")) == [1, 1, 2], "the first cluster is rolled back to v1")
        wait_until(lambda: self.running(PRODUCTION) == {"v1"}, "production runs v1")
        held = next(name for name in PRODUCTION if not self.jobs(name, "v3"))
        stopped = self.explain(held)["versions"][0]
        assert not stopped["cleared"]
        assert any(one["verdict"] == "blocked" for one in stopped["reasons"]), stopped
        assert sum(self.tried(PRODUCTION, "v3")) == 1

    def fixed_version(self) -> None:
        self.approve(self.post("v4"))
        wait_until(lambda: self.running(STAGING + PRODUCTION) == {"v4"}, "v4 runs everywhere", 90)
        assert sum(self.tried(PRODUCTION, "v3")) == 1

    def growing_inventory(self) -> None:
        body = {
            key: value
            for key, value in self._cluster("prd-4", "production").items()
            if key in ("name", "kind", "version", "metadata")
        }
        self.call(
            "PUT", f"/resources/identifier/{urllib.parse.quote(f'cluster/{self.name}-prd-4', safe='')}", {**body, "config": {}}
        )
        self._read_back("prd-4")
        wait_until(lambda: self.running(("prd-4",)) == {"v4"}, "a new cluster gets v4 by itself", 90)
