"""Operations on resources and their variables, providers, relationship rules, variable sets."""

from __future__ import annotations

from tests.integration.api import forms
from tests.integration.api.row import FILTERED, PAGING, Row
from tests.integration.api.shapes import WHOLE, Maybe, Obj, page

_RESOURCE = "/resources/identifier/{identifier}"
_RULE = "/relationship-rules/{relationshipRuleId}"
_SET = "/variable-sets/{variableSetId}"

RESOURCES = (
    Row("resource.list", "GET", "/resources", 200, page(forms.RESOURCE), query=FILTERED),
    Row("resource.search", "POST", "/resources/search", 200, page(forms.RESOURCE), body=forms.SEARCH_BODY, page_size=500),
    Row(
        "resource.get", "GET", _RESOURCE, 200, forms.RESOURCE, absent=("identifier",), note="404 is not published, but relied on"
    ),
    Row("resource.facets", "GET", "/resources/facets", 200, forms.FACETS, query=("cel",), note="ours"),
    Row(
        "resource.targets",
        "GET",
        f"{_RESOURCE}/release-targets",
        200,
        page(forms.TARGET_AND_STATE),
        query=PAGING,
        absent=("identifier",),
        note="ours",
    ),
    Row(
        "resource.relations",
        "GET",
        f"{_RESOURCE}/relations",
        200,
        page(forms.RESOURCE_RELATION),
        query=PAGING,
        absent=("identifier",),
        note="ours",
    ),
    Row(
        "resource.history",
        "GET",
        f"{_RESOURCE}/history",
        200,
        page(forms.RESOURCE.plus(position=Maybe(WHOLE))),
        query=PAGING,
        absent=("identifier",),
        note="ours",
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
    Row(
        "rule.put",
        "PUT",
        _RULE,
        200,
        forms.RULE,
        body=forms.RULE_BODY,
        conflict=True,
        note="published as 202; clients take both; 409 is ours: the id is of another workspace",
    ),
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
