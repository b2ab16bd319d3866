"""Small worlds to ask about: one call makes one thing, and what a test does not care about is left to the default."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.integration.api.checker import Api

PATIENCE_S = 60.0
CLUSTER: dict[str, Any] = {"name": "one", "kind": "Cluster", "version": "v1"}


def new_id() -> str:
    """An id that nothing has."""
    return str(uuid4())


def id_of(answer: Any) -> str:
    """The id in an answer."""
    return str(answer["id"])


def system(api: Api, name: str = "shop", **more: Any) -> str:
    return id_of(api.call("system.create", {"name": name, **more}))


def deployment(api: Api, name: str = "api", **more: Any) -> str:
    return id_of(api.call("deployment.create", {"name": name, "slug": name, **more}))


def environment(api: Api, name: str = "prod", **more: Any) -> str:
    return id_of(api.call("environment.create", {"name": name, **more}))


def version(api: Api, deployment_id: str, tag: str = "v1", **more: Any) -> str:
    body = {"tag": tag, "name": "", "status": "ready", **more}
    return id_of(api.call("version.create", body, deploymentId=deployment_id))


def resource(api: Api, identifier: str = "r", **more: Any) -> str:
    return id_of(api.call("resource.put", {**CLUSTER, "name": identifier, **more}, identifier=identifier))


def provider(api: Api, name: str = "sync", **more: Any) -> str:
    return id_of(api.call("provider.put", {"id": "", "name": name, **more}))


def provided(identifier: str, **more: Any) -> dict[str, Any]:
    """A resource as it is told in a provider's set."""
    times = {"createdAt": "0001-01-01T00:00:00Z"}
    return {**CLUSTER, **times, "config": {}, "metadata": {}, "identifier": identifier, "name": identifier, **more}


def provide(api: Api, provider_id: str, *identifiers: str, **more: Any) -> Any:
    """Set the resources of a provider."""
    return api.call("provider.set", {"resources": [provided(one, **more) for one in identifiers]}, providerId=provider_id)


def variable(api: Api, deployment_id: str, key: str = "REGION", **more: Any) -> str:
    made = new_id()
    return id_of(api.call("variable.put", {"deploymentId": deployment_id, "key": key, **more}, variableId=made))


def value(api: Api, variable_id: str, given: Any = "eu", priority: int = 0, **more: Any) -> str:
    body = {"deploymentVariableId": variable_id, "value": given, "priority": priority, **more}
    return id_of(api.call("value.put", body, valueId=new_id()))


RULE: dict[str, Any] = {
    "name": "cluster in network",
    "reference": "network",
    "cel": 'from.type == "resource" && to.type == "resource" && from.metadata["vpc"] == to.metadata["id"]',
    "metadata": {},
}
VARIABLE_SET: dict[str, Any] = {"name": "defaults", "selector": "true", "variables": [{"key": "REGION", "value": "eu"}]}


def rule(api: Api, **more: Any) -> str:
    return id_of(api.call("rule.create", {**RULE, **more}))


def variable_set(api: Api, **more: Any) -> str:
    return id_of(api.call("set.create", {**VARIABLE_SET, **more}))


def link(api: Api, system_id: str, *, deployments: tuple[str, ...] = (), environments: tuple[str, ...] = ()) -> None:
    """Put deployments and environments into a system."""
    for one in deployments:
        api.call("system.deployment.link", systemId=system_id, deploymentId=one)
    for one in environments:
        api.call("system.environment.link", systemId=system_id, environmentId=one)


@dataclass(frozen=True)
class Shop:
    """A resource that is a target of a deployment in an environment."""

    system: str
    deployment: str
    environment: str
    resource: str
    agent: str

    @property
    def key(self) -> str:
        """The key of the target."""
        return f"{self.resource}-{self.environment}-{self.deployment}"

    @property
    def pair(self) -> dict[str, str]:
        """Deployment and environment, by the names of the API."""
        return {"deploymentId": self.deployment, "environmentId": self.environment}


def shop(api: Api, agent_type: str = "test-runner", **more: Any) -> Shop:
    """A system with a deployment (`more` is of it), an environment, a resource, and an agent that is done at once."""
    agent = new_id()
    body = {"name": "runner", "type": agent_type, "config": {"delaySeconds": 0}}
    assert api.send("PUT", f"/job-agents/{agent}", body).status_code == 202
    made = Shop(
        system(api),
        deployment(api, **{"resourceSelector": "true", "jobAgentSelector": f'jobAgent.id == "{agent}"', **more}),
        environment(api, resourceSelector="true"),
        resource(api),
        agent,
    )
    link(api, made.system, deployments=(made.deployment,), environments=(made.environment,))
    return made


def recorded(api: Api, kind: str, holds: Callable[[dict[str, Any]], bool] = lambda fact: True) -> dict[str, Any]:
    """Wait until a fact is recorded and its rows can be read; the fact's data. Raises: AssertionError: it is not, in good time."""
    end, data = time.monotonic() + PATIENCE_S, dict[str, Any]()
    url = f"/api/v1/workspaces/{api.workspace_id}/events/stream"
    with api.client.stream("GET", url, params={"after": 0, "types": kind}, timeout=PATIENCE_S) as stream:
        # A quiet stream shows signs of life, so that this loop ends in any case.
        for line in stream.iter_lines():
            assert time.monotonic() < end, f"{kind} is not recorded within {PATIENCE_S} s"
            if line.startswith("data: "):
                data = json.loads(line[len("data: ") :])["data"]
                if holds(data):
                    break
    # A write is answered when everything before it can be read.
    api.call("system.put", {"name": "afterwards"}, systemId=new_id())
    return data


def deployed(api: Api, at: Shop, version_id: str) -> str:
    """Wait until a version runs on a shop's target; the id of its release."""

    def ran(fact: dict[str, Any]) -> bool:
        return bool(fact["version_id"] == version_id and fact["resource_id"] == at.resource and fact["status"] == "successful")

    return str(recorded(api, "dispatcher.job_status_changed.v1", ran)["release_id"])


def appeared_in(api: Api, environment_id: str) -> None:
    """Wait until an environment has targets."""
    recorded(api, "planner.targets_changed.v1", lambda fact: bool(fact["environment_id"] == environment_id))
