"""Verifications, their measurements, and versions that are bad somewhere."""

from __future__ import annotations

from typing import Any

from tests.integration.api import scenes
from tests.integration.api.cases import Listed, Sent, Success, conflict, listed, success
from tests.integration.api.checker import Api
from tests.integration.api.scenes import Shop, id_of

FAILS: dict[str, Any] = {
    "name": "health",
    "intervalSeconds": 1,
    "count": 1,
    "errorLimit": 0,
    # Nobody listens there: the first question brings no answer.
    "provider": {"type": "http", "url": "http://127.0.0.1:9/"},
    "successCondition": "result.ok",
}
NAPS = {**FAILS, "name": "nap", "provider": {"type": "sleep", "durationSeconds": 3600}}


def _verified(api: Api, **metric: Any) -> tuple[Shop, str, str]:
    """A shop, its job, and the job's verification, which failed."""
    at = scenes.shop(api)
    metrics = [{**FAILS, **metric}]
    api.call("policy.create", {"name": "p", "rules": [{"verification": {"metrics": metrics}}]})
    scenes.version(api, at.deployment)
    fact = scenes.recorded(api, "verifier.verification_failed.v1")
    return at, fact["job_id"], fact["verification_id"]


def _again(api: Api, verification: str) -> str:
    made = id_of(api.call("verification.again", verificationId=verification))
    scenes.recorded(api, "verifier.verification_failed.v1", lambda fact: bool(fact["verification_id"] == made))
    return made


@success("verification.get")
def get_verification(api: Api) -> Success:
    at, job, made = _verified(api)
    answer = yield Sent({"verificationId": made})
    assert (answer["id"], answer["jobId"], answer["status"], answer["attempt"]) == (made, job, "failed", 1)
    (metric,) = answer["metrics"]
    assert ({name: metric[name] for name in FAILS}, metric["status"]) == (FAILS, "failed")
    assert [one["error"] for one in metric["measurements"]] == [True]
    state = api.call("target.state", releaseTargetKey=at.key)
    assert state["latestJob"]["verifications"] == [answer]


@success("verification.measurements")
def list_measurements(api: Api) -> Success:
    _, _, made = _verified(api)
    answer = yield Sent({"verificationId": made}, query={"metric": "health", "points": 5})
    (only,) = answer["items"]
    assert (only["metric"], only["number"], only["status"]) == ("health", 1, "failed")
    whole = api.pages("verification.measurements", query={"includeDetails": "true"}, verificationId=made)
    assert whole[0]["asked"]["url"] == FAILS["provider"]["url"]


@listed("verification.measurements")
def listed_measurements(api: Api) -> Listed:
    _, _, made = _verified(api, count=3, failureThreshold=2)
    return Listed([1, 2, 3], lambda one: one["number"], Sent({"verificationId": made}))


@success("verification.again")
def verify_again(api: Api) -> Success:
    _, job, first = _verified(api)
    answer = yield Sent({"verificationId": first}, {"reason": "it was the proxy"})
    got = api.call("verification.get", verificationId=answer["id"])
    assert (got["jobId"], got["attempt"], got["reason"]) == (job, 2, "it was the proxy")


@conflict("verification.again")
def verify_what_runs(api: Api) -> Sent:
    at = scenes.shop(api)
    api.call("policy.create", {"name": "p", "rules": [{"verification": {"metrics": [NAPS]}}]})
    scenes.version(api, at.deployment)
    made = scenes.recorded(api, "verifier.verification_started.v1")["verification_id"]
    return Sent({"verificationId": made}, {})


@success("job.verifications")
def list_verifications(api: Api) -> Success:
    _, job, first = _verified(api)
    second = _again(api, first)
    answer = yield Sent({"jobId": job})
    assert [(one["id"], one["attempt"]) for one in answer["items"]] == [(second, 2), (first, 1)]


@listed("job.verifications")
def listed_verifications(api: Api) -> Listed:
    _, job, first = _verified(api)
    second = _again(api, first)
    third = _again(api, second)
    return Listed([third, second, first], id_of, Sent({"jobId": job}))


# --- what is bad somewhere --------------------------------------------------------------------------------------------------------


