"""The shop: three deployments, three environments, twelve clusters, and the policies that carry a version from one to the next.

Everything is found by name first, so that a second start, or a start after a crash, changes nothing.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from infra.demo.api import Api

DEPLOYMENTS = {"checkout": "v4.2", "catalog": "v1.9", "mailer": "v2.0"}
"""What the shop consists of, and the series its versions are numbered in; different ones, so that a message tells which is meant."""
NEEDS_A_PERSON = "checkout"
CLUSTERS = {
    "dev": ("dev-1", "dev-2"),
    "staging": ("staging-eu-1", "staging-eu-2", "staging-us-1", "staging-us-2"),
    "production": (
        "production-eu-1",
        "production-eu-2",
        "production-us-1",
        "production-us-2",
        "production-ap-1",
        "production-ap-2",
    ),
}
AGENT = str(uuid.uuid5(uuid.NAMESPACE_DNS, "runner.shop.example"))
INTERVAL_S = 6
"""Between two production clusters."""


def create(api: Api, monitoring_port: int) -> dict[str, str]:
    """Make sure that the shop exists. Returns: deployment ids by name."""
    provider = api("PUT", "/resource-providers", {"id": "", "name": "shop-inventory"})["id"]
    api(
        "PUT",
        f"/resource-providers/{provider}/set",
        {"resources": [_cluster(name, env) for env in CLUSTERS for name in CLUSTERS[env]]},
    )
    api("PUT", f"/job-agents/{AGENT}", {"name": "shop-runner", "type": "test-runner", "config": {"delaySeconds": 2}})
    system = _named(api, "systems", "shop") or api("POST", "/systems", {"name": "shop", "description": "A small shop."})["id"]
    for env in CLUSTERS:
        known = api.find(f"/environments/name/{env}")
        id_ = known["id"] if known else api("POST", "/environments", _environment(env))["id"]
        api("PUT", f"/systems/{system}/environments/{id_}")
    deployments = {}
    for name in DEPLOYMENTS:
        known = api.find(f"/deployments/name/{name}")
        deployments[name] = known["deployment"]["id"] if known else api("POST", "/deployments", _deployment(name))["id"]
        api("PUT", f"/systems/{system}/deployments/{deployments[name]}")
    for policy in _policies(monitoring_port):
        known_id = _named(api, "policies", policy["name"])
        if known_id is None:
            api("POST", "/policies", policy)
        elif policy["name"] == "healthy" and monitoring_port_of(api) != monitoring_port:
            rules = [
                {**rule, "id": old["id"]}
                for rule, old in zip(policy["rules"], api("GET", f"/policies/{known_id}")["rules"], strict=True)
            ]
            api("PUT", f"/policies/{known_id}", {**policy, "rules": rules})
    return deployments


def monitoring_port_of(api: Api) -> int:
    """The port that the shop's verification asks now; 0 when there is no shop yet."""
    known = _named(api, "policies", "healthy")
    if known is None:
        return 0
    found = re.search(r"127\.0\.0\.1:(\d+)/", str(api("GET", f"/policies/{known}")))
    return int(found[1]) if found else 0


def _named(api: Api, kind: str, name: str) -> str | None:
    items = api("GET", f"/{kind}?limit=1000")["items"]
    return next((str(one["id"]) for one in items if one["name"] == name), None)


def _cluster(name: str, env: str) -> dict[str, Any]:
    return {
        "identifier": f"cluster/{name}",
        "name": name,
        "kind": "KubernetesCluster",
        "version": "shop.example/cluster/v1",
        "config": {"server": f"https://{name}.shop.example"},
        "metadata": {"env": env, "region": name.split("-")[1] if env != "dev" else "eu"},
        "createdAt": "2026-01-01T00:00:00Z",
    }


def _environment(env: str) -> dict[str, Any]:
    return {"name": env, "metadata": {"stage": env}, "resourceSelector": f'resource.metadata["env"] == "{env}"'}


def _deployment(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "slug": name,
        "resourceSelector": 'resource.kind == "KubernetesCluster"',
        "jobAgentSelector": f'jobAgent.id == "{AGENT}"',
        "jobAgentConfig": {},
        "metadata": {"shop": "demo"},
    }


def _policies(port: int) -> list[dict[str, Any]]:
    url = f"http://127.0.0.1:{port}/errors?version={{{{.version.tag}}}}&resource={{{{.resource.name}}}}"
    metric = {
        "name": "error-rate",
        "intervalSeconds": 2,
        "count": 3,
        "provider": {"type": "http", "url": url},
        "successCondition": "result.ok && result.json.errorRate < 0.01",
    }
    shop = 'deployment.metadata["shop"] == "demo"'
    return [
        {
            "name": "healthy",
            "description": "What was deployed is measured; an unhealthy version is rolled back.",
            "selector": shop,
            "rules": [
                {"verification": {"triggerOn": "jobSuccess", "metrics": [metric]}},
                {"rollback": {"onJobStatuses": ["failure"], "onVerificationFailure": True}},
            ],
        },
        {
            "name": "dev before staging",
            "selector": f'{shop} && environment.name == "staging"',
            "rules": [_after("dev")],
        },
        {
            "name": "staging before production, cluster by cluster",
            "selector": f'{shop} && environment.name == "production"',
            "rules": [
                _after("staging"),
                {"gradualRollout": {"rolloutType": "linear", "timeScaleInterval": INTERVAL_S}},
            ],
        },
        {
            "name": f"{NEEDS_A_PERSON} needs a person",
            "selector": f'{shop} && environment.name == "production" && deployment.name == "{NEEDS_A_PERSON}"',
            "rules": [{"anyApproval": {"minApprovals": 1}}],
        },
    ]


def _after(env: str) -> dict[str, Any]:
    return {
        "environmentProgression": {
            "dependsOnEnvironmentSelector": f'environment.name == "{env}"',
            "minimumSuccessPercentage": 100,
            "requireVerificationPassed": True,
        }
    }
