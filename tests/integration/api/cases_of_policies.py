"""Policies and approvals, freezes and skips, and where versions stand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.integration.api import scenes
from tests.integration.api.cases import Listed, Sent, Success, conflict, listed, newest_first, success
from tests.integration.api.checker import Api
from tests.integration.api.scenes import Shop, id_of

LATER = "2100-01-01T00:00:00.000Z"


TWO: dict[str, Any] = {"anyApproval": {"minApprovals": 2}}
WHOLE: dict[str, Any] = {
    "name": "p",
    "selector": "true",
    "priority": 1,
    "enabled": False,
    "metadata": {"team": "a"},
    "rules": [TWO],
}


def _policy(api: Api, *rules: dict[str, Any], **more: Any) -> Any:
    return api.call("policy.create", {"name": "p", "rules": list(rules), **more})


# --- policies ---------------------------------------------------------------------------------------------------------------------


newest_first("policy.list", lambda api, name: id_of(_policy(api, name=name)))


@success("policy.list")
def list_policies(api: Api) -> Success:
    made = _policy(api, TWO)
    answer = yield Sent()
    assert answer["items"] == [made]


@success("policy.create")
def create_policy(api: Api) -> Success:
    made = yield Sent(body=WHOLE)
    (rule,) = made["rules"]
    assert {**made, "rules": []} == {**WHOLE, "rules": [], **{name: made[name] for name in ("id", "workspaceId", "createdAt")}}
    assert (made["workspaceId"], rule["policyId"], rule["anyApproval"]) == (api.workspace_id, made["id"], TWO["anyApproval"])
    assert api.call("policy.get", policyId=made["id"]) == made


@success("policy.get")
def get_policy(api: Api) -> Success:
    made = _policy(api, TWO)
    answer = yield Sent({"policyId": made["id"]})
    assert answer == made


def _reached(api: Api, *environments: str) -> str:
    """A deployment of a resource in these environments; a policy for the production ones."""
    names = {name: scenes.environment(api, name, resourceSelector="true") for name in environments}
    scenes.resource(api)
    scenes.link(
        api, scenes.system(api), deployments=(scenes.deployment(api, resourceSelector="true"),), environments=(*names.values(),)
    )
    for one in names.values():
        scenes.appeared_in(api, one)
    return id_of(_policy(api, TWO, selector='environment.name != "dev"'))


@success("policy.reach")
def policy_reach(api: Api) -> Success:
    made = _reached(api, "dev", "prod")
    answer = yield Sent()
    assert answer == {"items": [{"policyId": made, "targets": 1, "held": 0}]}


@success("deployment.gates")
def deployment_gates(api: Api) -> Success:
    made = _reached(api, "dev", "prod")
    first = {"dependsOnEnvironmentSelector": 'environment.name == "dev"'}
    late = id_of(_policy(api, {"environmentProgression": first}, name="late", selector='environment.name == "prod"'))
    (deployment,) = api.pages("deployment.list")
    environments = {one["name"]: one["id"] for one in api.pages("environment.list")}
    answer = yield Sent({"deploymentId": deployment["deployment"]["id"]})
    found = {one["environmentId"]: {gate["policyId"]: gate for gate in one["gates"]} for one in answer["items"]}
    assert {key: set(gates) for key, gates in found.items()} == {environments["dev"]: set(), environments["prod"]: {made, late}}
    (upstream,) = found[environments["prod"]][late]["upstream"]
    assert upstream["environmentIds"] == [environments["dev"]]
    assert {one["name"] for one in answer["policies"]} >= {"late"}


@listed("policy.targets")
def listed_policy_targets(api: Api) -> Listed:
    made = _reached(api, "c", "a", "dev", "b")
    return Listed(["a", "b", "c"], lambda one: one["environmentName"], Sent({"policyId": made}))


@success("policy.targets")
def policy_targets(api: Api) -> Success:
    made = _reached(api, "dev", "prod")
    answer = yield Sent({"policyId": made})
    (one,) = answer["items"]
    assert (one["resourceIdentifier"], one["environmentName"], one["deploymentName"], answer["held"]) == ("r", "prod", "api", 0)
    assert one["key"] == "-".join(one[name] for name in ("resourceId", "environmentId", "deploymentId"))


@listed("policy.preview")
def listed_policy_preview(api: Api) -> Listed:
    _reached(api, "c", "a", "b")
    return Listed(["a", "b", "c"], lambda one: one["environmentName"], Sent(body={"name": "p"}))


@success("policy.preview")
def preview_policy(api: Api) -> Success:
    made = _reached(api, "dev", "prod")
    answer = yield Sent(body={"name": "p", "policyId": made, "selector": "true", "rules": [TWO]})
    assert (answer["total"], answer["totalBefore"], answer["added"], answer["removed"], answer["held"]) == (2, 1, 1, 0, 0)
    assert api.call("policy.get", policyId=made)["selector"] != "true", "nothing was saved"
    error = api.refused(400, "policy.preview", {"name": "p", "selector": "resource.name =="})
    assert [(one["path"], one["line"]) for one in error["details"]] == [("/body/selector", 1)]


@success("policy.put")
def put_policy(api: Api) -> Success:
    made = _policy(api, TWO, {"retry": {"maxRetries": 1}}, description="d")
    answer = yield Sent({"policyId": made["id"]}, WHOLE)
    assert (answer["id"], answer["createdAt"], answer["priority"], "description" in answer) == (
        made["id"],
        made["createdAt"],
        1,
        False,
    )
    assert [one.get("anyApproval") for one in answer["rules"]] == [TWO["anyApproval"]]
    assert api.call("policy.get", policyId=made["id"]) == answer
    own = scenes.new_id()
    assert api.call("policy.put", WHOLE, policyId=own.upper())["id"] == own
    assert api.refused(400, "policy.put", WHOLE, policyId="nonsense")["details"][0]["path"] == "/params/policyId"


@conflict("policy.put")
def put_a_policy_of_another_workspace(api: Api) -> Sent:
    return Sent({"policyId": _policy(api.new())["id"]}, WHOLE)


@success("policy.delete")
def delete_policy(api: Api) -> Success:
    made = _policy(api, TWO)
    answer = yield Sent({"policyId": made["id"]})
    assert answer == {**made, "rules": []}
    api.refused(404, "policy.get", policyId=made["id"])
    assert api.pages("policy.list") == []


@success("approval.put")
def approve(api: Api) -> Success:
    at, version = _waiting(api)
    answer = yield Sent({"deploymentVersionId": version}, {"status": "approved", "environmentIds": [at.environment.upper()]})
    assert answer["id"] == version
    assert api.pages("target.eligible", {}, releaseTargetKey=at.key)[0]["id"] == version
    for status, allowed in (("rejected", 0), ("approved", 1), ("withdrawn", 0)):
        api.call("approval.put", {"status": status, "environmentIds": []}, deploymentVersionId=version)
        assert api.call("target.eligible", {}, releaseTargetKey=at.key)["total"] == allowed, status
    body = {"status": "approved", "environmentIds": [scenes.new_id()]}
    assert "environment" in api.refused(404, "approval.put", body, deploymentVersionId=version)["message"]


# --- freezes ----------------------------------------------------------------------------------------------------------------------


def _freeze(api: Api, **more: Any) -> str:
    return id_of(api.call("freeze.create", {"reason": "incident", **more}))


def _thawed(api: Api) -> str:
    made = _freeze(api)
    api.call("freeze.thaw", freezeId=made)
    return made


@listed("freeze.list")
def listed_freezes(api: Api) -> Listed:
    made = [_freeze(api), _thawed(api), _freeze(api, startsAt=LATER)]
    return Listed(made[::-1], id_of)


@listed("freeze.active")
def listed_active_freezes(api: Api) -> Listed:
    made = [_freeze(api), _freeze(api), _freeze(api)]
    _thawed(api)
    _freeze(api, startsAt=LATER)
    return Listed(made[::-1], id_of)


@success("freeze.list")
def list_freezes(api: Api) -> Success:
    made = _freeze(api)
    answer = yield Sent()
    assert [(one["id"], one["active"]) for one in answer["items"]] == [(made, True)]


@success("freeze.active")
def list_active_freezes(api: Api) -> Success:
    made = _freeze(api)
    _thawed(api)
    answer = yield Sent()
    assert [one["id"] for one in answer["items"]] == [made]


@success("freeze.create")
def create_freeze(api: Api) -> Success:
    of = scenes.deployment(api)
    body = {"reason": "incident", "scope": "deployment", "scopeId": of, "link": "https://example.org/1", "endsAt": LATER}
    made = yield Sent(body=body)
    assert {name: made[name] for name in body} == body
    assert (made["active"], made["dead"], made["nextChange"], made["holdsRollbacks"]) == (True, False, LATER, False)
    assert api.call("freeze.get", freezeId=made["id"]) == {**made, "overrides": []}


@success("freeze.preview")
def preview_freeze(api: Api) -> Success:
    at = scenes.shop(api)
    scenes.recorded(api, "planner.targets_changed.v1")
    answer = yield Sent(body={"scope": "environment", "scopeId": at.environment})
    assert (answer["targets"], answer["active"]) == (1, False)
    assert api.pages("freeze.list") == []


@success("freeze.get")
def get_freeze(api: Api) -> Success:
    made, version = _freeze(api), scenes.version(api, scenes.deployment(api))
    body = {"versionId": version, "reason": "the fix", "expiresAt": LATER}
    override = api.call("freeze.override", body, freezeId=made)
    answer = yield Sent({"freezeId": made})
    assert (answer["reason"], answer["overrides"]) == ("incident", [override])


@success("freeze.patch")
def patch_freeze(api: Api) -> Success:
    made = _freeze(api, link="https://example.org/1")
    answer = yield Sent({"freezeId": made}, {"expiresIn": "PT2H", "holdsRollbacks": True, "link": ""})
    ends = datetime.fromisoformat(answer["endsAt"])
    assert timedelta(minutes=119) < ends - datetime.now(UTC) <= timedelta(hours=2)
    assert (answer["id"], answer["reason"], answer["holdsRollbacks"], "link" in answer) == (made, "incident", True, False)
    assert api.call("freeze.get", freezeId=made) == {**answer, "overrides": []}
    endless = {name: value for name, value in answer.items() if name not in ("endsAt", "nextChange")}
    assert api.call("freeze.patch", {"endsAt": None}, freezeId=made) == endless
    assert api.call("freeze.patch", {"reason": "incident"}, freezeId=made) == endless
    api.refused(400, "freeze.patch", {"endsAt": None, "expiresIn": "PT1H"}, freezeId=made)


@conflict("freeze.patch")
def patch_a_thawed_freeze(api: Api) -> Sent:
    return Sent({"freezeId": _thawed(api)}, {"reason": "more"})


@success("freeze.thaw")
def thaw_freeze(api: Api) -> Success:
    made = _freeze(api)
    answer = yield Sent({"freezeId": made}, {"reason": "over"})
    assert (answer["id"], answer["active"], answer["thawReason"]) == (made, False, "over")
    assert answer["thawedBy"] == answer["createdBy"]
    assert api.pages("freeze.list") == [answer]
    assert api.pages("freeze.active") == []


@success("freeze.override")
def override_freeze(api: Api) -> Success:
    made, version = _freeze(api), scenes.version(api, scenes.deployment(api))
    body = {"versionId": version, "reason": "the fix", "expiresAt": LATER}
    answer = yield Sent({"freezeId": made}, body)
    assert {name: answer[name] for name in body} == body
    assert api.call("freeze.get", freezeId=made)["overrides"] == [answer]


@conflict("freeze.override")
def override_a_thawed_freeze(api: Api) -> Sent:
    version = scenes.version(api, scenes.deployment(api))
    return Sent({"freezeId": _thawed(api)}, {"versionId": version, "reason": "the fix", "expiresAt": LATER})


@success("freeze.effect")
def get_effect(api: Api) -> Success:
    at = scenes.shop(api)
    scenes.recorded(api, "planner.targets_changed.v1")
    made = _freeze(api, scope="system", scopeId=at.system)
    answer = yield Sent({"freezeId": made})
    assert (answer["targets"], answer["active"], answer["dead"]) == (1, True, False)


@success("freeze.stop")
def stop_the_line(api: Api) -> Success:
    scenes.shop(api)
    scenes.recorded(api, "planner.targets_changed.v1")
    answer = yield Sent(body={"reason": "database on fire"})
    frozen = answer["freeze"]
    assert (frozen["scope"], frozen["reason"], frozen["active"]) == ("workspace", "database on fire", True)
    assert [(answer[when]["targets"], answer[when]["active"]) for when in ("before", "after")] == [(1, False), (1, True)]
    assert api.pages("freeze.active") == [frozen]


# --- skips ------------------------------------------------------------------------------------------------------------------------


def _held(api: Api) -> tuple[str, str]:
    """A version, and the rule that wants an approval of it."""
    policy = _policy(api, {"anyApproval": {"minApprovals": 1}})
    return scenes.version(api, scenes.deployment(api)), id_of(policy["rules"][0])


def _skip(api: Api, version: str, rule: str, **more: Any) -> str:
    return id_of(api.call("skip.create", {"versionId": version, "ruleId": rule, **more}))


@listed("skip.list")
def listed_skips(api: Api) -> Listed:
    version, rule = _held(api)
    made = [_skip(api, version, rule) for _ in range(3)]
    return Listed(made[::-1], id_of)


@success("skip.list")
def list_skips(api: Api) -> Success:
    version, rule = _held(api)
    environment, resource = scenes.environment(api), scenes.resource(api)
    _skip(api, version, rule)
    there = _skip(api, version, rule, environmentId=environment, resourceId=resource)
    answer = yield Sent(query={"versionId": version.upper(), "environmentId": environment, "resourceId": resource})
    assert [one["id"] for one in answer["items"]] == [there]
    assert len(api.pages("skip.list", query={"versionId": version})) == 2
    api.refused(400, "skip.list", query={"versionId": "nonsense"})


@success("skip.create")
def create_skip(api: Api) -> Success:
    version, rule = _held(api)
    body = {"versionId": version, "ruleId": rule, "reason": "it is fine", "expiresAt": LATER}
    answer = yield Sent(body=body)
    assert {name: answer[name] for name in body} == body
    assert api.pages("skip.list") == [answer]


@success("skip.delete")
def delete_skip(api: Api) -> Success:
    made = _skip(api, *_held(api))
    answer = yield Sent({"skipId": made})
    assert answer["id"] == made
    assert api.pages("skip.list") == []


# --- explanations -----------------------------------------------------------------------------------------------------------------


def _waiting(api: Api) -> tuple[Shop, str]:
    """A version that waits for an approval on one target."""
    at = scenes.shop(api)
    scenes.recorded(api, "planner.targets_changed.v1")
    _policy(api, {"anyApproval": {"minApprovals": 1}})
    return at, scenes.version(api, at.deployment)


@success("target.evaluations")
def list_evaluations(api: Api) -> Success:
    at, version = _waiting(api)
    (policy,) = api.pages("policy.list")
    answer = yield Sent({"releaseTargetKey": at.key}, query={"versionId": version.upper()})
    assert (answer["versionId"], answer["canDeploy"], answer["isBlocked"], answer["isPending"]) == (version, False, False, True)
    assert answer["releaseTarget"] == {**at.pair, "resourceId": at.resource}
    (result,) = answer["policyResults"]
    assert result["policy"] == policy
    (rule,) = result["ruleResults"]
    assert (rule["ruleId"], rule["ruleType"]) == (policy["rules"][0]["id"], "anyApproval")
    assert (rule["allowed"], rule["actionRequired"], rule["actionType"]) == (False, True, "approval")
    (way,) = rule["details"]["whoEnds"]
    assert (way["kind"], way["approvals"]) == ("approvers", [{"missing": 1}])


@success("version.explain")
def explain_version(api: Api) -> Success:
    at, version = _waiting(api)
    answer = yield Sent({"deploymentVersionId": version})
    assert (answer["versionId"], answer["tag"]) == (version, "v1")
    (rollout,) = answer["rollouts"]
    assert (rollout["environmentId"], rollout["total"], rollout["targets"]) == (at.environment, 1, [])


@success("rollout.explain")
def explain_rollout(api: Api) -> Success:
    at, version = _waiting(api)
    answer = yield Sent({"deploymentVersionId": version, "environmentId": at.environment}, query={"limit": 1})
    assert (answer["total"], answer["done"], answer["going"]) == (1, 0, 0)
    (standing,) = answer["targets"]
    assert (standing["resourceId"], standing["state"] in ("waiting", "blocked")) == (at.resource, True)
    assert "anyApproval" in {one["ruleType"] for one in answer["reasons"] if one["verdict"] != "allowed"}


@success("rollout.forecast")
def forecast_rollout(api: Api) -> Success:
    at, version = _waiting(api)
    answer = yield Sent({"deploymentVersionId": version, "environmentId": at.environment})
    (target,) = answer["targets"]
    assert (target["resourceId"], "at" in target, "doneAt" in answer) == (at.resource, False, False)
    assert target["heldBy"]
