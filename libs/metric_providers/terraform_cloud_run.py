"""`terraformCloudRun`: looks at a run of Terraform Cloud or Enterprise.

https://developer.hashicorp.com/terraform/cloud-docs/api-docs/run#get-run-details
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import quote

from pydantic import Field
from pydantic.alias_generators import to_camel

from contracts.shapes import Json
from libs.metric_providers.addresses import base_of, with_scheme
from libs.metric_providers.answers import heed_limits, result_of
from libs.metric_providers.http import party_of
from libs.metric_providers.literals import HeaderValue, ServerAddress, literal
from libs.metric_providers.port import MAX_ANSWER_BYTES, SECRET, Asking, NoResult, Provider, ProviderConfig

if TYPE_CHECKING:
    from libs.outbound.answer import Answer

TIMEOUT_S: Final = 30.0
MAX_SAID: Final = 500
"""Characters of Terraform's own words about an error that a result repeats."""

ATTRIBUTES: Final = (
    "status",
    "has-changes",
    "is-destroy",
    "plan-only",
    "refresh",
    "refresh-only",
    "auto-apply",
    "message",
    "source",
    "trigger-reason",
    "created-at",
    "terraform-version",
    "status-timestamps",
    "actions",
)
"""What a result tells of a run, in camel case."""
RELATED: Final = ("plan", "apply", "workspace", "configuration-version", "cost-estimate", "created-by")
"""What belongs to a run, each told as `{id}`."""

_RUN_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")


def _checked_id(text: str) -> str:
    """A part of a path. Raises: NoResult: it can not be one, as when a template found nothing."""
    run_id = text.strip()
    if _RUN_ID.fullmatch(run_id) is None:
        raise NoResult(f"runId {run_id[:100]!r} is no id of a run, such as run-CZcmD7eagjhyX0vN")
    return run_id


class TerraformCloudRunConfig(ProviderConfig):
    """Which run, where. `organization` and whatever else is sent is not needed: a run's id is unique."""

    address: ServerAddress = Field(min_length=1)
    token: HeaderValue = Field(min_length=1, json_schema_extra=SECRET)
    run_id: Annotated[str, literal(_checked_id)] = Field(min_length=1)


async def measure(config: TerraformCloudRunConfig, asking: Asking) -> Json:
    """Gives `ok` (2xx), `statusCode`, `body`, `json`, `duration` (ms), `runId` and `url` (the run's page, or else its address), and

    - `value` and `status`: the run's status, such as `applied`, `planned_and_finished` or `errored`;
    - `hasChanges`, `isDestroy`, `planOnly` and the others of `ATTRIBUTES`, where the run has them;
    - `plan`, `apply` and the others of `RELATED` as `{id}`; `workspace` also with `name` and `organization`;
    - `error`: what Terraform says is wrong, with a token (401) or a run (404); such an answer is not ok and has no `value`.

    Raises: NoResult: asked too often, or no answer of Terraform's. CallFailed: nothing usable came back.
    """
    base, run_id = base_of(config.address, "address"), _checked_id(config.run_id)
    answer = await asking.outbound.ask(
        "GET",
        f"{base}/api/v2/runs/{run_id}?include=workspace",
        headers={"Authorization": f"Bearer {config.token}", "Accept": "application/vnd.api+json, application/json"},
        timeout_s=TIMEOUT_S,
        max_bytes=MAX_ANSWER_BYTES,
    )
    heed_limits(answer, "Terraform", asking.now())
    return read(answer, base, run_id)


def read(answer: Answer, base: str, run_id: str) -> Json:
    """The `result` of an answer. Raises: NoResult: a success that is no run."""
    result = {**result_of(answer), "runId": run_id, "url": f"{base}/api/v2/runs/{run_id}"}
    told = result.get("json")
    if not answer.ok:
        said = "; ".join(_errors(told))[:MAX_SAID]
        result["error"] = said or f"Terraform answered {answer.status}"
        return result
    if answer.cut:
        raise NoResult(f"Terraform's answer is longer than {MAX_ANSWER_BYTES} bytes")
    run = _at(told, "data")
    status = _at(run, "attributes", "status")
    if _at(run, "type") != "runs" or not isinstance(status, str):
        raise NoResult(f"what {base} answered is no run: is it the address of Terraform Cloud or Enterprise?")
    attributes = {one: _at(run, "attributes", one) for one in ATTRIBUTES}
    related = {one: _at(run, "relationships", one, "data", "id") for one in RELATED}
    result |= {_named(one): value for one, value in attributes.items() if value is not None}
    result |= {_named(one): {"id": value} for one, value in related.items() if value is not None}
    result["value"] = status
    workspace = _workspace(told, related["workspace"])
    if workspace is not None:
        result["workspace"] |= workspace
        place = f"{quote(workspace['organization'], safe='')}/workspaces/{quote(workspace['name'], safe='')}"
        result["url"] = f"{base}/app/{place}/runs/{run_id}"
    return result


def _workspace(told: Any, workspace_id: Any) -> dict[str, str] | None:
    """The names of the run's workspace and of its organization, if they came along."""
    included = _at(told, "included")
    for one in included if isinstance(included, list) else ():
        if _at(one, "type") == "workspaces" and _at(one, "id") == workspace_id:
            name, organization = _at(one, "attributes", "name"), _at(one, "relationships", "organization", "data", "id")
            if isinstance(name, str) and isinstance(organization, str):
                return {"name": name, "organization": organization}
    return None


def _errors(told: Any) -> list[str]:
    """Titles and details of `errors`, as JSON:API has them."""
    errors = _at(told, "errors")
    found = [one if isinstance(one, dict) else {"title": one} for one in errors] if isinstance(errors, list) else []
    return [": ".join(str(one[part]) for part in ("title", "detail") if one.get(part)) for one in found]


def _at(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _named(attribute: str) -> str:
    return to_camel(attribute.replace("-", "_"))


PROVIDER = Provider(
    "terraformCloudRun", TerraformCloudRunConfig, measure, party=lambda config: party_of(with_scheme(config.address))
)
