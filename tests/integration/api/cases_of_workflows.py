"""Workflows and their runs: how each operation succeeds and what can then be read."""

from __future__ import annotations

from typing import Any

from tests.integration.api import scenes
from tests.integration.api.cases import Listed, Sent, Success, conflict, listed, newest_first, success
from tests.integration.api.checker import Api
from tests.integration.api.scenes import id_of


def _agent(api: Api) -> str:
    agent_id = scenes.new_id()
    body = {"name": f"agent {agent_id}", "type": "http-pull", "config": {}, "metadata": {}}
    assert api.send("PUT", f"/job-agents/{agent_id}", body).status_code == 202
    return agent_id


def _body(ref: str, name: str = "Nightly Backup", **more: Any) -> dict[str, Any]:
    step = {"name": "dump", "ref": ref, "config": {"keep": 7}, "selector": "true"}
    inputs = [{"key": "env", "type": "string", "default": "test"}]
    return {"name": name, "inputs": inputs, "jobAgents": [step], **more}


def _workflow(api: Api, name: str = "Nightly Backup", **more: Any) -> Any:
    return api.call("workflow.create", _body(_agent(api), name, **more))


def _run(api: Api, workflow: Any, **inputs: Any) -> Any:
    return api.call("workflow.run", {"inputs": inputs}, workflowId=workflow["id"])


newest_first("workflow.list", lambda api, name: id_of(_workflow(api, name)))


@success("workflow.list")
def list_workflows(api: Api) -> Success:
    made = _workflow(api)
    answer = yield Sent()
    assert answer["items"] == [made]


@success("workflow.create")
def create_workflow(api: Api) -> Success:
    body = _body(_agent(api))
    made = yield Sent(body=body)
    assert made == {**body, "id": made["id"], "slug": "nightly-backup"}
    assert api.call("workflow.get", workflowId=made["id"]) == made


@conflict("workflow.create")
def create_a_second_one(api: Api) -> Sent:
    _workflow(api)
    return Sent(body=_body(_agent(api), "nightly backup"))


@success("workflow.by_slug")
def get_by_slug(api: Api) -> Success:
    made = _workflow(api, slug="own-slug")
    answer = yield Sent({"slug": "own-slug"})
    assert answer == made


@success("workflow.get")
def get_workflow(api: Api) -> Success:
    made = _workflow(api)
    answer = yield Sent({"workflowId": made["id"]})
    assert answer == made


@success("workflow.put")
def put_workflow(api: Api) -> Success:
    made = _workflow(api)
    answer = yield Sent({"workflowId": made["id"]}, {"name": "Other", "inputs": [], "jobAgents": []})
    assert answer == {"id": made["id"], "name": "Other", "slug": made["slug"], "inputs": [], "jobAgents": []}
    assert api.call("workflow.get", workflowId=made["id"]) == answer


@conflict("workflow.put")
def put_with_the_slug_of_another(api: Api) -> Sent:
    _workflow(api, "one")
    other = _workflow(api, "two")
    return Sent({"workflowId": other["id"]}, {"name": "two", "slug": "one", "inputs": [], "jobAgents": []})


@success("workflow.delete")
def delete_workflow(api: Api) -> Success:
    made = _workflow(api)
    answer = yield Sent({"workflowId": made["id"]})
    assert answer == made
    api.refused(404, "workflow.get", workflowId=made["id"])


@success("workflow.run")
def run_workflow(api: Api) -> Success:
    made = _workflow(api)
    run = yield Sent({"workflowId": made["id"]}, {"inputs": {"why": "test"}})
    assert (run["workflowId"], run["inputs"]) == (made["id"], {"env": "test", "why": "test"})
    (job,) = run["jobs"]
    found = api.call("job.get", jobId=job["jobId"])
    assert (found["releaseId"], found["jobAgentId"], found["jobAgentConfig"]) == ("", job["jobAgentId"], {"keep": 7})


@success("workflow.run_by_slug")
def run_by_slug(api: Api) -> Success:
    made = _workflow(api)
    run = yield Sent({"slug": made["slug"]}, {"inputs": {}})
    assert run["workflowId"] == made["id"]


@listed("workflow.runs")
def listed_runs(api: Api) -> Listed:
    made = _workflow(api)
    return Listed([_run(api, made)["id"] for _ in range(3)][::-1], id_of, Sent({"workflowId": made["id"]}))


@success("workflow.runs")
def list_runs(api: Api) -> Success:
    made = _workflow(api)
    run = _run(api, made)
    answer = yield Sent({"workflowId": made["id"]})
    assert [(one["id"], one["status"]) for one in answer["items"]] == [(run["id"], "inProgress")]


@success("run.get")
def get_run(api: Api) -> Success:
    run = _run(api, _workflow(api))
    answer = yield Sent({"runId": run["id"]})
    (step,) = answer["steps"]
    assert [one["jobId"] for one in step["jobs"]] == [one["jobId"] for one in run["jobs"]]


@success("run.cancel")
def cancel_run(api: Api) -> Success:
    run = _run(api, _workflow(api))
    yield Sent({"runId": run["id"]}, {"reason": "wrong night"})
    assert api.call("job.get", jobId=run["jobs"][0]["jobId"])["status"] == "cancelled"
