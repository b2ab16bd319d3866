"""The table that the API is held against: every operation on what is deployed where, its statuses, its answer, its body.

Paths are below `/api/v1/workspaces/{workspaceId}`. Every operation may also answer 400 (the form), 401 (the credential) and 404 (the
workspace, and what its path names); one that takes a body 415. Where the clients in use overrule the published interface, or it says
nothing, the row has a note.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tests.integration.api import forms
from tests.integration.api.shapes import Many, Obj, Shape, page

PAGING: Final = ("limit", "offset")


@dataclass(frozen=True, slots=True)
class Row:
    """One operation.

    Attributes:
        status, answer: of success.
        body: what must be sent; None when it takes no body.
        query: parameters that it knows.
        absent: path parameters that must name something: 404 otherwise.
        malformed: the status when such a parameter can name nothing.
        conflict: whether it may answer 409.
        page_size: of a list, when the request does not say.
        note: why it is not as published.
    """

    op: str
    method: str
    path: str
    status: int
    answer: Shape
    body: Obj | None = None
    query: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    malformed: int = 404
    conflict: bool = False
    page_size: int = 50
    note: str = ""

    @property
    def statuses(self) -> tuple[int, ...]:
        """Every status that it may answer."""
        return (self.status, 400, 401, 404, *([409] if self.conflict else []), *([415] if self.body is not None else []))

    @property
    def paged(self) -> bool:
        """Whether it answers a part of a list."""
        return "limit" in self.query


_SYSTEM = "/systems/{systemId}"
_DEPLOYMENT = "/deployments/{deploymentId}"
_ENVIRONMENT = "/environments/{environmentId}"
_VERSIONS = f"{_DEPLOYMENT}/versions"
_VARIABLE = "/deployment-variables/{variableId}"
_VALUE = "/deployment-variable-values/{valueId}"
_RESOURCE = "/resources/identifier/{identifier}"
_RULE = "/relationship-rules/{relationshipRuleId}"
_SET = "/variable-sets/{variableSetId}"
_TARGET = "/release-targets/{releaseTargetKey}"
_PAIR = f"{_DEPLOYMENT}{_ENVIRONMENT}"
_EDGES = "/deployment-versions/{deploymentVersionId}/dependencies"

_CEL = (*PAGING, "cel")
_PAIR_IDS = ("deploymentId", "environmentId")


def _links(kind: str, param: str, answer: Obj) -> tuple[Row, ...]:
    path, ends = f"{_SYSTEM}/{kind}s/{{{param}}}", ("systemId", param)
    return (
        Row(f"system.{kind}.get", "GET", path, 200, answer, absent=ends),
        Row(
            f"system.{kind}.link", "PUT", path, 202, forms.ACCEPTED, absent=ends, note="takes no body, and needs no content type"
        ),
        Row(f"system.{kind}.unlink", "DELETE", path, 202, forms.ACCEPTED, absent=ends),
    )


SYSTEMS = (
    Row("system.list", "GET", "/systems", 200, page(forms.SYSTEM), query=PAGING),
    Row("system.create", "POST", "/systems", 202, forms.ACCEPTED, body=forms.SYSTEM_BODY),
    Row("system.get", "GET", _SYSTEM, 200, forms.SYSTEM_WITH_LINKED, absent=("systemId",)),
    Row("system.put", "PUT", _SYSTEM, 202, forms.ACCEPTED, body=forms.SYSTEM_BODY, note="an unknown id is taken for the new one"),
    Row("system.delete", "DELETE", _SYSTEM, 202, forms.ACCEPTED, absent=("systemId",)),
    *_links("deployment", "deploymentId", forms.DEPLOYMENT_LINK),
    *_links("environment", "environmentId", forms.ENVIRONMENT_LINK),
)

DEPLOYMENTS = (
    Row("deployment.list", "GET", "/deployments", 200, page(forms.DEPLOYMENT_AND_SYSTEMS), query=_CEL),
    Row("deployment.create", "POST", "/deployments", 202, forms.ACCEPTED, body=forms.DEPLOYMENT_BODY, conflict=True),
    Row("deployment.by_name", "GET", "/deployments/name/{name}", 200, forms.DEPLOYMENT_WHOLE, absent=("name",)),
    Row("deployment.get", "GET", _DEPLOYMENT, 200, forms.DEPLOYMENT_WHOLE, absent=("deploymentId",)),
    Row("deployment.put", "PUT", _DEPLOYMENT, 202, forms.ACCEPTED, body=forms.DEPLOYMENT_BODY, conflict=True),
    Row("deployment.delete", "DELETE", _DEPLOYMENT, 202, forms.ACCEPTED, absent=("deploymentId",)),
)

VARIABLES = (
    Row(
        "variable.list",
        "GET",
        f"{_DEPLOYMENT}/variables",
        200,
        page(forms.VARIABLE_AND_VALUES),
        query=PAGING,
        note="of an unknown deployment the page is empty",
    ),
    Row("variable.get", "GET", _VARIABLE, 200, forms.VARIABLE_AND_VALUES, absent=("variableId",)),
    Row(
        "variable.put",
        "PUT",
        _VARIABLE,
        202,
        forms.ACCEPTED,
        body=forms.VARIABLE_BODY,
        conflict=True,
        note="409: the key is taken by another variable of the deployment, which the reference answers by not doing what it says",
    ),
    Row("variable.delete", "DELETE", _VARIABLE, 202, forms.ACCEPTED, absent=("variableId",)),
    Row("value.get", "GET", _VALUE, 200, forms.VARIABLE_VALUE, absent=("valueId",)),
    Row(
        "value.put",
        "PUT",
        _VALUE,
        202,
        forms.ACCEPTED,
        body=forms.VALUE_BODY,
        conflict=True,
        note="409: the id is a value of another variable, or selector and priority are taken; integers and true are values",
    ),
    Row("value.delete", "DELETE", _VALUE, 202, forms.ACCEPTED, absent=("valueId",)),
)

VERSIONS = (
    Row(
        "version.list",
        "GET",
        _VERSIONS,
        200,
        page(forms.VERSION_AND_DEPENDENCIES),
        query=(*_CEL, "order"),
        absent=("deploymentId",),
    ),
    Row(
        "version.create",
        "POST",
        _VERSIONS,
        200,
        forms.VERSION,
        body=forms.VERSION_BODY,
        absent=("deploymentId",),
        conflict=True,
        note="200 where other creations answer 202; 409 for a tag that is there",
    ),
    Row(
        "version.patch",
        "PATCH",
        "/deploymentversions/{deploymentVersionId}",
        202,
        forms.VERSION,
        body=forms.VERSION_CHANGE,
        absent=("deploymentVersionId",),
        conflict=True,
        note="an id in the body is not needed; 404 and 409 are ours, the reference does not serve it",
    ),
    Row(
        "version.patch_hyphen",
        "PATCH",
        "/deployment-versions/{deploymentVersionId}",
        202,
        forms.VERSION,
        body=forms.VERSION_CHANGE,
        absent=("deploymentVersionId",),
        conflict=True,
        note="the other spelling that is about",
    ),
    Row("dependency.list", "GET", _EDGES, 200, Many(forms.DEPENDENCY), absent=("deploymentVersionId",), note="a bare list"),
    Row(
        "dependency.put",
        "PUT",
        f"{_EDGES}/{{dependencyDeploymentId}}",
        202,
        forms.ACCEPTED,
        body=forms.SELECTED,
        absent=("deploymentVersionId", "dependencyDeploymentId"),
    ),
    Row(
        "dependency.delete",
        "DELETE",
        f"{_EDGES}/{{dependencyDeploymentId}}",
        202,
        forms.ACCEPTED,
        absent=("deploymentVersionId", "dependencyDeploymentId"),
    ),
)

ENVIRONMENTS = (
    Row("environment.list", "GET", "/environments", 200, page(forms.ENVIRONMENT), query=PAGING),
    Row("environment.create", "POST", "/environments", 202, forms.ACCEPTED, body=forms.ENVIRONMENT_BODY, conflict=True),
    Row("environment.by_name", "GET", "/environments/name/{name}", 200, forms.ENVIRONMENT_AND_SYSTEMS, absent=("name",)),
    Row("environment.get", "GET", _ENVIRONMENT, 200, forms.ENVIRONMENT_AND_SYSTEMS, absent=("environmentId",)),
    Row("environment.put", "PUT", _ENVIRONMENT, 202, forms.ACCEPTED, body=forms.ENVIRONMENT_BODY, conflict=True),
    Row("environment.delete", "DELETE", _ENVIRONMENT, 202, forms.ACCEPTED, absent=("environmentId",)),
)

RESOURCES = (
    Row("resource.list", "GET", "/resources", 200, page(forms.RESOURCE), query=_CEL),
    Row("resource.search", "POST", "/resources/search", 200, page(forms.RESOURCE), body=forms.SEARCH_BODY, page_size=500),
    Row(
        "resource.get", "GET", _RESOURCE, 200, forms.RESOURCE, absent=("identifier",), note="404 is not published, but relied on"
    ),
    Row("resource.put", "PUT", _RESOURCE, 202, forms.ACCEPTED, body=forms.RESOURCE_BODY),
    Row(
        "resource.delete",
        "DELETE",
        _RESOURCE,
        200,
        forms.ACCEPTED,
        absent=("identifier",),
        note="published as 202; of clients that want 200 and clients that want 202, those that want 200 are served",
    ),
    Row(
        "resource.deployments",
        "GET",
        f"{_RESOURCE}/deployments",
        200,
        page(forms.DEPLOYMENT),
        query=PAGING,
        absent=("identifier",),
    ),
    Row(
        "resource.variables",
        "GET",
        f"{_RESOURCE}/variables",
        200,
        page(forms.RESOURCE_VARIABLE),
        query=PAGING,
        absent=("identifier",),
    ),
    Row(
        "resource.variables.patch",
        "PATCH",
        f"{_RESOURCE}/variables",
        202,
        forms.ACCEPTED,
        body=Obj({}),
        absent=("identifier",),
        note="replaces them all, despite the verb; null is no value",
    ),
    Row(
        "resource.target",
        "GET",
        "/resources/{resourceIdentifier}/release-targets/deployment/{deploymentId}",
        200,
        forms.TARGET,
        absent=("resourceIdentifier", "deploymentId"),
    ),
)

PROVIDERS = (
    Row(
        "provider.put",
        "PUT",
        "/resource-providers",
        202,
        forms.PROVIDER,
        body=forms.PROVIDER_BODY,
        conflict=True,
        note="a known id renames, a known name keeps its id; 409: the new name is another one's",
    ),
    Row(
        "provider.get",
        "GET",
        "/resource-providers/name/{name}",
        200,
        forms.PROVIDER,
        absent=("name",),
        note="404 is not published, but relied on",
    ),
    Row("provider.delete", "DELETE", "/resource-providers/name/{name}", 202, forms.PROVIDER, absent=("name",)),
    Row(
        "provider.resources",
        "GET",
        "/resource-providers/name/{name}/resources",
        200,
        page(forms.RESOURCE),
        absent=("name",),
        note="all of them at once, in the order of the set; limit and offset are shown because they are declared",
    ),
    Row(
        "provider.set",
        "PUT",
        "/resource-providers/{providerId}/set",
        202,
        forms.SET_DONE,
        body=forms.PROVIDED_BODY,
        absent=("providerId",),
    ),
)

RULES = (
    Row("rule.list", "GET", "/relationship-rules", 200, page(forms.RULE), query=PAGING),
    Row("rule.create", "POST", "/relationship-rules", 201, forms.RULE, body=forms.RULE_BODY),
    Row("rule.get", "GET", _RULE, 200, forms.RULE, absent=("relationshipRuleId",)),
    Row("rule.put", "PUT", _RULE, 200, forms.RULE, body=forms.RULE_BODY, note="published as 202; clients take both"),
    Row(
        "rule.delete",
        "DELETE",
        _RULE,
        202,
        forms.RULE,
        absent=("relationshipRuleId",),
        note="the reference answers 200, at which a client in use fails",
    ),
    Row(
        "rule.relations",
        "GET",
        f"{_RULE}/relations",
        200,
        page(forms.RELATION),
        query=PAGING,
        absent=("relationshipRuleId",),
        note="ours",
    ),
)

VARIABLE_SETS = (
    Row("set.list", "GET", "/variable-sets", 200, page(forms.VARIABLE_SET_WHOLE), query=PAGING),
    Row("set.create", "POST", "/variable-sets", 201, forms.VARIABLE_SET, body=forms.VARIABLE_SET_BODY),
    Row("set.get", "GET", _SET, 200, forms.VARIABLE_SET_WHOLE, absent=("variableSetId",)),
    Row("set.put", "PUT", _SET, 202, forms.VARIABLE_SET, body=forms.VARIABLE_SET_CHANGE, absent=("variableSetId",)),
    Row("set.delete", "DELETE", _SET, 202, forms.VARIABLE_SET, absent=("variableSetId",)),
)

TARGETS = (
    Row("release.get", "GET", "/releases/{releaseId}", 200, forms.RELEASE, absent=("releaseId",)),
    Row(
        "target.preview",
        "POST",
        "/release-targets/resource-preview",
        200,
        page(forms.PREVIEWED),
        body=forms.PREVIEW_BODY,
        query=PAGING,
    ),
    Row(
        "target.states",
        "POST",
        "/release-targets/state",
        200,
        page(forms.TARGET_AND_STATE),
        body=forms.PAIR_BODY,
        query=PAGING,
    ),
    Row(
        "target.state",
        "GET",
        f"{_TARGET}/state",
        200,
        forms.TARGET_STATE,
        query=("bypassCache",),
        malformed=400,
        note="a well-formed key that is no target has an empty state",
    ),
    Row(
        "target.desired",
        "GET",
        f"{_TARGET}/desired-release",
        200,
        forms.DESIRED,
        absent=("releaseTargetKey",),
        malformed=400,
    ),
    Row(
        "target.jobs",
        "GET",
        f"{_TARGET}/jobs",
        200,
        page(forms.JOB),
        query=_CEL,
        malformed=400,
        note="of what is no target the page is empty; cel is taken and does nothing",
    ),
    Row(
        "target.eligible",
        "POST",
        f"{_TARGET}/eligible-versions",
        200,
        page(forms.VERSION),
        body=forms.ELIGIBLE_BODY,
        query=PAGING,
        absent=("releaseTargetKey",),
        malformed=400,
    ),
    Row(
        "target.explain",
        "GET",
        f"{_TARGET}/explanation",
        200,
        forms.EXPLANATION,
        absent=("releaseTargetKey",),
        malformed=400,
        note="ours",
    ),
)


def _choices(what: str, path: str, absent: tuple[str, ...], malformed: int) -> tuple[Row, ...]:
    return (
        Row(f"{what}.pin.get", "GET", f"{path}/pin", 200, forms.PIN, absent=absent, malformed=malformed, note="ours"),
        Row(
            f"{what}.pin.put",
            "PUT",
            f"{path}/pin",
            202,
            forms.ACCEPTED,
            body=forms.PIN_BODY,
            absent=absent,
            malformed=malformed,
            note="ours",
        ),
        Row(f"{what}.pin.delete", "DELETE", f"{path}/pin", 202, forms.ACCEPTED, absent=absent, malformed=malformed, note="ours"),
        Row(
            f"{what}.redeploy",
            "POST",
            f"{path}/redeploy",
            202,
            forms.CHOSEN,
            absent=absent,
            malformed=malformed,
            conflict=True,
            note="ours",
        ),
        Row(
            f"{what}.rollback",
            "POST",
            f"{path}/rollback",
            202,
            forms.CHOSEN,
            body=forms.ROLLBACK_BODY,
            absent=absent,
            malformed=malformed,
            conflict=True,
            note="ours; 409: nothing to go back to",
        ),
    )


CHOICES = (
    *_choices("target", _TARGET, ("releaseTargetKey",), 400),
    *_choices("pair", _PAIR, _PAIR_IDS, 404),
)

TABLE: Final = (
    *SYSTEMS,
    *DEPLOYMENTS,
    *VARIABLES,
    *VERSIONS,
    *ENVIRONMENTS,
    *RESOURCES,
    *PROVIDERS,
    *RULES,
    *VARIABLE_SETS,
    *TARGETS,
    *CHOICES,
)
ROWS: Final = {row.op: row for row in TABLE}
NOUNS: Final = frozenset(row.path.split("/")[1] for row in TABLE)
"""First segments of the paths that the table speaks of."""


def row_of(method: str, path: str) -> Row | None:
    """The operation of a method and a path below the workspace, not yet decoded; None when there is none."""
    parts = path.strip("/").split("/")
    found: list[tuple[int, Row]] = []
    for row in TABLE:
        wanted = row.path.strip("/").split("/")
        if row.method != method or len(wanted) != len(parts):
            continue
        if all(want.startswith("{") or want == part for want, part in zip(wanted, parts, strict=True)):
            found.append((sum(want == part for want, part in zip(wanted, parts, strict=True)), row))
    return max(found, key=lambda one: one[0])[1] if found else None
