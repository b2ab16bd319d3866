"""The forms of verifications, their metrics and measurements."""

from __future__ import annotations

from tests.integration.api.shapes import CONFIG, FLAG, ID, INSTANT, METADATA, TEXT, WHOLE, Many, Maybe, Number, One, obj

_OPTIONAL_TEXT = Maybe(TEXT)
_STANDING = One(("running", "passed", "failed", "inconclusive", "cancelled"))

POINT = obj(
    metric=TEXT,
    number=WHOLE,
    status=One(("passed", "failed", "inconclusive")),
    measuredAt=INSTANT,
    dueAt=INSTANT,
    message=_OPTIONAL_TEXT,
    value=Maybe(Number()),
    comparison=Maybe(CONFIG),
    error=Maybe(FLAG),
    held=Maybe(FLAG),
)
MEASUREMENT = POINT.plus(data=CONFIG, asked=Maybe(CONFIG), conditions=Maybe(METADATA))
_METRIC = obj(
    name=TEXT,
    intervalSeconds=WHOLE,
    count=WHOLE,
    provider=CONFIG,
    successCondition=TEXT,
    firstAt=Maybe(INSTANT),
    status=_STANDING,
)
LISTED = obj(
    id=ID,
    jobId=ID,
    releaseId=ID,
    policyId=Maybe(ID),
    ruleId=Maybe(ID),
    attempt=WHOLE,
    reason=_OPTIONAL_TEXT,
    createdAt=INSTANT,
    finishedAt=Maybe(INSTANT),
    status=_STANDING,
    message=_OPTIONAL_TEXT,
    metric=_OPTIONAL_TEXT,
    note=_OPTIONAL_TEXT,
    reaction=Maybe(One(("hold", "rollBack"))),
    continueSeconds=Maybe(WHOLE),
    watching=Maybe(FLAG),
    watchedUntil=Maybe(INSTANT),
    afterPassing=Maybe(FLAG),
    metrics=Many(_METRIC),
)
VERIFICATION = LISTED.plus(metrics=Many(_METRIC.plus(measurements=Many(MEASUREMENT))), measurementsTotal=WHOLE)
AGAIN_BODY = obj(reason=_OPTIONAL_TEXT)
