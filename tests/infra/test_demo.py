"""The demo shop: its rules, its colleague, and the story that a newcomer sees in the first minute and a half."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from infra.demo import monitoring, shop
from infra.demo.__main__ import due
from infra.demo.api import Api
from infra.demo.colleague import TAKES_S, Colleague, waiting_for_a_person
from tests.infra.supervised import Running, until

SEEN_WITHIN_S = 200.0
"""More than the minute and a half that it takes, for a machine that does other things as well."""


# --- which versions are unhealthy -----------------------------------------------------------------------------------------------


def unhealthy(tag: str) -> set[str]:
    return {name for names in shop.CLUSTERS.values() for name in names if monitoring.error_rate(tag, name) > 0.01}


@pytest.mark.parametrize(
    "build, where",
    [
        (0, set()),
        (1, set(shop.CLUSTERS["staging"])),
        (2, set()),
        (3, {"production-ap-1", "production-ap-2"}),
        (4, set()),
        (41, set(shop.CLUSTERS["staging"])),
    ],
)
def test_the_build_number_decides_where_a_version_is_unhealthy(build: int, where: set[str]) -> None:
    assert unhealthy(f"v4.2.{build}") == where


def test_monitoring_answers_over_http_and_says_what_it_wants() -> None:
    url = f"http://127.0.0.1:{monitoring.serve(0)}/errors"
    with httpx.Client(trust_env=False, timeout=60) as client:
        assert client.get(url, params={"version": "v4.2.1", "resource": "staging-eu-1"}).json() == {"errorRate": 0.37}
        refused = client.get(url, params={"version": "latest", "resource": "staging-eu-1"})
    assert (refused.status_code, "ask with ?version=" in refused.json()["error"]) == (400, True)


def test_monitoring_moves_to_another_port_when_its_own_is_taken() -> None:
    taken = monitoring.serve(0)
    assert monitoring.serve(taken) != taken


# --- what is built next ---------------------------------------------------------------------------------------------------------


def test_ci_begins_with_a_build_of_everything_and_goes_on_with_what_is_behind() -> None:
    assert due({"checkout": 0, "catalog": 0, "mailer": 0}) == ["checkout", "catalog", "mailer"]
    assert due({"checkout": 3, "catalog": 0, "mailer": 0}) == ["catalog", "mailer"]
    assert due({"checkout": 2, "catalog": 1, "mailer": 1}) == ["catalog"]


# --- what the colleague approves ------------------------------------------------------------------------------------------------


def version(name: str, **verdicts: str) -> dict[str, Any]:
    return {"versionId": name, "reasons": [{"ruleType": rule, "verdict": verdict} for rule, verdict in verdicts.items()]}


HEALTHY = version("healthy", anyApproval="waiting", environmentProgression="allowed", gradualRollout="waiting")
UNHEALTHY = version("unhealthy", anyApproval="waiting", environmentProgression="waiting", gradualRollout="waiting")
APPROVED = version("approved", anyApproval="allowed", gradualRollout="waiting")
BAD = version("bad", anyApproval="waiting", badMark="blocked")


@pytest.mark.parametrize(
    "versions, ripe",
    [
        ([], []),
        ([HEALTHY], ["healthy"]),
        ([UNHEALTHY, HEALTHY], ["healthy"]),
        ([HEALTHY, {**HEALTHY, "versionId": "older"}], ["healthy"]),
        ([UNHEALTHY], []),
        ([APPROVED], []),
        ([BAD], []),
    ],
)
def test_only_what_lacks_nothing_but_a_person_is_worth_an_approval(versions: list[dict[str, Any]], ripe: list[str]) -> None:
    assert waiting_for_a_person({"versions": versions}) == ripe


class Desk:
    """The API as far as the colleague uses it."""

    def __init__(self) -> None:
        self.versions: list[Mapping[str, Any]] = []
        self.approved: list[str] = []

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        if path.startswith("/release-targets/state"):
            return {"items": [{"releaseTarget": {"resourceId": "r"}}]}
        if path == "/release-targets/r-production-checkout/explanation":
            return {"versions": self.versions}
        assert (method, body["environmentIds"]) == ("PUT", ["production"])
        self.approved.append(path.split("/")[2])
        return {}


def test_the_colleague_takes_a_moment_that_starts_when_staging_is_healthy() -> None:
    desk = Desk()
    colleague = Colleague(cast(Api, desk), "checkout", "production")
    desk.versions = [UNHEALTHY]
    colleague.look(0.0)
    desk.versions = [HEALTHY]
    colleague.look(100.0)
    colleague.look(100.0 + TAKES_S - 1)
    assert desk.approved == []
    colleague.look(100.0 + TAKES_S)
    assert desk.approved == ["healthy"]


# --- the story ------------------------------------------------------------------------------------------------------------------


class Watcher:
    """A newcomer with the credentials that were printed."""

    def __init__(self, running: Running) -> None:
        known = running.credentials()
        self.client = httpx.Client(
            base_url=f"{known['url']}/api/v1/workspaces/{known['workspaceId']}",
            headers={"X-API-Key": known["apiKey"]},
            trust_env=False,
            timeout=30,
        )
        self.facts: list[dict[str, Any]] = []
        self.waits: set[str] = set()

    def read_on(self) -> None:
        after = self.facts[-1]["position"] if self.facts else 0
        answer = self.client.get("/events", params={"order": "asc", "limit": 500, "after": after})
        self.facts += answer.raise_for_status().json()["items"]

    def of_type(self, wire_type: str) -> list[dict[str, Any]]:
        return [fact["data"] for fact in self.facts if fact["type"] == wire_type]

    def environments(self) -> dict[str, str]:
        items = self.client.get("/environments").raise_for_status().json()["items"]
        return {one["id"]: one["name"] for one in items}

    def built_beyond(self, count: int) -> bool | None:
        self.read_on()
        return True if len(self.of_type("planner.version_created.v1")) > count else None

    def has_seen_everything(self) -> bool | None:
        self.read_on()
        names = self.environments()
        cleared_in = {names.get(one["environment_id"]) for one in self.of_type("policy.targets_cleared.v1")}
        waits = [group["ended_by"] for one in self.of_type("policy.rule_evaluated.v1") for group in one["groups"]]
        seen = (
            "staging" in cleared_in,
            any("approval by 1 more person" in ended_by for ended_by in waits),
            bool(self.of_type("policy.approval_recorded.v1")),
            bool(self.of_type("planner.rollback_started.v1")),
        )
        return True if all(seen) else None


@pytest.mark.integration
@pytest.mark.timeout(300)
def test_a_newcomer_sees_a_promotion_a_wait_for_a_person_and_a_rollback(
    tmp_path: Path, supervise: Callable[..., Running]
) -> None:
    running = supervise(tmp_path / "data", options=())
    running.hear("Signalbox is ready")
    began = time.monotonic()
    watcher = Watcher(running)
    with watcher.client:
        until(watcher.has_seen_everything, SEEN_WITHIN_S - (time.monotonic() - began))
        versions = {one["version_id"]: one["tag"] for one in watcher.of_type("planner.version_created.v1")}
        back = watcher.of_type("planner.rollback_started.v1")[0]
        assert (versions[back["version_id"]], versions[back["to_version_id"]]) == ("v4.2.1", "v4.2.0")
        assert versions[watcher.of_type("policy.approval_recorded.v1")[0]["version_id"]] == "v4.2.0"
        # A demo that was killed goes on where it was: the next build, in the same shop, without a word of complaint.
        killed = running.pids()["demo"]
        os.kill(killed, signal.SIGKILL)
        running.replaced("demo", killed)
        until(lambda: watcher.built_beyond(len(versions)))
        assert [one["name"] for one in watcher.client.get("/systems").json()["items"]] == ["shop"]
    assert running.stop() == 0
    assert (tmp_path / "data" / "logs" / "demo.log").read_text("utf-8") == ""
