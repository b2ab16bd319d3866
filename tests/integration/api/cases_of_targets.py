"""Releases, release targets, and what people choose for them by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.integration.api import scenes
from tests.integration.api.cases import Listed, Sent, Success, conflict, listed, success
from tests.integration.api.checker import Api
from tests.integration.api.scenes import CLUSTER, Shop, id_of

HYPOTHETICAL = {**CLUSTER, "identifier": "new", "config": {}, "metadata": {"env": "prod"}}


def _running(api: Api, *tags: str) -> tuple[Shop, list[str]]:
    """A shop where versions ran one after the other, and their releases."""
    at = scenes.shop(api)
    return at, [scenes.deployed(api, at, scenes.version(api, at.deployment, tag)) for tag in tags or ("v1",)]


def _target(api: Api) -> Shop:
    """A target without any version."""
    at = scenes.shop(api)
    scenes.recorded(api, "planner.targets_changed.v1")
    return at


def _targets(api: Api) -> tuple[Shop, list[str]]:
    """Three targets of one deployment in one environment; the identifiers of their resources, sorted."""
    at = scenes.shop(api)
    scenes.resource(api, "z")
    last = scenes.resource(api, "a")
    scenes.recorded(api, "planner.targets_changed.v1", lambda fact: last in fact["added"])
    return at, ["a", "r", "z"]


# --- releases, states -------------------------------------------------------------------------------------------------------------


@success("release.get")
def get_release(api: Api) -> Success:
    at, (release,) = _running(api)
    answer = yield Sent({"releaseId": release})
    assert (answer["version"]["tag"], answer["variables"], answer["encryptedVariables"]) == ("v1", {}, [])
    assert answer["releaseTarget"] == {"resourceId": at.resource, "environmentId": at.environment, "deploymentId": at.deployment}
    assert answer["version"] == {name: inner for name, inner in _version(api, at).items() if name != "dependencies"}


def _version(api: Api, at: Shop) -> dict[str, Any]:
    (only,) = api.pages("version.list", deploymentId=at.deployment)
    assert isinstance(only, dict)
    return only


@success("target.state")
def get_state(api: Api) -> Success:
    at, (release,) = _running(api)
    answer = yield Sent({"releaseTargetKey": at.key}, query={"bypassCache": "true"})
    assert (answer["desiredRelease"]["id"], answer["currentRelease"]["id"]) == (release, release)
    job = answer["latestJob"]["job"]
    assert (job["releaseId"], job["status"], job["jobAgentId"]) == (release, "successful", at.agent)
    assert job["completedAt"] >= job["createdAt"]
    assert answer["latestJob"]["verifications"] == []


@success("target.desired")
def get_desired(api: Api) -> Success:
    at, (release,) = _running(api)
    answer = yield Sent({"releaseTargetKey": at.key})
    assert answer == {"desiredRelease": api.call("release.get", releaseId=release)}


@success("target.jobs")
def list_jobs(api: Api) -> Success:
    at, (first, second) = _running(api, "v1", "v2")
    answer = yield Sent({"releaseTargetKey": at.key})
    assert [one["releaseId"] for one in answer["items"]] == [second, first]
    assert answer["items"][0]["dispatchContext"]["version"]["tag"] == "v2"


@listed("target.jobs")
def listed_jobs(api: Api) -> Listed:
    at, releases = _running(api, "v1", "v2", "v3")
    return Listed(releases[::-1], lambda one: one["releaseId"], Sent({"releaseTargetKey": at.key}))


@success("target.states")
def list_states(api: Api) -> Success:
    at, (release,) = _running(api)
    answer = yield Sent(body=at.pair)
    (only,) = answer["items"]
    assert only["releaseTarget"] == {**at.pair, "resourceId": at.resource}
    assert (only["state"]["currentRelease"]["id"], only["state"]["latestJob"]["status"]) == (release, "successful")


@listed("target.states")
def listed_states(api: Api) -> Listed:
    at, identifiers = _targets(api)
    ids = [id_of(api.call("resource.get", identifier=one)) for one in identifiers]
    return Listed(ids, lambda one: one["releaseTarget"]["resourceId"], Sent(body=at.pair))


@success("target.explain")
def explain(api: Api) -> Success:
    at = _target(api)
    answer = yield Sent({"releaseTargetKey": at.key})
    assert (answer["resourceId"], answer["versions"]) == (at.resource, [])


# --- previews and candidates ------------------------------------------------------------------------------------------------------


@success("target.preview")
def preview(api: Api) -> Success:
    of = scenes.system(api)
    matching = scenes.deployment(api, resourceSelector='resource.kind == "Cluster"')
    other = scenes.deployment(api, "db", resourceSelector='resource.kind == "Node"')
    prod = scenes.environment(api, resourceSelector='resource.metadata["env"] == "prod"')
    stage = scenes.environment(api, "stage", resourceSelector='resource.metadata["env"] == "stage"')
    scenes.link(api, of, deployments=(matching, other), environments=(prod, stage))
    answer = yield Sent(body=HYPOTHETICAL)
    seen = [tuple(one[what]["id"] for what in ("system", "deployment", "environment")) for one in answer["items"]]
    assert seen == [(of, matching, prod)]
    assert api.pages("resource.list") == []


@listed("target.preview")
def listed_previews(api: Api) -> Listed:
    environment = scenes.environment(api, resourceSelector="true")
    for of, name in (("b", "x"), ("a", "z"), ("a2", "y")):
        made = scenes.system(api, of)
        deployment = scenes.deployment(api, name, resourceSelector="true")
        scenes.link(api, made, deployments=(deployment,), environments=(environment,))
    return Listed([("a", "z"), ("a2", "y"), ("b", "x")], _previewed, Sent(body=HYPOTHETICAL))


def _previewed(one: dict[str, Any]) -> tuple[str, str]:
    return one["system"]["name"], one["deployment"]["name"]


@success("target.eligible")
def list_eligible(api: Api) -> Success:
    at = _target(api)
    first, second = scenes.version(api, at.deployment, "v1"), scenes.version(api, at.deployment, "v2")
    scenes.version(api, at.deployment, "v3", status="building")
    answer = yield Sent({"releaseTargetKey": at.key}, {})
    assert [id_of(one) for one in answer["items"]] == [second, first]


@listed("target.eligible")
def listed_eligible(api: Api) -> Listed:
    at = _target(api)
    made = [scenes.version(api, at.deployment, tag) for tag in ("v1", "v2", "v3")]
    return Listed(made[::-1], id_of, Sent({"releaseTargetKey": at.key}, {}))


# --- jobs -------------------------------------------------------------------------------------------------------------------------


def _queued(api: Api) -> tuple[Shop, str]:
    """A shop whose agent fetches its jobs by itself, and a job that nobody has fetched."""
    at = scenes.shop(api, "http-pull")
    return at, _next_job(api, at, "v1")


def _next_job(api: Api, at: Shop, tag: str) -> str:
    made = scenes.version(api, at.deployment, tag)
    return str(scenes.recorded(api, "dispatcher.job_created.v1", lambda fact: bool(fact["version_id"] == made))["job_id"])


@success("job.list")
def list_all_jobs(api: Api) -> Success:
    at, job = _queued(api)
    answer = yield Sent()
    (only,) = answer["items"]
    assert (only["job"]["id"], only["release"]["version"]["tag"]) == (job, "v1")
    parts = (only["deployment"]["id"], only["environment"]["id"], only["resource"]["id"])
    assert parts == (at.deployment, at.environment, at.resource)


@listed("job.list")
def listed_all_jobs(api: Api) -> Listed:
    _, releases = _running(api, "v1", "v2", "v3")
    return Listed(releases[::-1], lambda one: one["job"]["releaseId"])


@success("job.get")
def get_job(api: Api) -> Success:
    at, job = _queued(api)
    answer = yield Sent({"jobId": job})
    assert (answer["id"], answer["jobAgentId"]) == (job, at.agent)
    assert answer["dispatchContext"]["resource"]["identifier"] == "r"


@success("job.with_release")
def get_job_with_release(api: Api) -> Success:
    at, job = _queued(api)
    answer = yield Sent({"jobId": job})
    assert (answer["job"]["id"], answer["release"]["releaseTarget"]["resourceId"]) == (job, at.resource)
    assert api.pages("job.list") == [answer]


@success("job.status")
def set_status(api: Api) -> Success:
    _, job = _queued(api)
    answer = yield Sent({"jobId": job}, {"status": "successful"})
    assert answer["id"] == job
    got = api.call("job.get", jobId=job)
    assert (got["status"], got["completedAt"] >= got["createdAt"]) == ("successful", True)


@conflict("job.status")
def reopen_beside_another(api: Api) -> Sent:
    at, job = _queued(api)
    api.call("job.status", {"status": "failure"}, jobId=job)
    _next_job(api, at, "v2")
    return Sent({"jobId": job}, {"status": "inProgress"})


# --- choices ----------------------------------------------------------------------------------------------------------------------


def _choice_cases(what: str, place: Callable[[Shop], dict[str, str]]) -> None:
    @success(f"{what}.pin.put")
    def pin(api: Api) -> Success:
        at = _target(api)
        made = scenes.version(api, at.deployment)
        api.refused(404, f"{what}.pin.get", **place(at))
        answer = yield Sent(place(at), {"versionId": made, "reason": "holidays"})
        assert answer["id"] == made
        got = api.call(f"{what}.pin.get", **place(at))
        assert (got["versionId"], got["reason"]) == (made, "holidays")

    @success(f"{what}.pin.get")
    def get_pin(api: Api) -> Success:
        at = _target(api)
        made = scenes.version(api, at.deployment)
        api.call(f"{what}.pin.put", {"versionId": made}, **place(at))
        answer = yield Sent(place(at))
        assert answer["versionId"] == made

    @success(f"{what}.pin.delete")
    def release_pin(api: Api) -> Success:
        at = _target(api)
        made = scenes.version(api, at.deployment)
        api.call(f"{what}.pin.put", {"versionId": made}, **place(at))
        answer = yield Sent(place(at))
        assert answer["id"] == made
        api.refused(404, f"{what}.pin.get", **place(at))
        api.refused(404, f"{what}.pin.delete", **place(at))

    @success(f"{what}.redeploy")
    def redeploy(api: Api) -> Success:
        at, (release,) = _running(api)
        answer = yield Sent(place(at))
        assert answer["targets"] == 1
        jobs: list[str] = []

        def again(fact: dict[str, Any]) -> bool:
            jobs.append(fact["release_id"])
            return jobs == [release, release]

        scenes.recorded(api, "dispatcher.job_created.v1", again)

    @conflict(f"{what}.redeploy")
    def redeploy_nothing(api: Api) -> Sent:
        return Sent(place(_target(api)))

    @success(f"{what}.rollback")
    def roll_back(api: Api) -> Success:
        at, (first, _) = _running(api, "v1", "v2")
        answer = yield Sent(place(at), {"reason": "it is slow"})
        assert answer["targets"] == 1
        assert api.call("target.desired", releaseTargetKey=at.key)["desiredRelease"]["id"] == first

    @conflict(f"{what}.rollback")
    def roll_back_to_nothing(api: Api) -> Sent:
        at, _ = _running(api)
        return Sent(place(at), {})


_choice_cases("target", lambda at: {"releaseTargetKey": at.key})
_choice_cases("pair", lambda at: at.pair)


@conflict("target.pin.put")
def pin_what_was_rolled_back(api: Api) -> Sent:
    at, _ = _running(api, "v1", "v2")
    newest = id_of(api.pages("version.list", deploymentId=at.deployment)[0])
    api.call("target.rollback", {}, releaseTargetKey=at.key)
    return Sent({"releaseTargetKey": at.key}, {"versionId": newest})