def _ran(api: Api, count: int) -> tuple[Shop, list[str]]:
    """A shop where versions ran one after the other, and these."""
    at = scenes.shop(api)
    versions: list[str] = []
    for number in range(1, count + 1):
        versions.append(scenes.version(api, at.deployment, f"v{number}"))
        scenes.deployed(api, at, versions[-1])
    return at, versions


def _bad(api: Api) -> tuple[Shop, str]:
    """A shop that was rolled back from its second version, and that one."""
    at, (_, second) = _ran(api, 2)
    api.call("target.rollback", {"reason": "it is slow"}, releaseTargetKey=at.key)
    return at, second


@success("target.marks")
def list_marks(api: Api) -> Success:
    at, second = _bad(api)
    answer = yield Sent({"releaseTargetKey": at.key})
    (only,) = answer["items"]
    assert (only["versionId"], only["tag"], only["reason"]) == (second, "v2", "it is slow")
    # A person went back, not a rule.
    assert {"jobId", "policyId", "ruleId"}.isdisjoint(only)


@listed("target.marks")
def listed_marks(api: Api) -> Listed:
    at, versions = _ran(api, 4)
    for _ in range(3):
        api.call("target.rollback", releaseTargetKey=at.key)
    return Listed(versions[1:], lambda one: one["versionId"], Sent({"releaseTargetKey": at.key}))


@success("target.mark.lift")
def lift_mark(api: Api) -> Success:
    at, second = _bad(api)
    answer = yield Sent({"releaseTargetKey": at.key, "versionId": second})
    assert answer["targets"] == 1
    assert api.pages("target.marks", releaseTargetKey=at.key) == []
    api.refused(404, "target.mark.lift", releaseTargetKey=at.key, versionId=second)
    jobs: list[str] = []

    def again(fact: dict[str, Any]) -> bool:
        jobs.append(fact["version_id"])
        return jobs.count(second) == 2

    scenes.recorded(api, "dispatcher.job_created.v1", again)


@success("pair.mark.lift")
def lift_marks(api: Api) -> Success:
    at, second = _bad(api)
    answer = yield Sent({**at.pair, "versionId": second})
    assert answer["targets"] == 1
    assert api.pages("target.marks", releaseTargetKey=at.key) == []


@success("environment.rollback")
def roll_everything_back(api: Api) -> Success:
    at, _ = _ran(api, 2)
    answer = yield Sent({"environmentId": at.environment}, {"reason": "all of it is slow"})
    assert answer["targets"] == 1
    assert api.call("target.desired", releaseTargetKey=at.key)["desiredRelease"]["version"]["tag"] == "v1"


@conflict("environment.rollback")
def roll_nothing_back(api: Api) -> Sent:
    at, _ = _ran(api, 1)
    return Sent({"environmentId": at.environment}, {})


@success("environment.rollback.preview")
def preview_everything_back(api: Api) -> Success:
    at, (first, second) = _ran(api, 2)
    answer = yield Sent({"environmentId": at.environment})
    assert answer["items"] == [
        {
            "deployment": {"id": at.deployment, "name": "api"},
            "leaves": {"versionId": second, "tag": "v2"},
            "to": {"versionId": first, "tag": "v1"},
            "targets": 1,
        }
    ]
    assert api.call("target.desired", releaseTargetKey=at.key)["desiredRelease"]["version"]["tag"] == "v2"


@conflict("environment.rollback.preview")
def preview_nothing_back(api: Api) -> Sent:
    at, _ = _ran(api, 1)
    return Sent({"environmentId": at.environment})


@success("pair.rollback.preview")
def preview_rollback(api: Api) -> Success:
    at, (first, _, third) = _ran(api, 3)
    answer = yield Sent(at.pair)
    assert ([one["to"]["tag"] for one in answer["items"]], answer["targets"]) == (["v2"], 1)
    answer = api.call("pair.rollback.preview", query={"versionId": first, "fromVersionId": third}, **at.pair)
    assert ([one["to"]["tag"] for one in answer["items"]], answer["targets"]) == (["v1"], 1)
    assert {one["tag"] for one in answer["marked"]} == {"v2", "v3"}


@conflict("pair.rollback.preview")
def preview_no_rollback(api: Api) -> Sent:
    at, _ = _ran(api, 1)
    return Sent(at.pair)
