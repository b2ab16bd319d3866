"""The configurations of the agent types that we know: what each understands, and which of it is secret.

A job's configuration is merged of its agent's, its deployment's and its version's, so each of these may lack what another one has: they
are checked in part when they are saved, and whole when a job is handed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, ValidationError
from pydantic.alias_generators import to_camel

from contracts.shapes import Json
from contracts.wording import place_of, words_of

MAX_SECONDS: Final = 31 * 24 * 3600
"""The longest delay or timeout that a configuration may name; more is a mistake in the unit."""

_DURATION: Final = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


def as_number(value: Any) -> Any:
    """A value of a configuration; the number, where it is a text of digits: clients in other languages send numbers so."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value.strip()):
        return int(value)
    return value


def _truth(value: Any) -> Any:
    """Text is true, but for `false`."""
    return value != "false" if isinstance(value, str) else value


def _address(value: str) -> str:
    """An address without a scheme is one of HTTPS; a slash at its end means nothing."""
    value = value.strip().rstrip("/")
    if not value:
        raise ValueError("is empty; write for example https://example.com")
    return value if "://" in value else f"https://{value}"


def iso_seconds(text: str) -> int:
    """The seconds of an ISO 8601 duration of weeks, days, hours, minutes and seconds (`PT30M`). Raises: ValueError."""
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        raise ValueError("is no ISO 8601 duration; write for example PT30M or P1DT12H")
    weeks, days, hours, minutes, seconds = (int(one or 0) for one in found.groups())
    total = (((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds
    if not 0 < total <= MAX_SECONDS:
        raise ValueError(f"must be more than nothing and at most {MAX_SECONDS} seconds")
    return total


def _duration(text: str) -> str:
    iso_seconds(text)
    return text


Number = Annotated[int, BeforeValidator(as_number), Field(gt=0, lt=2**53)]
Truth = Annotated[bool, BeforeValidator(_truth)]
Text = Annotated[str, Field(min_length=1)]
Address = Annotated[str, AfterValidator(_address)]
Duration = Annotated[str, AfterValidator(_duration)]
SECRET: Final[dict[str, JsonValue]] = {"x-secret": True}
"""Marks a field whose value is never shown, logged or recorded in clear."""


class AgentConfig(BaseModel):
    """What every agent type understands.

    Attributes:
        timeout_seconds: after which a job that has not ended is a failure (default 1 h).
        max_concurrent_jobs: so many active jobs of the agent at once; in a deployment's configuration, so many of its targets that have
            active jobs. A version's says nothing.
        max_calls_per_minute: so many calls to the outside a minute.
        supersede_queued: a job that waits in our queue, taken by nobody yet, gives way to one of a newer release; else it is waited for, as
            is one that is queued outside.
    """

    model_config = ConfigDict(
        frozen=True, extra="ignore", strict=True, alias_generator=to_camel, populate_by_name=True, allow_inf_nan=False
    )
    timeout_seconds: Annotated[float, BeforeValidator(as_number), Field(gt=0, le=MAX_SECONDS)] | None = None
    max_concurrent_jobs: Annotated[int, BeforeValidator(as_number), Field(ge=1, le=1_000_000)] | None = None
    max_calls_per_minute: Annotated[int, BeforeValidator(as_number), Field(ge=1, le=1_000_000)] | None = None
    supersede_queued: Truth = False


class HttpPullConfig(AgentConfig):
    """`http-pull`: an agent that asks for its queued jobs.

    Attributes:
        lease_seconds: who claims a job has to say this often that it is still at it; absent: a claim holds until the deadline.
        max_claims: so often is a job taken before it fails, because each time nobody was heard of any more.
    """

    lease_seconds: Annotated[float, BeforeValidator(as_number), Field(gt=0, le=86_400)] | None = None
    max_claims: Annotated[int, BeforeValidator(as_number), Field(ge=1, le=100)] = 3


class TestRunnerConfig(AgentConfig):
    """`test-runner`: ends each job by itself after a delay.

    Attributes:
        delay_seconds: how long the job runs.
        status: `failure` lets it fail, anything else succeed.
        message: told before our own message.
        has_changes: what its dry runs say.
    """

    __test__ = False  # its name makes pytest look at it
    delay_seconds: float = Field(5, ge=0, le=MAX_SECONDS)
    status: str | None = None
    message: str | None = None
    has_changes: bool = False


class GithubAppConfig(AgentConfig):
    """`github-app`: starts a workflow of GitHub Actions, whose `run-name` must hold the input `job_id`.

    Attributes:
        owner, organization_id: whose repository; one of them.
        api_url: of GitHub Enterprise Server, where it is not github.com.
        app_id, private_key: of the GitHub App; absent: those that the service was started with.
    """

    installation_id: Number
    owner: Text | None = None
    organization_id: Number | None = None
    repo: Text
    workflow_id: Number
    ref: str = "main"
    api_url: Address = "https://api.github.com"
    app_id: Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)] | None = None
    private_key: str | None = Field(None, json_schema_extra=SECRET)


class ArgoCdConfig(AgentConfig):
    """`argo-cd`: applies an Application; `template` renders to its YAML."""

    server_url: Address
    api_key: Text = Field(json_schema_extra=SECRET)
    template: Text
    insecure: Truth = False


class ArgoWorkflowConfig(AgentConfig):
    """`argo-workflow`: submits a Workflow; `template` renders to its YAML. `webhook_secret` is what its exit handler must send."""

    server_url: Address
    api_key: str = Field("", json_schema_extra=SECRET)
    template: Text
    name: str = ""
    webhook_secret: str = Field("", json_schema_extra=SECRET)
    http_insecure: Truth = False


class TfeConfig(AgentConfig):
    """`tfe`: Terraform Cloud or Enterprise; `template` renders to the workspace's YAML or JSON, a run is started in it.

    `webhook_url` is where its notifications come to, signed with `webhook_secret` (absent: the one that the service was started with).
    """

    address: Address
    token: Text = Field(json_schema_extra=SECRET)
    organization: Text
    template: Text
    webhook_url: Address | None = None
    webhook_secret: str | None = Field(None, json_schema_extra=SECRET)
    trigger_run_on_change: Truth = True


class KubernetesConfig(AgentConfig):
    """`kubernetes`: applies the manifests that `template` renders to, and waits until they are there, or until its Jobs are through.

    Attributes:
        server_url, token, ca_certificate, insecure: the cluster's API server; PEM. Absent: the cluster that the service runs in.
        namespace: of manifests that name none.
    """

    server_url: Address | None = None
    token: str | None = Field(None, json_schema_extra=SECRET)
    ca_certificate: str | None = None
    insecure: Truth = False
    namespace: Text = "default"
    template: Text


class WebhookConfig(AgentConfig):
    """`webhook`: a signed request out, a signed call back.

    Attributes:
        secret: signs both ways (HMAC-SHA256 over the raw body).
        headers: sent along.
        template: renders to the body; absent: the job with all it was made from, as JSON.
        cancel_url: told when a job is to be stopped; absent: the same address.
    """

    url: Address
    secret: Text = Field(json_schema_extra=SECRET)
    headers: dict[str, str] = Field(default_factory=dict, json_schema_extra=SECRET)
    template: str | None = None
    cancel_url: Address | None = None


class ManualConfig(AgentConfig):
    """`manual`: a person does it and completes the job.

    Attributes:
        name, description: what is to be done; templates.
        assignees: who is asked to.
        timeout: ISO 8601, after which it is a failure.
        require_evidence: it can not be completed as successful without evidence.
    """

    name: str | None = None
    description: str | None = None
    assignees: Annotated[tuple[str, ...], BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)] = ()
    timeout: Duration | None = None
    require_evidence: Truth = False


