"""Why is something no release target (any more), and what would make it one?"""

from __future__ import annotations

from services.policy.state import NOWHERE, State, pair_key


def why_no_target(state: State, deployment_id: str, environment_id: str, resource_id: str) -> str:
    """The cause, what was deployed there before, and what ends it: sentences."""
    deployment, environment = state.deployments.get(deployment_id), state.environments.get(environment_id)
    resource = state.resources.get(resource_id)
    key = f"{resource_id}-{environment_id}-{deployment_id}"
    gone = [
        f"there is no {what} {id_}"
        for what, known, id_ in (
            ("resource", resource, resource_id),
            ("environment", environment, environment_id),
            ("deployment", deployment, deployment_id),
        )
        if known is None
    ]
    if gone:
        return f"{key} is no release target: {', and '.join(gone)} (any more)."
    assert deployment is not None
    assert environment is not None
    assert resource is not None
    where = f"{deployment.name} in {environment.name} on {resource.name}"
    ran = _ran(state, deployment_id, environment_id, resource_id)
    no_system = frozenset[str]()
    if not state.links.get(deployment_id, no_system) & state.links.get(environment_id, no_system):
        return (
            f"{where} is no release target: no system holds both {deployment.name} and {environment.name} (any more).{ran} "
            "What ends it: a person who links both to one system."
        )
    return (
        f"{where} is no release target: the selectors of deployment and environment do not both match {resource.name}.{ran} "
        "What ends it: a person who changes the resource or a selector."
    )


def _ran(state: State, deployment_id: str, environment_id: str, resource_id: str) -> str:
    """What was deployed there last, if anything was; it is left as it is."""
    pair = state.pairs.get(pair_key(deployment_id, environment_id))
    standing = pair.standings.get(resource_id, NOWHERE) if pair is not None else NOWHERE
    if standing.current is None:
        return ""
    return f" {state.tag(standing.current.version_id)} was deployed there last, and nothing was done about it."
