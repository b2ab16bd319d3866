"""Job agents; jobs that are taken, kept, stopped and completed."""

from __future__ import annotations

from typing import Any

from tests.integration.api import scenes
from tests.integration.api.cases import Listed, Sent, Success, conflict, listed, newest_first, success
from tests.integration.api.checker import Api
from tests.integration.api.scenes import Shop, id_of, new_id

ARGO: dict[str, Any] = {
    "name": "argo",
    "type": "argo-cd",
    "config": {"serverUrl": "https://argo.example", "apiKey": "s3cret", "template": "name: {{ .resource.name }}"},
    "metadata": {"team": "a"},
}


def _agent(api: Api, **more: Any) -> str:
    made = new_id()
    api.call("agent.put", {**ARGO, **more}, jobAgentId=made)
    return made


def _queued(api: Api) -> tuple[Shop, str]:
    """A shop, and a job that its agent may take."""
    at = scenes.shop(api, "http-pull")
    made = scenes.version(api, at.deployment)

    def waits(fact: dict[str, Any]) -> bool:
        return bool(fact["version_id"] == made and fact["status"] == "queued")

    return at, str(scenes.recorded(api, "dispatcher.job_status_changed.v1", waits)["job_id"])


# --- agents -----------------------------------------------------------------------------------------------------------------------


@success("agent.put")
def put_agent(api: Api) -> Success:
    made = new_id()
    answer = yield Sent({"jobAgentId": made}, ARGO)
    assert answer["id"] == made
    # Terraform takes a key that does not come back for the text `<nil>`.
    assert api.call("agent.get", jobAgentId=made) == {"id": made, "workspaceId": api.workspace_id, **ARGO}
    api.call("agent.put", {"name": "argo", "type": "custom", "config": {"password": "x"}}, jobAgentId=made)
    got = api.call("agent.get", jobAgentId=made)
    assert (got["type"], got["config"], got["metadata"]) == ("custom", {"password": "x"}, {})


@conflict("agent.put")
def put_agent_under_a_taken_name(api: Api) -> Sent:
    _agent(api)
    return Sent({"jobAgentId": new_id()}, ARGO)


@success("agent.get")
def get_agent(api: Api) -> Success:
    made = _agent(api, type="tfe", config={"address": "https://t.example", "token": "s3cret"})
    answer = yield Sent({"jobAgentId": made})
    assert answer["config"] == {"address": "https://t.example", "token": "••••••"}
    # What is shown may be sent back as it is.
    api.call("agent.put", {**ARGO, "type": "tfe", "config": answer["config"]}, jobAgentId=made)
    assert api.call("agent.get", jobAgentId=made)["config"] == answer["config"]


@success("agent.list")
def list_agents(api: Api) -> Success:
    made = _agent(api)
    answer = yield Sent()
    assert [(id_of(one), one["config"]["apiKey"]) for one in answer["items"]] == [(made, "s3cret")]


newest_first("agent.list", lambda api, name: _agent(api, name=name))


@success("agent.delete")
def delete_agent(api: Api) -> Success:
    made = _agent(api)
    answer = yield Sent({"jobAgentId": made})
    assert answer["id"] == made
    api.refused(404, "agent.get", jobAgentId=made)


@success("agent.jobs")
def list_jobs_of_agent(api: Api) -> Success:
    at, job = _queued(api)
    answer = yield Sent({"jobAgentId": at.agent}, query={"status": "queued"})
    (only,) = answer["items"]
    assert (only["id"], only["status"], "dispatchContext" in only) == (job, "queued", False)
    query = {"includeDispatchContext": "true"}
    assert api.pages("agent.jobs", query=query, jobAgentId=at.agent)[0]["dispatchContext"]["resource"]["id"] == at.resource


@listed("agent.jobs")
def listed_jobs_of_agent(api: Api) -> Listed:
    at = scenes.shop(api)
    releases = [scenes.deployed(api, at, scenes.version(api, at.deployment, tag)) for tag in ("v1", "v2", "v3")]
    return Listed(releases[::-1], lambda one: one["releaseId"], Sent({"jobAgentId": at.agent}))


# --- taking jobs ------------------------------------------------------------------------------------------------------------------


@success("job.claim")
def claim(api: Api) -> Success:
    at, job = _queued(api)
    answer = yield Sent({"jobAgentId": at.agent, "jobId": job}, {"instance": "pod-1", "leaseSeconds": 3600})
    assert (answer["id"], answer["status"], answer["lease"]["instance"]) == (job, "inProgress", "pod-1")
    assert (answer["leaseExpiresAt"], answer["dispatchContext"]["resource"]["id"]) == (answer["lease"]["expiresAt"], at.resource)
    got = api.call("job.get", jobId=job)
    assert (got["lease"], got["startedAt"] >= got["createdAt"]) == (answer["lease"], True)


@conflict("job.claim")
def claim_what_is_taken(api: Api) -> Sent:
    at, job = _queued(api)
    api.call("job.claim", jobAgentId=at.agent, jobId=job)
    return Sent({"jobAgentId": at.agent, "jobId": job})


@success("job.heartbeat")
def keep(api: Api) -> Success:
    at, job = _queued(api)
    # Before it is taken, nobody is at it.
    api.refused(409, "job.heartbeat", {"claimId": new_id()}, jobAgentId=at.agent, jobId=job)
    claimed = api.call("job.claim", {"leaseSeconds": 3600}, jobAgentId=at.agent, jobId=job)
    answer = yield Sent({"jobAgentId": at.agent, "jobId": job}, {"claimId": claimed["claimId"]})
    assert (answer["id"], answer["claimId"]) == (job, claimed["claimId"])
    assert answer["leaseExpiresAt"] >= claimed["leaseExpiresAt"]
    assert api.call("job.get", jobId=job)["lease"]["expiresAt"] == answer["leaseExpiresAt"]


@conflict("job.heartbeat")
def keep_what_is_not_held(api: Api) -> Sent:
    at, job = _queued(api)
    api.call("job.claim", {"leaseSeconds": 3600}, jobAgentId=at.agent, jobId=job)
    return Sent({"jobAgentId": at.agent, "jobId": job}, {"claimId": new_id()})


# --- ending jobs ------------------------------------------------------------------------------------------------------------------


@success("job.cancel")
def cancel(api: Api) -> Success:
    _, job = _queued(api)
    answer = yield Sent({"jobId": job}, {"reason": "wrong cluster"})
    assert answer["id"] == job
    got = api.call("job.get", jobId=job)
    assert (got["status"], got["message"]) == ("cancelled", "Cancelled: wrong cluster")


@conflict("job.cancel")
def cancel_what_has_ended(api: Api) -> Sent:
    _, job = _queued(api)
    api.call("job.cancel", jobId=job)
    return Sent({"jobId": job})


@success("job.complete")
def complete(api: Api) -> Success:
    _, job = _queued(api)
    api.call("job.status", {"status": "actionRequired"}, jobId=job)
    answer = yield Sent({"jobId": job}, {"message": "looked at it", "evidence": {"ticket": "OPS-1"}})
    assert answer["id"] == job
    got = api.call("job.get", jobId=job)
    assert (got["status"], got["message"], got["metadata"]["evidence/ticket"]) == ("successful", "looked at it", "OPS-1")


@conflict("job.complete")
def complete_what_waits_for_nobody(api: Api) -> Sent:
    _, job = _queued(api)
    return Sent({"jobId": job})
