"""Operations on releases, release targets and jobs, and what people choose for targets by hand."""

from __future__ import annotations

from tests.integration.api import forms, forms_of_policies
from tests.integration.api.row import FILTERED, PAGING, Row
from tests.integration.api.shapes import Obj, page

_TARGET = "/release-targets/{releaseTargetKey}"
_PAIR = "/deployments/{deploymentId}/environments/{environmentId}"
_PAIR_IDS = ("deploymentId", "environmentId")

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
        query=FILTERED,
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
        may_be_bare=True,
        query=PAGING,
        absent=("releaseTargetKey",),
        malformed=400,
    ),
    Row(
        "target.explain",
        "GET",
        f"{_TARGET}/explanation",
        200,
        forms_of_policies.EXPLANATION,
        absent=("releaseTargetKey",),
        malformed=400,
        note="ours",
    ),
    Row(
        "target.evaluations",
        "GET",
        f"{_TARGET}/evaluations",
        200,
        forms_of_policies.EVALUATIONS,
        query=("versionId",),
        absent=("releaseTargetKey",),
        malformed=400,
        note="ours",
    ),
)


JOBS = (
    Row(
        "job.list",
        "GET",
        "/jobs",
        200,
        page(forms.JOB_AND_RELEASE),
        query=PAGING,
        note="each beside its release, as published; the reference answers plain jobs, on which a client in use ends",
    ),
    Row("job.get", "GET", "/jobs/{jobId}", 200, forms.JOB, absent=("jobId",), note="with its dispatch context"),
    Row("job.with_release", "GET", "/jobs/{jobId}/with-release", 200, forms.JOB_AND_RELEASE, absent=("jobId",)),
    Row(
        "job.status",
        "PUT",
        "/jobs/{jobId}/status",
        202,
        forms.ACCEPTED,
        body=forms.STATUS_BODY,
        absent=("jobId",),
        conflict=True,
        note="409: a job that ended can not go on beside another one on its target",
    ),
)


def _choices(what: str, path: str, absent: tuple[str, ...], malformed: int, back: Obj) -> tuple[Row, ...]:
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
            body=forms.REDEPLOY_BODY,
            may_be_bare=True,
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
            body=back,
            may_be_bare=True,
            absent=absent,
            malformed=malformed,
            conflict=True,
            note="ours; 409: nothing to go back to",
        ),
    )


CHOICES = (
    *_choices("target", _TARGET, ("releaseTargetKey",), 400, forms.ROLLBACK_BODY),
    *_choices("pair", _PAIR, _PAIR_IDS, 404, forms.ROLLOUT_BACK_BODY),
)
