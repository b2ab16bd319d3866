"""What a reference finds in the entity that it names: one field, or a part of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from contracts.facts.inventory import ResourceSaved
from contracts.facts.planner import DeploymentSaved, EnvironmentSaved
from contracts.shapes import Json
from contracts.values import is_object, is_sensitive, reference_of

Entity = ResourceSaved | DeploymentSaved | EnvironmentSaved


class Unresolvable(Exception):
    """There is no such value; whatever comes next is tried instead."""


def literal(value: Any) -> Any:
    """A literal as it is. Raises: Unresolvable: it is a reference, a secret, or no value at all."""
    if isinstance(value, str | bool | int | float):
        return value
    if is_object(value) and reference_of(value) is None and not is_sensitive(value):
        return value
    raise Unresolvable


def read(entity: Entity, path: Sequence[str], workspace_id: str, variables: Mapping[str, Any]) -> Any:
    """The value of a field as a literal; an object comes wrapped.

    Args:
        path: the field, in any case, then the way into it through objects.
        variables: of a resource, its variables. Only literals are read: references are not chained.

    Raises:
        Unresolvable: there is nothing at the end of the path, or a list.
    """
    if not path:
        raise Unresolvable
    field, way = path[0].lower(), path[1:]
    if field == "variables" and isinstance(entity, ResourceSaved):
        return _variable(variables, way)
    return _wrapped(_into(_fields(entity, workspace_id), (field, *way)))


def _variable(variables: Mapping[str, Any], way: Sequence[str]) -> Any:
    value = literal(_into(variables, way[:1]))
    return value if len(way) == 1 else _wrapped(_into(value, ("object", *way[1:])))


def _into(value: Any, way: Sequence[str]) -> Any:
    for step in way:
        if not isinstance(value, Mapping) or step not in value:
            raise Unresolvable
        value = value[step]
    return value


def _wrapped(value: Any) -> Any:
    if isinstance(value, list):
        raise Unresolvable
    return {"object": value} if isinstance(value, Mapping) else value


def _fields(entity: Entity, workspace_id: str) -> Json:
    """What may be named of an entity, by the first part of the path in lower case."""
    if isinstance(entity, ResourceSaved):
        fields: Json = {
            "id": entity.resource_id,
            "name": entity.name,
            "kind": entity.kind,
            "version": entity.version,
            "identifier": entity.identifier,
            "workspaceid": workspace_id,
            "workspace_id": workspace_id,
            "config": entity.config,
            "metadata": entity.metadata,
        }
        if entity.provider_id is not None:
            fields["providerid"] = fields["provider_id"] = entity.provider_id
        return fields
    if isinstance(entity, EnvironmentSaved):
        return {
            "id": entity.environment_id,
            "name": entity.name,
            "description": entity.description,
            "metadata": entity.metadata,
        }
    return {
        "id": entity.deployment_id,
        "name": entity.name,
        "slug": entity.name,
        "description": entity.description,
        "metadata": entity.metadata,
        "jobagentselector": entity.job_agent_selector,
        "job_agent_selector": entity.job_agent_selector,
        "jobagentconfig": entity.job_agent_config,
        "job_agent_config": entity.job_agent_config,
    }


def size_of(value: Any) -> int:
    """Bytes of JSON of a value. Raises: Unresolvable: it has none, because an integer needs more than 64 bits or it is nested too deeply."""
    try:
        # The fact of a release, its document and the job's context hold the value some levels deeper than it is here.
        return len(orjson.dumps([[[[[[[[value]]]]]]]])) - 16
    except TypeError:
        raise Unresolvable from None
