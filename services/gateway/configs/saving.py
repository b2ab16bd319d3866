"""The one place that every command with a configuration passes before it leaves the gateway, whether it came over HTTP or as a CloudEvent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pydantic_core import to_json

from contracts.command import Answer, AsOf, Refused, Wish
from contracts.commands.dispatcher import CreatePlan, SaveJobAgent, SaveWorkflow
from contracts.commands.planner import CreateVersion, SaveDeployment, UpdateVersion
from contracts.commands.policy.policies import RuleInput, SavePolicy
from contracts.shapes import Json, MetricProvider, MetricSpec, WorkflowStep
from libs.bus.port import Requests, Unavailable, Written
from libs.eventlog.port import MAX_FACT_BYTES
from libs.metric_providers import fields_of_provider, secret_problems
from libs.secrets.addresses import none_in_clear
from libs.secrets.fields import SecretFields
from libs.secrets.keys import KeysUnavailable
from libs.secrets.problem import SecretProblem
from libs.secrets.vault import Vault
from services.gateway.configs.checks import agent_problems, deployment_problems, may_be_read_outside
from services.gateway.configs.keeping import OF_ANY_TYPE, fields_of, kept, stands_for_known
from services.gateway.configs.metrics import KnownProviders, Place, metrics_of, templates_of, with_texts
from services.gateway.rows import Table
from services.gateway.store import ReadStore, StoreUnavailable

W = TypeVar("W", bound=Wish)
_PROVIDER: Final = "/body/rules/{}/verification/metrics/{}/provider"


@dataclass(frozen=True, slots=True)
class _Known:
    """What is recorded of what is saved again.

    Attributes:
        config: sealed; None when nothing is.
        same_kind: whether it is still used in the same way.
    """

    config: Any = None
    same_kind: bool = True


class Configs:
    """Checks the configurations of commands and seals their secrets.

    Args:
        vault: seals.
        store: tells what is recorded now, which masks stand for.
    """

    def __init__(self, vault: Vault, store: ReadStore) -> None:
        self._vault = vault
        self._store = store

    async def prepared(self, wish: Wish, workspace_id: str) -> Wish:
        """The command as it may be recorded; one without a configuration as it is.

        Raises: Refused: `invalid`, with the path. StoreUnavailable, KeysUnavailable.
        """
        match wish:
            case SaveJobAgent():
                return await self._agent(wish, workspace_id)
            case SaveDeployment():
                return await self._deployment(wish, workspace_id)
            case CreateVersion():
                config = await self._kept(workspace_id, wish.job_agent_config, OF_ANY_TYPE, _Known(), "/body/jobAgentConfig")
                return _with(wish, job_agent_config=config)
            case UpdateVersion() if wish.job_agent_config is not None:
                known = await self._known(workspace_id, "version", wish.version_id, "jobAgentConfig", wish.job_agent_config)
                config = await self._kept(workspace_id, wish.job_agent_config, OF_ANY_TYPE, known, "/body/jobAgentConfig")
                return _with(wish, job_agent_config=config)
            case CreatePlan():
                path = "/body/version/jobAgentConfig"
                config = await self._kept(workspace_id, wish.job_agent_config, OF_ANY_TYPE, _Known(), path)
                return _with(wish, job_agent_config=config)
            case SaveWorkflow():
                return await self._workflow(wish, workspace_id)
            case SavePolicy():
                return await self._policy(wish, workspace_id)
            case _:
                return wish

    async def _agent(self, wish: SaveJobAgent, workspace_id: str) -> Wish:
        problems = await asyncio.to_thread(agent_problems, wish.type, wish.config)
        _refuse(problems, "/body/config", f"configuration of a {wish.type} agent")
        known = _Known()
        if stands_for_known(wish.config):
            row = await self._store.get(workspace_id, "agent", wish.agent_id)
            known = _Known(row["config"], row["type"] == wish.type) if row is not None else known
        config = await self._kept(workspace_id, wish.config, fields_of(wish.type), known, "/body/config")
        return _with(wish, config=config)

    async def _deployment(self, wish: SaveDeployment, workspace_id: str) -> Wish:
        config, path = wish.job_agent_config, "/body/jobAgentConfig"
        problems = await asyncio.to_thread(deployment_problems, config, read_outside=False)
        if problems and await self._is_read_outside(wish, workspace_id):
            problems = await asyncio.to_thread(deployment_problems, config, read_outside=True)
        _refuse(problems, path, "job agent configuration")
        known = await self._known(workspace_id, "deployment", wish.deployment_id, "jobAgentConfig", config)
        return _with(wish, job_agent_config=await self._kept(workspace_id, config, OF_ANY_TYPE, known, path))

    async def _is_read_outside(self, wish: SaveDeployment, workspace_id: str) -> bool:
        selector = wish.job_agent_selector
        if selector is None and wish.deployment_id is not None:
            row = await self._store.get(workspace_id, "deployment", wish.deployment_id)
            selector = row["jobAgentSelector"] if row is not None else None
        agents = await self._store.find(workspace_id, "agent")
        return await asyncio.to_thread(may_be_read_outside, selector or "", agents.items)

    async def _workflow(self, wish: SaveWorkflow, workspace_id: str) -> Wish:
        known: dict[str, Json] = {}
        if wish.workflow_id is not None and any(stands_for_known(one.config) for one in wish.job_agents):
            row = await self._store.get(workspace_id, "workflow", wish.workflow_id)
            known = {one["name"]: one for one in row["jobAgents"]} if row is not None else {}
        steps: list[WorkflowStep] = []
        for number, step in enumerate(wish.job_agents):
            before = known.get(step.name)
            as_known = _Known(before["config"], before["ref"] == step.ref) if before is not None else _Known()
            path = f"/body/jobAgents/{number}/config"
            config = await self._kept(workspace_id, step.config, OF_ANY_TYPE, as_known, path)
            steps.append(step if config is step.config else step.model_copy(update={"config": config}))
        return _with(wish, job_agents=tuple(steps))

    async def _policy(self, wish: SavePolicy, workspace_id: str) -> Wish:
        """Providers of metrics hold secrets as agents do; what is wrong with them policy says, but of secrets, which it does not see."""
        metrics = list(metrics_of(wish.rules))
        _check_size(metrics)
        known = KnownProviders(None)
        if wish.policy_id is not None and any(stands_for_known(metric.provider.given) for *_, metric in metrics):
            known = KnownProviders(await self._store.get(workspace_id, "policy", wish.policy_id))
        changed: dict[tuple[int, int], MetricSpec] = {}
        for index, number, place, metric in metrics:
            given, before = metric.provider.given, known.of(place)
            fields = fields_of_provider(metric.provider.type)
            path = _PROVIDER.format(index, number)
            # The secret of a text that is a template is what it names.
            with _refusing(path):
                templates = templates_of(given, fields)
            as_known = _Known(before, before["type"] == given["type"]) if before is not None else _Known()
            config = await self._kept(workspace_id, with_texts(given, dict.fromkeys(templates, "")), fields, as_known, path)
            config = with_texts(config, templates)
            with _refusing(path):
                none_in_clear(config)  # a secret field that is a template is not sealed
            provider = MetricProvider.model_validate(config)
            if provider != metric.provider:
                changed[index, number] = metric.model_copy(update={"provider": provider})
        _refuse_metrics(await asyncio.to_thread(_of_secrets, metrics))
        return _with(wish, rules=tuple(_with_metrics(rule, index, changed) for index, rule in enumerate(wish.rules)))

    async def _known(self, workspace_id: str, table: Table, row_id: str | None, field: str, config: Json) -> _Known:
        if row_id is None or not stands_for_known(config):
            return _Known()
        row = await self._store.get(workspace_id, table, row_id)
        return _Known(row[field]) if row is not None else _Known()

    async def _kept(self, workspace_id: str, config: Json, fields: SecretFields, known: _Known, path: str) -> Any:
        with _refusing(path):
            meant = kept(config, known.config, same_kind=known.same_kind) if stands_for_known(config) else config
            return await self._vault.sealed(workspace_id, meant, fields)


@contextmanager
def _refusing(path: str) -> Iterator[None]:
    """What is wrong with a secret of the configuration at this path is told to whoever sent it."""
    try:
        yield
    except SecretProblem as problem:
        where = "/".join([path, *map(str, problem.path)])
        found = {"path": where, "message": problem.message, "errorCode": problem.code}
        raise Refused("invalid", f"Invalid secret: {problem}", code="INVALID_SECRET", details=[found]) from None


class KeepingRequests:
    """`Requests` for commands that did not come over HTTP: what they carry is checked and sealed as well.

    Args:
        requests: asks services.
    """

    def __init__(self, requests: Requests, configs: Configs) -> None:
        self._requests = requests
        self._configs = configs

    async def ask(
        self,
        wish: Wish | Written,
        *,
        id: str,
        workspace_id: str,
        auth_id: str,
        min_position: int = 0,
        traceparent: str = "",
        as_of: AsOf | None = None,
    ) -> Answer:
        """See `Requests.ask`."""
        if isinstance(wish, Wish):
            try:
                wish = await self._configs.prepared(wish, workspace_id)
            except Refused as refused:
                return Answer(refusal=refused.refusal)
            except (StoreUnavailable, KeysUnavailable) as error:
                raise Unavailable(f"secrets can not be kept now: {error}") from error
        return await self._requests.ask(
            wish,
            id=id,
            workspace_id=workspace_id,
            auth_id=auth_id,
            min_position=min_position,
            traceparent=traceparent,
            as_of=as_of,
        )


def _check_size(metrics: Sequence[tuple[int, int, Place, MetricSpec]]) -> None:
    """Policy would refuse what no fact can hold; looking through all of it for secrets would keep everybody else waiting until then."""
    size = sum(len(to_json(metric.provider.given)) for *_, metric in metrics)
    if size > MAX_FACT_BYTES:
        message = (
            f"The policy is too large: its metrics have {size} bytes of JSON, at most {MAX_FACT_BYTES}. Split it into several."
        )
        raise Refused("invalid", message, code="INVALID_POLICY", details=[{"path": "/body", "message": message}])


def _of_secrets(metrics: Sequence[tuple[int, int, Place, MetricSpec]]) -> list[Json]:
    """What is wrong with secrets that stand in clear in whom metrics ask."""
    return [
        {"path": "/".join([_PROVIDER.format(index, number), *filter(None, [where])]), "message": message}
        for index, number, _, metric in metrics
        for where, message in secret_problems(metric.provider)
    ]


def _refuse_metrics(problems: Sequence[Json]) -> None:
    """As policy does, which says what else is wrong with metrics."""
    if problems:
        first = problems[0]
        message = f"Invalid metric: {first['path']}: {first['message']}"
        raise Refused("invalid", message, code="INVALID_METRIC", details=list(problems))


def _with(wish: W, **changes: Any) -> W:
    return wish if all(getattr(wish, name) == value for name, value in changes.items()) else wish.model_copy(update=changes)


def _with_metrics(rule: RuleInput, index: int, changed: Mapping[tuple[int, int], MetricSpec]) -> RuleInput:
    """The rule with those of its metrics that are others now."""
    if rule.verification is None or not any(one == index for one, _ in changed):
        return rule
    metrics = tuple(changed.get((index, number), one) for number, one in enumerate(rule.verification.metrics))
    return rule.model_copy(update={"verification": rule.verification.model_copy(update={"metrics": metrics})})


def _refuse(problems: Sequence[Json], path: str, what: str) -> None:
    if problems:
        first = problems[0]
        details = [{**one, "path": f"{path}/{one['path']}"} for one in problems]
        raise Refused(
            "invalid", f"Invalid {what}: {first['path']}: {first['message']}", code="INVALID_CONFIGURATION", details=details
        )
