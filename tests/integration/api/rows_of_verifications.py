"""Operations on verifications, and on versions that are bad somewhere."""

from __future__ import annotations

from tests.integration.api import forms
from tests.integration.api import forms_of_verifications as verifications
from tests.integration.api.row import PAGING, Row
from tests.integration.api.shapes import page

_ONE = "/verifications/{verificationId}"
_TARGET = "/release-targets/{releaseTargetKey}"
_PAIR = "/deployments/{deploymentId}/environments/{environmentId}"

VERIFICATIONS = (
    Row("verification.get", "GET", _ONE, 200, verifications.VERIFICATION, absent=("verificationId",), note="ours"),
    Row(
        "verification.measurements",
        "GET",
        f"{_ONE}/measurements",
        200,
        page(verifications.POINT),
        query=(*PAGING, "metric", "from", "to", "points", "includeDetails"),
        absent=("verificationId",),
        note="ours",
    ),
    Row(
        "verification.again",
        "POST",
        f"{_ONE}/verify-again",
        202,
        forms.ACCEPTED,
        body=verifications.AGAIN_BODY,
        may_be_bare=True,
        absent=("verificationId",),
        conflict=True,
        note="ours; 409: it runs, or another release has run on its target since",
    ),
    Row(
        "job.verifications",
        "GET",
        "/jobs/{jobId}/verifications",
        200,
        page(verifications.LISTED),
        query=PAGING,
        absent=("jobId",),
        note="ours",
    ),
)

MARKS = (
    Row(
        "target.marks",
        "GET",
        f"{_TARGET}/bad-versions",
        200,
        page(forms.BAD_VERSION),
        query=PAGING,
        absent=("releaseTargetKey",),
        malformed=400,
        note="ours; of a target whose resource is gone the page is empty",
    ),
    Row(
        "target.mark.lift",
        "DELETE",
        f"{_TARGET}/bad-versions/{{versionId}}",
        202,
        forms.CHOSEN,
        absent=("versionId",),
        malformed=404,
        note="ours",
    ),
    Row(
        "pair.mark.lift",
        "DELETE",
        f"{_PAIR}/bad-versions/{{versionId}}",
        202,
        forms.CHOSEN,
        absent=("deploymentId", "environmentId", "versionId"),
        note="ours",
    ),
    Row(
        "environment.rollback",
        "POST",
        "/environments/{environmentId}/rollback",
        202,
        forms.CHOSEN,
        body=forms.EVERYTHING_BACK_BODY,
        may_be_bare=True,
        absent=("environmentId",),
        conflict=True,
        note="ours; 409: nothing there has anything to go back to",
    ),
    Row(
        "environment.rollback.preview",
        "GET",
        "/environments/{environmentId}/rollback",
        200,
        forms.WAYS_BACK,
        absent=("environmentId",),
        conflict=True,
        note="ours; 409: as the rollback itself",
    ),
    Row(
        "pair.rollback.preview",
        "GET",
        f"{_PAIR}/rollback",
        200,
        forms.WAYS_BACK,
        query=("versionId", "fromVersionId"),
        absent=("deploymentId", "environmentId"),
        conflict=True,
        note="ours; 409: as the rollback itself",
    ),
)
