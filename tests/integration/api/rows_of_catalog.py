"""Operations on systems and links, deployments and their variables, versions, environments."""

from __future__ import annotations

from tests.integration.api import forms
from tests.integration.api.row import FILTERED, PAGING, Row
from tests.integration.api.shapes import Many, Obj, page

_SYSTEM = "/systems/{systemId}"
_DEPLOYMENT = "/deployments/{deploymentId}"
_ENVIRONMENT = "/environments/{environmentId}"
_VERSIONS = f"{_DEPLOYMENT}/versions"
_VARIABLE = "/deployment-variables/{variableId}"
_VALUE = "/deployment-variable-values/{valueId}"
_EDGES = "/deployment-versions/{deploymentVersionId}/dependencies"


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
    Row(
        "system.put",
        "PUT",
        _SYSTEM,
        202,
        forms.ACCEPTED,
        body=forms.SYSTEM_BODY,
        conflict=True,
        note="an unknown id is taken for the new one; 409 is ours: it is of another workspace",
    ),
    Row("system.delete", "DELETE", _SYSTEM, 202, forms.ACCEPTED, absent=("systemId",)),
    *_links("deployment", "deploymentId", forms.DEPLOYMENT_LINK),
    *_links("environment", "environmentId", forms.ENVIRONMENT_LINK),
)

DEPLOYMENTS = (
    Row("deployment.list", "GET", "/deployments", 200, page(forms.DEPLOYMENT_AND_SYSTEMS), query=FILTERED),
    Row("deployment.create", "POST", "/deployments", 202, forms.ACCEPTED, body=forms.DEPLOYMENT_BODY, conflict=True),
    Row("deployment.by_name", "GET", "/deployments/name/{name}", 200, forms.DEPLOYMENT_WHOLE, absent=("name",)),
    Row("deployment.get", "GET", _DEPLOYMENT, 200, forms.DEPLOYMENT_WHOLE, absent=("deploymentId",)),
    Row("deployment.put", "PUT", _DEPLOYMENT, 202, forms.ACCEPTED, body=forms.DEPLOYMENT_BODY, conflict=True),
    Row("deployment.delete", "DELETE", _DEPLOYMENT, 202, forms.ACCEPTED, absent=("deploymentId",)),
)

ENVIRONMENTS = (
    Row("environment.list", "GET", "/environments", 200, page(forms.ENVIRONMENT), query=PAGING),
    Row("environment.create", "POST", "/environments", 202, forms.ACCEPTED, body=forms.ENVIRONMENT_BODY, conflict=True),
    Row("environment.by_name", "GET", "/environments/name/{name}", 200, forms.ENVIRONMENT_AND_SYSTEMS, absent=("name",)),
    Row("environment.get", "GET", _ENVIRONMENT, 200, forms.ENVIRONMENT_AND_SYSTEMS, absent=("environmentId",)),
    Row("environment.put", "PUT", _ENVIRONMENT, 202, forms.ACCEPTED, body=forms.ENVIRONMENT_BODY, conflict=True),
    Row("environment.delete", "DELETE", _ENVIRONMENT, 202, forms.ACCEPTED, absent=("environmentId",)),
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
        query=(*FILTERED, "order"),
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
        "version.get",
        "GET",
        "/deployment-versions/{deploymentVersionId}",
        200,
        forms.VERSION_AND_DEPENDENCIES.plus(status=forms.ANY_VERSION_STATUS),
        absent=("deploymentVersionId",),
        note="ours",
    ),
    Row(
        "version.status",
        "PUT",
        "/deployment-versions/{deploymentVersionId}/status",
        202,
        forms.VERSION.plus(status=forms.ANY_VERSION_STATUS),
        body=forms.VERSION_STATUS_BODY,
        absent=("deploymentVersionId",),
        note="ours; the only one that takes `paused`",
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
