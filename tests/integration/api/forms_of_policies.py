"""The forms of answers and bodies on policies and approvals, freezes and skips, and on where versions stand."""

from __future__ import annotations

from tests.integration.api.forms import JOB_STATUS, OPTIONAL_TEXT, TARGET
from tests.integration.api.shapes import (
    ANY_INSTANT,
    FLAG,
    ID,
    INSTANT,
    METADATA,
    TEXT,
    WHOLE,
    Many,
    Maybe,
    Number,
    Obj,
    One,
    OrNull,
    Whole,
    obj,
    page,
)

_INT32 = Whole(-(2**31), 2**31 - 1)
_PRIORITY = Whole(-(2**31) + 1, 2**31 - 1)
_COUNT = Whole(0, 2**31 - 1)
_FROM_ONE = Whole(1, 2**31 - 1)
_SHARE = Number(0, 100)

# --- policies: what is sent of a rule is what is shown of it -------------------------------------------------------------------------

_ANY_APPROVAL = obj(
    minApprovals=_INT32,
    approverSelector=OPTIONAL_TEXT,
    groups=Maybe(Many(obj(selector=TEXT, minApprovals=Maybe(Whole(1, 1000))))),
    authorMayApprove=Maybe(FLAG),
    expiresAfterMinutes=Maybe(_FROM_ONE),
    rejectionBlocks=Maybe(FLAG),
)
_PROGRESSION = obj(
    dependsOnEnvironmentSelector=TEXT,
    minimumSuccessPercentage=Maybe(_SHARE),
    successStatuses=Maybe(Many(JOB_STATUS)),
    minimumSoakTimeMinutes=Maybe(_COUNT),
    maximumAgeHours=Maybe(_COUNT),
    requireVerificationPassed=Maybe(FLAG),
)
_WAVE = obj(
    name=OPTIONAL_TEXT,
    selector=OPTIONAL_TEXT,
    percentage=Maybe(_SHARE),
    soakMinutes=Maybe(_COUNT),
    successPercentage=Maybe(_SHARE),
)
_ROLLOUT = obj(
    rolloutType=One(("linear", "linear-normalized", "waves")),
    timeScaleInterval=_COUNT,
    waves=Maybe(Many(_WAVE)),
)
_WINDOW = obj(rrule=TEXT, durationMinutes=_FROM_ONE, allowWindow=FLAG, timezone=OPTIONAL_TEXT)
_RETRY = obj(
    maxRetries=_COUNT,
    backoffSeconds=Maybe(_COUNT),
    backoffStrategy=Maybe(One(("linear", "exponential"))),
    maxBackoffSeconds=Maybe(_COUNT),
    retryOnStatuses=Maybe(Many(JOB_STATUS)),
)
_HTTP = obj(
    type=One(("http",)),
    url=TEXT,
    method=Maybe(One(("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"))),
    headers=Maybe(METADATA),
    body=OPTIONAL_TEXT,
    timeout=OPTIONAL_TEXT,
    insecure=Maybe(FLAG),
)
_PROVIDERS = ("datadog", "http", "kubernetes", "prometheus", "sleep", "sql", "terraformCloudRun")
_WATCHED = Whole(1, 31 * 24 * 3600)
_SLEEP = obj(type=One(("sleep",)), durationSeconds=Maybe(Whole(1, 3600)))
_METRIC = obj(
    name=TEXT,
    intervalSeconds=_FROM_ONE,
    count=_FROM_ONE,
    provider=_HTTP,
    successCondition=TEXT,
    successThreshold=Maybe(_INT32),
    failureCondition=OPTIONAL_TEXT,
    failureThreshold=Maybe(_INT32),
    noData=Maybe(One(("fail", "pass", "hold"))),
    minimumSamples=Maybe(_FROM_ONE),
    errorLimit=Maybe(Whole(0, 1000)),
    reaction=Maybe(One(("observe", "hold", "rollBack"))),
    baseline=Maybe(
        obj(
            value=OPTIONAL_TEXT,
            minRatio=Maybe(Number(0)),
            maxRatio=Maybe(Number(0)),
            minChange=Maybe(Number()),
            maxChange=Maybe(Number()),
            minimumSamples=Maybe(Whole(1, 1000)),
            whenMissing=Maybe(One(("pass", "fail", "hold"))),
        )
    ),
)
_TRIGGER = One(("jobCreated", "jobStarted", "jobSuccess", "jobFailure"))
_RULE = obj(
    anyApproval=Maybe(_ANY_APPROVAL),
    environmentProgression=Maybe(_PROGRESSION),
    gradualRollout=Maybe(_ROLLOUT),
    deploymentWindow=Maybe(_WINDOW),
    deploymentDependency=Maybe(obj(dependsOn=TEXT)),
    versionCooldown=Maybe(obj(intervalSeconds=_COUNT)),
    versionSelector=Maybe(obj(selector=TEXT, description=OPTIONAL_TEXT)),
    retry=Maybe(_RETRY),
    planValidationOpa=Maybe(obj(name=TEXT, rego=TEXT, description=OPTIONAL_TEXT)),
    verification=Maybe(
        obj(
            triggerOn=Maybe(_TRIGGER),
            metrics=Many(_METRIC.plus(provider=obj(type=One(_PROVIDERS)))),
            continueSeconds=Maybe(_WATCHED),
        )
    ),
    rollback=Maybe(obj(onJobStatuses=Maybe(Many(JOB_STATUS)), onVerificationFailure=Maybe(FLAG))),
)
POLICY = obj(
    id=ID,
    workspaceId=ID,
    createdAt=INSTANT,
    name=TEXT,
    description=OPTIONAL_TEXT,
    selector=TEXT,
    priority=WHOLE,
    enabled=FLAG,
    metadata=METADATA,
    rules=Many(_RULE.plus(id=ID, policyId=ID, createdAt=INSTANT)),
)


