"""A plan on its way to its pull request: services and their host as they run, a pretended GitHub, and HTTP to look at it."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from libs.eventlog.port import EventLog
from libs.runtime import clock
from libs.runtime.outside import Outside, OwnAccounts
from libs.secrets.sources import Sources
from libs.secrets.vault import Vault
from tests.fakes.github import APP, FakeGithub
from tests.fakes.serving import Clock
from tests.integration.gateway.gateway_house import house
from tests.integration.gateway.test_story_in_process import shop
from tests.unit.outbound.outside import calling

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
SHA = "a" * 40
METADATA = {"github/owner": "acme", "github/repo": "shop", "git/sha": SHA}
TARGETS = 3


async def test_a_plan_ends_as_one_comment_and_a_check_of_each_target() -> None:
    github = FakeGithub(KEY.public_key(), Clock(clock.now()))
    github.pulls[SHA] = [{"number": 7, "state": "open"}]
    async with github.serving(), calling() as outbound:

        def through(log: EventLog) -> Outside:
            own = OwnAccounts(github_app_id=APP, github_private_key=PEM, github_api_url=github.url)
            return Outside(log, outbound, Vault(Sources({}, None), None), None, "https://releases.example.com", own)

        async with house(through=through) as one:
            ids = await shop(one)
            for number in range(1, TARGETS):
                await one.call(
                    "PUT", one.path_of(f"more/{number}"), {"name": f"m{number}", "kind": "Cluster", "version": "v1"}, want=202
                )
            path = f"/deployments/{ids['deployment']}/plan"
            body = {"version": {"tag": "pr-7", "jobAgentConfig": {"hasChanges": True}, "metadata": METADATA}}
            plan_id = (await one.call("POST", path, body, want=202))["id"]
            facts = "/events?types=dispatcher.plan_reported.v1&limit=1000"
            done = await one.until(
                lambda: one.call("GET", facts, want=200),
                lambda seen: (
                    len({fact["data"]["target"] for fact in seen["items"] if fact["data"]["state"] == "done"}) == TARGETS + 1
                ),
            )
            assert not [fact for fact in done["items"] if fact["data"]["error"]]
            plan = await one.call("GET", f"{path}/{plan_id}", want=200)
            assert (plan["status"], plan["summary"]["changed"], plan["pullRequest"]) == ("completed", TARGETS, 7)
    (comment,) = github.comments
    assert f"{path}/{plan_id})" in comment["body"]
    assert f"{TARGETS} with changes" in comment["body"]
    assert {check["name"] for check in github.checks} == {
        f"Signalbox/staging/{name} (api)" for name in ("one", *(f"m{number}" for number in range(1, TARGETS)))
    }
    assert [check["conclusion"] for check in github.checks] == ["neutral"] * TARGETS
