"""The forms of answers and bodies on freezes and skips, and on where versions stand."""

from __future__ import annotations

from tests.integration.api.forms import OPTIONAL_TEXT
from tests.integration.api.shapes import ANY_INSTANT, FLAG, ID, INSTANT, TEXT, WHOLE, Many, Maybe, One, Whole, obj

_SCOPE = One(("workspace", "system", "environment", "deployment"))
FREEZE = obj(
    id=ID,
    workspaceId=ID,
    scope=_SCOPE,
    scopeId=Maybe(ID),
    selector=OPTIONAL_TEXT,
    reason=TEXT,
    link=OPTIONAL_TEXT,
    startsAt=INSTANT,
    endsAt=Maybe(INSTANT),
    rrule=OPTIONAL_TEXT,
    durationMinutes=Maybe(WHOLE),
    timezone=OPTIONAL_TEXT,
    holdsRollbacks=FLAG,
    createdBy=TEXT,
    createdAt=INSTANT,
    thawedAt=Maybe(INSTANT),
    thawedBy=OPTIONAL_TEXT,
    thawReason=OPTIONAL_TEXT,
    active=FLAG,
    dead=FLAG,
    nextChange=Maybe(INSTANT),
)
OVERRIDE = obj(
    id=ID,
    freezeId=ID,
    versionId=ID,
    environmentId=Maybe(ID),
    resourceId=Maybe(ID),
    reason=TEXT,
    createdBy=TEXT,
    expiresAt=INSTANT,
    createdAt=INSTANT,
)
FREEZE_WHOLE = FREEZE.plus(overrides=Many(OVERRIDE))
HELD = obj(
    targets=WHOLE,
    waiting=WHOLE,
    active=FLAG,
    dead=FLAG,
    nextChange=Maybe(INSTANT),
    rollouts=Many(obj(deploymentId=ID, environmentId=ID, versionId=ID, targets=WHOLE)),
)
STOPPED = obj(freeze=FREEZE, before=HELD, after=HELD)
FREEZE_BODY = obj(
    reason=TEXT,
    scope=Maybe(_SCOPE),
    scopeId=Maybe(ID),
    selector=OPTIONAL_TEXT,
    link=OPTIONAL_TEXT,
    startsAt=Maybe(ANY_INSTANT),
    endsAt=Maybe(ANY_INSTANT),
    expiresIn=OPTIONAL_TEXT,
    rrule=OPTIONAL_TEXT,
    durationMinutes=Maybe(Whole(1, 2**31 - 1)),
    timezone=OPTIONAL_TEXT,
    holdsRollbacks=Maybe(FLAG),
)
FREEZE_CHANGE = FREEZE_BODY.plus(reason=OPTIONAL_TEXT)
THAW_BODY = obj(reason=OPTIONAL_TEXT)
OVERRIDE_BODY = obj(versionId=ID, reason=TEXT, expiresAt=ANY_INSTANT, environmentId=Maybe(ID), resourceId=Maybe(ID))
PREVIEW_OF_FREEZE = obj(scope=Maybe(_SCOPE), scopeId=Maybe(ID), selector=OPTIONAL_TEXT)
STOP_BODY = obj(reason=TEXT, link=OPTIONAL_TEXT)

SKIP = obj(
    id=ID,
    workspaceId=ID,
    versionId=ID,
    ruleId=ID,
    environmentId=Maybe(ID),
    resourceId=Maybe(ID),
    reason=OPTIONAL_TEXT,
    createdBy=TEXT,
    expiresAt=Maybe(INSTANT),
    createdAt=INSTANT,
)
SKIP_BODY = obj(
    versionId=ID,
    ruleId=ID,
    environmentId=Maybe(ID),
    resourceId=Maybe(ID),
    reason=OPTIONAL_TEXT,
    expiresAt=Maybe(ANY_INSTANT),
)

ROLLOUT = obj(
    versionId=ID,
    environmentId=ID,
    position=WHOLE,
    message=TEXT,
    reasons=Many(obj(ruleType=TEXT, verdict=One(("allowed", "waiting", "blocked")), message=TEXT, lookAgainAt=Maybe(INSTANT))),
    targets=Many(obj(resourceId=ID, state=One(("done", "going", "waiting", "blocked", "passed")), message=TEXT)),
    total=WHOLE,
    done=WHOLE,
    going=WHOLE,
    waiting=WHOLE,
    blocked=WHOLE,
    passed=WHOLE,
    nextAt=Maybe(INSTANT),
)
VERSION_EXPLANATION = obj(versionId=ID, tag=TEXT, position=WHOLE, message=TEXT, rollouts=Many(ROLLOUT))
FORECAST = obj(
    versionId=ID,
    environmentId=ID,
    position=WHOLE,
    message=TEXT,
    targets=Many(obj(resourceId=ID, at=Maybe(INSTANT), heldBy=TEXT)),
    doneAt=Maybe(INSTANT),
)