def _rule_body(provider: Obj) -> Obj:
    metrics = Many(_METRIC.plus(provider=provider))
    verification = obj(triggerOn=Maybe(_TRIGGER), metrics=metrics, continueSeconds=Maybe(_WATCHED))
    return _RULE.plus(
        id=OPTIONAL_TEXT,
        deploymentWindow=Maybe(_WINDOW.plus(allowWindow=Maybe(FLAG))),
        verification=Maybe(verification),
    )


POLICY_BODY = obj(
    name=TEXT,
    description=OPTIONAL_TEXT,
    selector=OPTIONAL_TEXT,
    priority=Maybe(_PRIORITY),
    enabled=Maybe(FLAG),
    metadata=Maybe(METADATA),
    rules=Maybe(Many(_rule_body(_HTTP))),
)
POLICY_WHOLE = POLICY_BODY.plus(
    selector=TEXT,
    priority=_PRIORITY,
    enabled=FLAG,
    metadata=METADATA,
    rules=Many(_rule_body(_SLEEP)),
)
_REACHED = obj(
    key=TEXT,
    resourceId=ID,
    resourceName=TEXT,
    resourceIdentifier=TEXT,
    environmentId=ID,
    environmentName=TEXT,
    deploymentId=ID,
    deploymentName=TEXT,
    held=FLAG,
    error=OPTIONAL_TEXT,
)
REACHES = obj(items=Many(obj(policyId=ID, targets=WHOLE, held=WHOLE)))
_GATE = obj(policyId=ID, targets=WHOLE, upstream=Many(obj(ruleId=ID, environmentIds=Many(ID))))
GATES = obj(items=Many(obj(environmentId=ID, targets=WHOLE, gates=Many(_GATE))), policies=Many(POLICY))
POLICY_TARGETS = page(_REACHED).plus(held=WHOLE)
POLICY_PREVIEW = POLICY_TARGETS.plus(
    totalBefore=WHOLE,
    heldBefore=WHOLE,
    added=WHOLE,
    removed=WHOLE,
    withdrawn=WHOLE,
    warnings=Many(obj(path=TEXT, message=TEXT)),
)
POLICY_DRAFT = POLICY_BODY.plus(policyId=Maybe(ID))
APPROVAL_BODY = obj(status=One(("approved", "rejected", "withdrawn")), environmentIds=Many(TEXT), reason=OPTIONAL_TEXT)

