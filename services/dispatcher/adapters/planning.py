"""Performs dry runs: asks the agent, and lets the rules about plans judge its answer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final, cast

from contracts.documents import (
    agent_document,
    dispatch_context,
    release_context,
    resource_document,
    shown_deployment,
    shown_environment,
    version_document,
)
from contracts.facts.dispatcher import JobAgentSaved, PlanRequested, PlanValidation
from contracts.facts.inventory import ResourceSaved
from contracts.facts.planner import DeploymentSaved, EnvironmentSaved, PlanTargetsResolved, VersionCreated, VersionUpdated
from contracts.shapes import Json
from libs.rego import RegoFailed, RegoUnavailable, in_turn, violations
from libs.runtime.outside import Outside
from libs.runtime.service import Intent, NotYet
from libs.secrets.redaction import Redacted
from services.dispatcher.adapters.context import Documents
from services.dispatcher.adapters.opening import LOOK_AGAIN_S, Unusable, opened
from services.dispatcher.adapters.port import Agent, Delayed, PlanAnswer, PlanRequest

MAX_TEXT_BYTES: Final = 80_000
"""Of each of the two texts, as JSON: both, the message and the validations fit into one fact."""
MAX_MESSAGE_BYTES: Final = 8 * 1024
MAX_VIOLATIONS: Final = 20
MAX_VIOLATION: Final = 200
"""Characters of one violation, or of the reason why a rule could not be asked."""
MAX_SAID_BYTES: Final = 60_000
"""Of what all rules say together, as JSON."""
MAX_RULES: Final = 50
"""So many rules are asked about a result; those of lower priority are not, and that is no pass."""


class Planning:
    """Dry runs over the agents.

    Args:
        agents: by type.
        outside: opens secrets; None where only agents are asked that call nobody.
        documents: what a dry run is made from.
        now: the time, for giving up.
    """

    def __init__(
        self, agents: Mapping[str, Agent], outside: Outside | None, documents: Documents, now: Callable[[], datetime]
    ) -> None:
        self._agents = agents
        self._outside = outside
        self._documents = documents
        self._now = now

    async def perform(self, intent: Intent) -> dict[str, Any] | NotYet:
        """The result of a dry run, judged; `NotYet` while the agent wants to be asked again and there is time for it."""
        told = intent.request
        context = await self._context(told)
        answer, redacted = await self._answer(told, context, again=intent.again)
        if isinstance(answer, Delayed):
            if self._now() < datetime.fromisoformat(told["give_up_at"]):
                return NotYet(max(answer.retry_after_s or 0.0, LOOK_AGAIN_S))
            answer = PlanAnswer(status="errored", message=f"There was no answer in time: {answer.message}")
        answer = PlanAnswer.model_validate(redacted.json(answer.model_dump(mode="json")))
        validations = await self._judged(told, context, answer) if answer.status == "completed" else []
        return _result(answer, validations)

    async def _answer(self, told: Json, context: Json, *, again: bool) -> tuple[PlanAnswer | Delayed, Redacted]:
        redacted = Redacted()
        agent = self._agents.get(told["type"])
        if told["problem"]:
            return PlanAnswer(status="errored", message=told["problem"]), redacted
        if agent is None:
            return PlanAnswer(status="unsupported", message=f"Agents of type '{told['type']}' make no dry runs."), redacted
        try:
            config, redacted = await opened(self._outside, told["workspace_id"], told["type"], told["config"])
        except Unusable as why:
            return PlanAnswer(status="errored", message=why.message), redacted
        request = PlanRequest(
            told["result_id"], told["type"], config, told["workspace_id"], told["agent_id"], context, again=again
        )
        try:
            return await agent.plan(request), redacted
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told without the secrets in it
            said = f"a dry run of a {told['type']} agent broke: {redacted.error(error)}"
            if self._now() < datetime.fromisoformat(told["give_up_at"]):
                raise RuntimeError(said) from None
            return PlanAnswer(status="errored", message=f"There was no answer in time: {said}."), redacted

    async def _context(self, told: Json) -> Json:
        """The dispatch context that a job of the planned version would have; configurations stay sealed in it."""
        workspace_id, at = told["workspace_id"], told["positions"]
        read = partial(self._documents.at, workspace_id)
        plan = cast(PlanRequested, await read(told["plan"]))
        resource = cast(ResourceSaved, await read(at["resource"]))
        environment = cast(EnvironmentSaved, await read(at["environment"]))
        deployment = cast(DeploymentSaved, await read(at["deployment"]))
        agent = cast(JobAgentSaved, await read(at["agent"]))
        found = cast(PlanTargetsResolved, await read(at["targets"]))
        target = next(
            one
            for one in found.targets
            if (one.environment_id, one.resource_id) == (environment.environment_id, resource.resource_id)
        )
        planned = plan.version
        version = version_document(
            VersionCreated(
                version_id=planned.version_id,
                deployment_id=plan.deployment_id,
                tag=planned.tag,
                name=planned.name,
                config=planned.config,
                job_agent_config=planned.job_agent_config,
                metadata=planned.metadata,
                created_at=plan.created_at,
            )
        )
        release = {
            "id": told["result_id"],
            "releaseTarget": {
                "resourceId": resource.resource_id,
                "environmentId": environment.environment_id,
                "deploymentId": plan.deployment_id,
            },
            "variables": target.variables,
            "encryptedVariables": [],
        }
        parts = {
            "resource": resource_document(workspace_id, resource),
            "environment": shown_environment(workspace_id, environment),
            "deployment": shown_deployment(deployment),
            "version": version,
        }
        return dispatch_context(
            told["result_id"], told["config"], agent_document(workspace_id, agent), release_context(release, parts)
        )

    async def _judged(self, told: Json, context: Json, answer: PlanAnswer) -> list[PlanValidation]:
        """What each rule says; one that can not be run is an error of its own and no pass."""
        if not told["rules"]:
            return []
        current = None
        if told["current_version"] is not None:
            fact = await self._documents.at(told["workspace_id"], told["current_version"])
            current = version_document(cast(VersionCreated | VersionUpdated, fact))
        given = {
            "current": answer.current,
            "proposed": answer.proposed,
            "hasChanges": answer.has_changes,
            "agentType": told["type"],
            "environment": context["environment"],
            "resource": context["resource"],
            "deployment": context["deployment"],
            "proposedVersion": context["version"],
            "currentVersion": current,
        }
        asked = [await _validated(rule, given) for rule in told["rules"][:MAX_RULES]]
        unasked = [
            PlanValidation(**_about(rule), passed=False, error=f"It was not asked: {MAX_RULES} rules come before it.")
            for rule in told["rules"][MAX_RULES : MAX_RULES + 1]
        ]
        return [*asked, *unasked]


async def _validated(rule: Json, given: Json) -> PlanValidation:
    about = _about(rule)
    try:
        found = await in_turn(partial(violations, rule["rego"], given))
    except (RegoFailed, RegoUnavailable, ValueError) as error:
        return PlanValidation(**about, passed=False, error=str(error)[:MAX_VIOLATION])
    return PlanValidation(**about, passed=not found, violations=tuple(one[:MAX_VIOLATION] for one in found[:MAX_VIOLATIONS]))


def _about(rule: Json) -> Json:
    return {"policy_id": rule["policy_id"], "rule_id": rule["rule_id"], "name": rule["name"][:MAX_VIOLATION]}


def _bounded(validations: list[PlanValidation]) -> list[PlanValidation]:
    """As much of what the rules say as fits; which of them object stays in any case."""
    left = MAX_SAID_BYTES
    kept = []
    for one in validations:
        violations, error = [], one.error
        for text in one.violations:
            left -= json_size(text)
            if left >= 0:
                violations.append(text)
        if error is not None:
            left -= json_size(error)
            error = error if left >= 0 else "It could not be asked."
        kept.append(one.model_copy(update={"violations": tuple(violations), "error": error}))
    return kept


def _result(answer: PlanAnswer, validations: list[PlanValidation]) -> dict[str, Any]:
    """The answer as it may be recorded."""
    content_hash = answer.content_hash
    if answer.status == "completed" and not content_hash:
        content_hash = hashlib.sha256((answer.current + answer.proposed).encode()).hexdigest()
    current, proposed = _fitting(answer.current, MAX_TEXT_BYTES), _fitting(answer.proposed, MAX_TEXT_BYTES)
    return {
        "status": answer.status,
        "has_changes": answer.has_changes,
        "content_hash": _fitting(content_hash, MAX_VIOLATION),
        "current": current,
        "proposed": proposed,
        "cut": current != answer.current or proposed != answer.proposed,
        "message": _fitting(answer.message, MAX_MESSAGE_BYTES),
        "validations": [one.model_dump(mode="json") for one in _bounded(validations)],
    }


def _fitting(text: str, limit: int) -> str:
    """As much of a text as fits, ending with a whole line if there is one; a text as JSON is longer than it is."""
    if len(text) <= limit // 6:
        return text
    size = 0
    for place, letter in enumerate(text):
        size += json_size(letter)
        if size > limit:
            end = text.rfind("\n", 0, place)
            return text[: end + 1] if end > 0 else text[:place]
    return text


def json_size(text: str) -> int:
    """Bytes of a text inside JSON, at most."""
    return sum(6 if letter < " " or letter in '"\\' else len(letter.encode("utf-8", "replace")) for letter in text)
