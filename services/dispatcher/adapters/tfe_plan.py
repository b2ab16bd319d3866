"""What a speculative run of Terraform says: whether it ended, and what it would change.

https://developer.hashicorp.com/terraform/cloud-docs/api-docs/plans
https://developer.hashicorp.com/terraform/internals/json-format#change-representation
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from contracts.shapes import Json
from libs.outbound.failures import NotJson
from libs.secrets.references import MASK
from libs.webhooks.told import moment
from services.dispatcher.adapters.outcome import Held, Rejected, Unsure
from services.dispatcher.adapters.port import Delayed, PlanAnswer, PlanRequest
from services.dispatcher.adapters.tfe_api import Tfe, attribute, related
from services.dispatcher.adapters.tfe_runs import run_named, stopped
from services.dispatcher.adapters.tfe_sync import found_workspace
from services.dispatcher.adapters.tfe_workspace import Variable, Workspace

FINISHED: Final = "planned_and_finished"
UNFINISHED_ENDS: Final = frozenset({"errored", "canceled", "force_canceled", "discarded", "policy_soft_failed"})
"""What else a speculative run ends as."""

LOOK_AGAIN_S: Final = 5.0
ENDS_WITHIN: Final = timedelta(minutes=5)
STARTED_WITHIN: Final = timedelta(hours=1)
"""A dry run is given up after that."""

MAX_KEPT: Final = 100_000
MAX_PLAN_BYTES: Final = 16 * 1024 * 1024
MAX_DEPTH: Final = 100
TOLD: Final = ("format_version", "terraform_version", "resource_changes", "resource_drift", "output_changes")
"""What is passed on of a plan. Its other parts repeat these values, some of them without saying which are sensitive."""


class SpeculativeRuns:
    """Starts one speculative run for each dry run, and follows it.

    Args:
        clock: tells the time, in UTC.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        # The run of a dry run; None where nobody knows whether it was started.
        self._runs: OrderedDict[str, str | None] = OrderedDict()

    async def planned(self, tfe: Tfe, workspace: Workspace, request: PlanRequest) -> PlanAnswer | Delayed:
        """What a dry run found; `Delayed` while it is under way: then this is to be asked again."""
        try:
            answer = await self._planned(tfe, workspace, request)
        except Held as held:
            return Delayed(message=held.message, retry_after_s=held.retry_after_s or LOOK_AGAIN_S)
        except Unsure as doubt:
            self._keep(request.result_id, None)
            return Delayed(message=doubt.message, retry_after_s=LOOK_AGAIN_S)
        except Rejected as no:
            answer = PlanAnswer(status="errored", message=no.message)
        if isinstance(answer, PlanAnswer):
            self._runs.pop(request.result_id, None)
        return answer

    async def _planned(self, tfe: Tfe, workspace: Workspace, request: PlanRequest) -> PlanAnswer | Delayed:
        run = await self._run(tfe, workspace, request)
        if run is None:
            # To create it would be a change.
            said = f"The workspace {workspace.name} does not exist yet: it would be created."
            return PlanAnswer(status="completed", has_changes=True, message=said)
        run_id = str(run["id"])
        self._keep(request.result_id, run_id)
        answer = await _ended(tfe, run, workspace)
        if answer is not None:
            return answer
        created = moment(attribute(run, "created-at"))
        if created is not None and self._clock() - created > ENDS_WITHIN:
            await stopped(tfe, run)
            said = f"Terraform's run {run_id} did not end within {ENDS_WITHIN.total_seconds() / 60:g} min, and was cancelled."
            return PlanAnswer(status="errored", message=said)
        return Delayed(message=f"Terraform's run {run_id} is under way.", retry_after_s=LOOK_AGAIN_S)

    async def _run(self, tfe: Tfe, workspace: Workspace, request: PlanRequest) -> Json | None:
        """The speculative run, started if it was not yet; None where there is no workspace to plan in."""
        if (run_id := self._runs.get(request.result_id)) is not None:
            return await tfe.get(f"runs/{run_id}")
        known = await found_workspace(tfe, workspace.name)
        if known is None:
            return None
        if request.again or request.result_id in self._runs:
            run = await run_named(tfe, str(known["id"]), request.result_id, self._clock() - STARTED_WITHIN)
            if run is not None:
                return run
        said = {"message": plan_message(request.result_id), "plan-only": True, "variables": run_variables(workspace)}
        return await tfe.save("POST", "runs", "runs", said, belongs_to={"workspace": str(known["id"])}, starts=True)

    def _keep(self, result_id: str, run_id: str | None) -> None:
        self._runs[result_id] = run_id
        if len(self._runs) > MAX_KEPT:
            self._runs.popitem(last=False)


def plan_message(result_id: str) -> str:
    """What a speculative run says of itself; look-ups know it by that."""
    return f"Planned by ctrlplane for {result_id}"


