"""The environments of the product: who may name what. Fields marked optional are absent from the document when they have no value.

All timestamps in documents are RFC 3339 strings. They compare with strings as strings and with timestamps as timestamps, and have the
methods of one, so that an expression written for either reads as it was meant.
"""

from __future__ import annotations

from typing import Final

from libs.cel.environment import Environment

_RESOURCE: Final = frozenset(
    {
        "id",
        "identifier",
        "name",
        "kind",
        "version",
        "workspaceId",
        "config",
        "metadata",
        "createdAt",
        "providerId",
        "updatedAt",
        "deletedAt",
        "lockedAt",
    }
)
_DEPLOYMENT: Final = frozenset(
    {"id", "name", "slug", "description", "resourceSelector", "jobAgentSelector", "jobAgentConfig", "metadata"}
)
_ENVIRONMENT: Final = frozenset({"id", "name", "description", "workspaceId", "createdAt", "metadata"})
_UPSTREAM_VERSION: Final = frozenset({"id", "name", "tag", "deploymentId", "status", "createdAt", "metadata", "message"})
_VERSION: Final = _UPSTREAM_VERSION | {"config", "jobAgentConfig", "dependencies"}
_JOB_AGENT: Final = frozenset({"id", "name", "type", "workspaceId", "config", "metadata"})
_RELATED: Final = frozenset(
    {
        "type",
        "id",
        "name",
        "metadata",
        "kind",
        "version",
        "identifier",
        "config",
        "providerId",
        "variables",
        "description",
    }
)

_OPTIONAL: Final = {
    "resource": frozenset({"providerId", "updatedAt", "deletedAt", "lockedAt"}),
    "deployment": frozenset({"description", "resourceSelector"}),
    "environment": frozenset({"description"}),
    "version": frozenset({"message"}),
    "jobAgent": frozenset({"metadata"}),
    "from": _RELATED - {"type", "id", "name", "metadata"},
    "to": _RELATED - {"type", "id", "name", "metadata"},
}

SELECTOR: Final = Environment("selector", {"resource": _RESOURCE}, optional=_OPTIONAL)
"""Resource selectors of deployments and environments, and the `cel` filter of the resource list."""

TARGET: Final = Environment(
    "target",
    {"resource": _RESOURCE, "deployment": _DEPLOYMENT, "environment": _ENVIRONMENT, "version": _VERSION},
    optional=_OPTIONAL,
)
"""Policy, variable-set and variable-value selectors, the version selector rule, and the `cel` filter of the deployment list."""

ENVIRONMENT: Final = Environment(
    "environment",
    {"environment": _ENVIRONMENT, "resource": _RESOURCE, "deployment": _DEPLOYMENT, "version": _VERSION},
    optional=_OPTIONAL,
)
"""`dependsOnEnvironmentSelector` of a progression rule; only `environment` is filled."""

DEPENDENCY: Final = Environment(
    "dependency",
    {"deployment": _DEPLOYMENT, "version": _UPSTREAM_VERSION, "resource": _RESOURCE, "environment": _ENVIRONMENT},
    optional=_OPTIONAL,
)
"""What a version or deployment depends on: the upstream deployment and version, which has no config here."""

VERSION: Final = Environment("version", {"version": _VERSION}, optional=_OPTIONAL)
"""The version list's `cel` and the eligible versions' `filter`: the whole version, config included."""

AGENT: Final = Environment("agent", {"jobAgent": _JOB_AGENT, "resource": _RESOURCE}, optional=_OPTIONAL)
"""Selectors that choose the job agents of a deployment or a workflow."""

WORKFLOW: Final = Environment(
    "workflow",
    {"jobAgent": _JOB_AGENT, "resource": _RESOURCE, "inputs": None, "workflow": frozenset({"id", "name", "slug"})},
    optional=_OPTIONAL,
)
"""Selectors of a workflow's steps."""

RELATION: Final = Environment("relation", {"from": _RELATED, "to": _RELATED}, optional=_OPTIONAL)
"""Relationship rules between two entities; pass the variables as `**{"from": a, "to": b}`."""

USER: Final = Environment("user", {"user": frozenset({"id", "name", "email", "roles"})}, optional={"user": frozenset({"email"})})
"""Who may approve: the person as it was when it decided; `roles` is a list of text."""

RESULT: Final = Environment("result", {"result": None})
"""Success and failure conditions over the result of a measurement."""
