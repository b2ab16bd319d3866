"""What every rule says about one version for one target at this moment, by policy."""

from __future__ import annotations

from contracts.commands.policy.evaluations import EvaluateTarget, PolicyVerdicts, TargetEvaluation
from contracts.commands.policy.reasons import Reason
from contracts.documents import stamp
from contracts.shapes import Json
from services.gateway.http import answers, bodies
from services.gateway.http.call import Call, Reply
from services.gateway.http.operation import Routes
from services.gateway.http.targets import target_of
from services.gateway.http.telling import told
from services.gateway.views import shown

routes = Routes("release targets")


@routes.add(
    "GET",
    "/release-targets/{releaseTargetKey}/evaluations",
    answers={200: answers.Evaluations},
    query=bodies.EvaluationsQuery,
)
async def list_evaluations(call: Call) -> Reply:
    """Every rule on a version, the newest unless it is named, for a target: asked now, whatever runs there."""
    asked: bodies.EvaluationsQuery = call.query
    target = target_of(call)
    query = EvaluateTarget(
        resource_id=target.resource_id,
        environment_id=target.environment_id,
        deployment_id=target.deployment_id,
        version_id=asked.version_id,
    )
    found = TargetEvaluation.model_validate(await call.look(query, with_rows=True))
    ids = [one.policy_id for one in found.policies if one.policy_id is not None]
    policies = await call.store.many(call.workspace_id, "policy", ids)
    verdicts = {reason.verdict for one in found.policies for reason in one.results}
    answer: Json = {
        "versionId": found.version_id,
        "releaseTarget": {
            "resourceId": target.resource_id,
            "environmentId": target.environment_id,
            "deploymentId": target.deployment_id,
        },
        "position": found.position,
        "canDeploy": verdicts <= {"allowed"},
        "isBlocked": "blocked" in verdicts,
        "isPending": "waiting" in verdicts and "blocked" not in verdicts,
        "policyResults": [_of_policy(one, policies) for one in found.policies],
    }
    if found.next_at is not None:
        answer["nextEvaluationTime"] = stamp(found.next_at)
    return Reply(200, answer)


def _of_policy(one: PolicyVerdicts, policies: dict[str, Json]) -> Json:
    results: Json = {"ruleResults": [_of_rule(reason) for reason in one.results], "summary": one.summary}
    # One that was deleted since is not named any more.
    if one.policy_id is not None and one.policy_id in policies:
        return {"policy": shown(policies[one.policy_id]), **results}
    return results


def _of_rule(reason: Reason) -> Json:
    """What belongs to no policy has no rule either: then its kind is its id."""
    everything = told(reason)
    rule: Json = {
        "ruleId": reason.rule_id or reason.rule_type,
        "ruleType": reason.rule_type,
        "allowed": reason.verdict == "allowed",
        "actionRequired": reason.verdict == "waiting",
        "message": reason.message,
        "details": {
            name: everything[name] for name in ("verdict", "endedBy", "whoEnds", "since", "skipId", "facts") if name in everything
        },
    }
    if reason.verdict == "waiting":
        rule["actionType"] = "approval" if reason.rule_type == "anyApproval" else "wait"
    if reason.satisfied_at is not None:
        rule["satisfiedAt"] = stamp(reason.satisfied_at)
    if reason.look_again_at is not None:
        rule["nextEvaluationTime"] = stamp(reason.look_again_at)
    return rule
