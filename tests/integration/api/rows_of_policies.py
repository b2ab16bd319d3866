"""Operations on policies and approvals, and on what is ours: freezes, skips, and where versions stand."""

from __future__ import annotations

from tests.integration.api import forms, forms_of_policies
from tests.integration.api.row import PAGING, Row
from tests.integration.api.shapes import page

_FREEZE = "/freezes/{freezeId}"
_VERSION = "/deployment-versions/{deploymentVersionId}"
_ROLLOUT = f"{_VERSION}/environments/{{environmentId}}"
_ROLLOUT_IDS = ("deploymentVersionId", "environmentId")

_POLICY = "/policies/{policyId}"
POLICIES = (
    Row("policy.list", "GET", "/policies", 200, page(forms_of_policies.POLICY), query=PAGING),
    Row("policy.create", "POST", "/policies", 202, forms_of_policies.POLICY, body=forms_of_policies.POLICY_BODY),
    Row("policy.reach", "GET", "/policies/reach", 200, forms_of_policies.REACHES, note="ours"),
    Row(
        "deployment.gates",
        "GET",
        "/deployments/{deploymentId}/gates",
        200,
        forms_of_policies.GATES,
        absent=("deploymentId",),
        note="ours",
    ),
    Row(
        "policy.preview",
        "POST",
        "/policies/preview",
        200,
        forms_of_policies.POLICY_PREVIEW,
        body=forms_of_policies.POLICY_DRAFT,
        query=PAGING,
        note="ours",
    ),
    Row(
        "policy.targets",
        "GET",
        f"{_POLICY}/targets",
        200,
        forms_of_policies.POLICY_TARGETS,
        query=PAGING,
        absent=("policyId",),
        note="ours",
    ),
    Row("policy.get", "GET", _POLICY, 200, forms_of_policies.POLICY, absent=("policyId",)),
    Row(
        "policy.put",
        "PUT",
        _POLICY,
        202,
        forms_of_policies.POLICY,
        body=forms_of_policies.POLICY_WHOLE,
        conflict=True,
        note="an unknown id is taken for the new one, what is no id is 400; 409 is ours: the id is of another workspace",
    ),
    Row("policy.delete", "DELETE", _POLICY, 202, forms_of_policies.POLICY, absent=("policyId",)),
    Row(
        "approval.put",
        "PUT",
        f"{_VERSION}/user-approval-records",
        202,
        forms.ACCEPTED,
        body=forms_of_policies.APPROVAL_BODY,
        absent=("deploymentVersionId",),
        note="withdrawn is ours; no environment stands for all that share a system with the deployment",
    ),
)

FREEZES = (
    Row("freeze.list", "GET", "/freezes", 200, page(forms_of_policies.FREEZE), query=PAGING, note="ours"),
    Row("freeze.create", "POST", "/freezes", 202, forms_of_policies.FREEZE, body=forms_of_policies.FREEZE_BODY, note="ours"),
    Row("freeze.active", "GET", "/freezes/active", 200, page(forms_of_policies.FREEZE), query=PAGING, note="ours"),
    Row(
        "freeze.preview",
        "POST",
        "/freezes/effect",
        200,
        forms_of_policies.HELD,
        body=forms_of_policies.PREVIEW_OF_FREEZE,
        may_be_bare=True,
        note="ours",
    ),
    Row("freeze.get", "GET", _FREEZE, 200, forms_of_policies.FREEZE_WHOLE, absent=("freezeId",), note="ours"),
    Row(
        "freeze.patch",
        "PATCH",
        _FREEZE,
        202,
        forms_of_policies.FREEZE,
        body=forms_of_policies.FREEZE_CHANGE,
        absent=("freezeId",),
        conflict=True,
        note="ours; 409: it was thawed",
    ),
    Row(
        "freeze.thaw",
        "POST",
        f"{_FREEZE}/thaw",
        202,
        forms_of_policies.FREEZE,
        body=forms_of_policies.THAW_BODY,
        may_be_bare=True,
        absent=("freezeId",),
        note="ours",
    ),
    Row(
        "freeze.override",
        "POST",
        f"{_FREEZE}/overrides",
        202,
        forms_of_policies.OVERRIDE,
        body=forms_of_policies.OVERRIDE_BODY,
        absent=("freezeId",),
        conflict=True,
        note="ours; 409: it was thawed",
    ),
    Row("freeze.effect", "GET", f"{_FREEZE}/effect", 200, forms_of_policies.HELD, absent=("freezeId",), note="ours"),
    Row("freeze.stop", "POST", "/stop-the-line", 202, forms_of_policies.STOPPED, body=forms_of_policies.STOP_BODY, note="ours"),
)

SKIPS = (
    Row(
        "skip.list",
        "GET",
        "/policy-skips",
        200,
        page(forms_of_policies.SKIP),
        query=(*PAGING, "versionId", "environmentId", "resourceId"),
        note="ours",
    ),
    Row("skip.create", "POST", "/policy-skips", 202, forms_of_policies.SKIP, body=forms_of_policies.SKIP_BODY, note="ours"),
    Row("skip.delete", "DELETE", "/policy-skips/{skipId}", 202, forms.ACCEPTED, absent=("skipId",), note="ours"),
)

EXPLANATIONS = (
    Row(
        "version.explain",
        "GET",
        f"{_VERSION}/explanation",
        200,
        forms_of_policies.VERSION_EXPLANATION,
        absent=("deploymentVersionId",),
        note="ours",
    ),
    Row(
        "rollout.explain",
        "GET",
        f"{_ROLLOUT}/explanation",
        200,
        forms_of_policies.ROLLOUT,
        query=PAGING,
        absent=_ROLLOUT_IDS,
        note="ours; limit and offset are of its targets",
    ),
    Row("rollout.forecast", "GET", f"{_ROLLOUT}/forecast", 200, forms_of_policies.FORECAST, absent=_ROLLOUT_IDS, note="ours"),
)