def run_variables(workspace: Workspace) -> list[Json]:
    """The Terraform variables that a run is to be given, as HCL. Sensitive ones stay as the workspace has them: a run shows its own."""
    return [
        {"key": one.key, "value": _hcl(one)} for one in workspace.variables if one.category == "terraform" and not one.sensitive
    ]


def _hcl(variable: Variable) -> str:
    if variable.hcl:
        return variable.value
    # A string of HCL is one of JSON whose templates are escaped.
    return orjson.dumps(variable.value).decode().replace("${", "$${").replace("%{", "%%{")


async def _ended(tfe: Tfe, run: Json, workspace: Workspace) -> PlanAnswer | None:
    """What a run found; None while it is under way. Raises: Held, Rejected."""
    status = str(attribute(run, "status"))
    page = tfe.page_of(workspace.name, str(run["id"]))
    if status in UNFINISHED_ENDS:
        return PlanAnswer(status="completed", has_changes=False, message=f"Terraform's run {run['id']} ended as {status}: {page}")
    if status != FINISHED:
        return None
    plan_id = related(run, "plan")
    if plan_id is None:
        return PlanAnswer(status="errored", message=f"Terraform's run {run['id']} names no plan: {page}")
    answer = await tfe.read(f"plans/{plan_id}/json-output", max_bytes=MAX_PLAN_BYTES)
    if answer.status == 204:
        raise Held(f"Terraform's plan {plan_id} is not written yet.")
    if answer.cut:
        return await _counted_by_terraform(tfe, plan_id, page)
    try:
        plan = answer.json()
    except NotJson as error:
        raise Held(f"Terraform's plan {plan_id} can not be read: {error}.") from None
    if not isinstance(plan, dict):
        raise Held(f"Terraform's plan {plan_id} can not be read: it is no object.")
    return _read(plan)


async def _counted_by_terraform(tfe: Tfe, plan_id: str, page: str) -> PlanAnswer:
    """The answer for a plan that is too large to be passed on."""
    plan = await tfe.get(f"plans/{plan_id}")
    added, changed, destroyed = (
        int(attribute(plan, f"resource-{what}") or 0) for what in ("additions", "changes", "destructions")
    )
    return PlanAnswer(
        status="completed",
        has_changes=attribute(plan, "has-changes") is True,
        message=f"+{added} ~{changed} -{destroyed} (the plan is larger than {MAX_PLAN_BYTES} bytes; read it at {page})",
    )


def _read(plan: Json) -> PlanAnswer:
    resources, outputs = plan.get("resource_changes"), plan.get("output_changes")
    changes = [one.get("change") for one in resources if isinstance(one, dict)] if isinstance(resources, list) else []
    counts = Counter(action for change in changes for action in _actions(change))
    of_outputs = outputs.values() if isinstance(outputs, dict) else ()
    has_changes = any(counts[one] for one in ("create", "update", "delete")) or any(_differs(one) for one in of_outputs)
    shown = {key: _masked(plan[key], 0) for key in TOLD if key in plan}
    return PlanAnswer(
        status="completed",
        has_changes=has_changes,
        proposed=orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode(),
        message=f"+{counts['create']} ~{counts['update']} -{counts['delete']}",
    )


def _actions(change: Any) -> list[str]:
    """`create`, `update`, `delete`; a replacement is two of them; `no-op` and `read` change nothing."""
    actions = change.get("actions") if isinstance(change, dict) else None
    return [one for one in actions if isinstance(one, str)] if isinstance(actions, list) else []


def _differs(change: Any) -> bool:
    return any(action in ("create", "update", "delete") for action in _actions(change))


def _masked(value: Any, depth: int) -> Any:
    """Changes with sensitive values masked; they say beside each value what of it is sensitive."""
    if depth > MAX_DEPTH:
        return MASK
    if isinstance(value, list):
        return [_masked(one, depth + 1) for one in value]
    if not isinstance(value, dict):
        return value
    shown = {key: _masked(one, depth + 1) for key, one in value.items()}
    if "actions" in value:
        for side in ("before", "after"):
            if side in value:
                shown[side] = _without(value[side], value.get(f"{side}_sensitive"), depth + 1)
    return shown


def _without(value: Any, sensitive: Any, depth: int) -> Any:
    """A value without what is marked: True marks all of it, a map or list marks its parts."""
    if sensitive is True or depth > MAX_DEPTH:
        return None if value is None else MASK
    if isinstance(value, dict) and isinstance(sensitive, dict):
        return {key: _without(one, sensitive.get(key), depth + 1) for key, one in value.items()}
    if isinstance(value, list) and isinstance(sensitive, list):
        marks = [*sensitive, *[None] * (len(value) - len(sensitive))]
        return [_without(one, mark, depth + 1) for one, mark in zip(value, marks, strict=False)]
    return value