AGENT_CONFIGS: Final[Mapping[str, type[AgentConfig]]] = {
    "argo-cd": ArgoCdConfig,
    "argo-workflow": ArgoWorkflowConfig,
    "github-app": GithubAppConfig,
    "http-pull": HttpPullConfig,
    "kubernetes": KubernetesConfig,
    "manual": ManualConfig,
    "test-runner": TestRunnerConfig,
    "tfe": TfeConfig,
    "webhook": WebhookConfig,
}
"""The agent types that we know. An agent may be saved with any other text as its type, but its jobs fail when they are handed over."""


def config_problems(agent_type: str, config: Json, *, whole: bool) -> list[dict[str, str]]:
    """What is wrong with a configuration, as `{path, message, errorCode}`; nothing for a type that is not known.

    Args:
        whole: whether what the type needs must be there; else only what is there is looked at.
    """
    model = AGENT_CONFIGS.get(agent_type)
    if model is None:
        return []
    try:
        model.model_validate(config)
    except ValidationError as error:
        found: dict[str, dict[str, str]] = {}
        for one in error.errors(include_url=False):
            if whole or one["type"] != "missing":
                path = "/".join(map(str, place_of(one, config)))
                # Where a value may have one of several forms each of them says what is wrong.
                found.setdefault(path, {"path": path, "message": words_of(one), "errorCode": one["type"]})
        return list(found.values())
    return []


def secret_fields(agent_type: str) -> frozenset[str]:
    """Names, as clients write them, of the fields whose values are secret."""
    model = AGENT_CONFIGS.get(agent_type)
    return frozenset(_secret_fields(model)) if model is not None else frozenset()


def _secret_fields(model: type[AgentConfig]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        if field.json_schema_extra == SECRET:
            yield field.alias or name