# --- freezes ----------------------------------------------------------------------------------------------------------------------

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
    durationMinutes=Maybe(_FROM_ONE),
    timezone=OPTIONAL_TEXT,
    holdsRollbacks=Maybe(FLAG),
)
FREEZE_CHANGE = FREEZE_BODY.plus(reason=OPTIONAL_TEXT, endsAt=Maybe(OrNull(ANY_INSTANT)))
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

_VERDICT = One(("allowed", "waiting", "blocked"))
_ENDERS = ("time", "approvers", "users", "anyone", "admin", "publisher", "agent", "upstream", "rules")
WHO_ENDS = obj(
    kind=One(_ENDERS),
    message=TEXT,
    at=Maybe(INSTANT),
    approvals=Many(obj(missing=_FROM_ONE, selector=OPTIONAL_TEXT)),
    selector=OPTIONAL_TEXT,
    notUserIds=Many(ID),
    userIds=Many(ID),
    policyId=Maybe(ID),
    agentId=Maybe(ID),
    deploymentIds=Many(ID),
    environmentIds=Many(ID),
    resourceIds=Many(ID),
    ruleIds=Many(TEXT),
)
REASON = obj(
    ruleType=TEXT,
    ruleId=TEXT,
    policyId=TEXT,
    policyName=TEXT,
    verdict=_VERDICT,
    message=TEXT,
    endedBy=TEXT,
    whoEnds=Many(WHO_ENDS),
    since=Maybe(INSTANT),
    skipId=Maybe(ID),
    satisfiedAt=Maybe(INSTANT),
    lookAgainAt=Maybe(INSTANT),
    facts=Many(WHOLE),
)
_RELEASE = Maybe(obj(releaseId=ID, versionId=ID, tag=TEXT))
EXPLANATION = obj(
    resourceId=ID,
    environmentId=ID,
    deploymentId=ID,
    position=WHOLE,
    desired=_RELEASE,
    current=_RELEASE,
    message=TEXT,
    versions=Many(obj(versionId=ID, tag=TEXT, cleared=FLAG, message=TEXT, reasons=Many(REASON), job=Maybe(REASON))),
    warnings=Many(TEXT),
)
EVALUATIONS = obj(
    versionId=ID,
    releaseTarget=TARGET,
    position=WHOLE,
    canDeploy=FLAG,
    isBlocked=FLAG,
    isPending=FLAG,
    policyResults=Many(
        obj(
            policy=Maybe(POLICY),
            summary=TEXT,
            ruleResults=Many(
                obj(
                    ruleId=TEXT,
                    ruleType=TEXT,
                    allowed=FLAG,
                    actionRequired=FLAG,
                    actionType=Maybe(One(("approval", "wait"))),
                    message=TEXT,
                    details=obj(
                        verdict=_VERDICT,
                        endedBy=TEXT,
                        whoEnds=Many(WHO_ENDS),
                        since=Maybe(INSTANT),
                        skipId=Maybe(ID),
                        facts=Many(WHOLE),
                    ),
                    satisfiedAt=Maybe(INSTANT),
                    nextEvaluationTime=Maybe(INSTANT),
                )
            ),
        )
    ),
    nextEvaluationTime=Maybe(INSTANT),
)
ROLLOUT = obj(
    versionId=ID,
    environmentId=ID,
    position=WHOLE,
    message=TEXT,
    reasons=Many(REASON),
    targets=Many(obj(resourceId=ID, state=One(("done", "going", "waiting", "blocked", "passed")), message=TEXT)),
    total=WHOLE,
    done=WHOLE,
    going=WHOLE,
    waiting=WHOLE,
    blocked=WHOLE,
    passed=WHOLE,
    nextAt=Maybe(INSTANT),
    warnings=Many(TEXT),
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
