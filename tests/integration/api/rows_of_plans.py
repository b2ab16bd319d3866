"""Operations on plans: what a version would change."""

from __future__ import annotations

from tests.integration.api.forms import OPTIONAL_TEXT
from tests.integration.api.row import Row
from tests.integration.api.shapes import CONFIG, FLAG, ID, INSTANT, METADATA, TEXT, WHOLE, Many, Maybe, One, obj

VALIDATION = obj(
    policyId=ID,
    ruleId=ID,
    name=TEXT,
    passed=FLAG,
    violations=Many(obj(message=TEXT)),
    error=OPTIONAL_TEXT,
)
RESULT = obj(
    id=ID,
    jobAgentId=ID,
    status=One(("computing", "completed", "errored", "unsupported")),
    hasChanges=FLAG,
    contentHash=TEXT,
    current=TEXT,
    proposed=TEXT,
    cut=FLAG,
    message=TEXT,
    validations=Many(VALIDATION),
    evaluatedAt=Maybe(INSTANT),
)
TARGET = obj(
    environmentId=ID,
    environmentName=TEXT,
    resourceId=ID,
    resourceName=TEXT,
    hasChanges=FLAG,
    results=Many(RESULT),
)
PLAN = obj(
    id=ID,
    status=One(("computing", "completed", "failed")),
    summary=obj(total=WHOLE, changed=WHOLE, unchanged=WHOLE, errored=WHOLE, unsupported=WHOLE),
    targets=Many(TARGET),
    createdAt=INSTANT,
    expiresAt=INSTANT,
    expired=FLAG,
    pullRequest=Maybe(WHOLE),
    reportError=OPTIONAL_TEXT,
)
VERSION = obj(tag=TEXT, name=OPTIONAL_TEXT, config=Maybe(CONFIG), jobAgentConfig=Maybe(CONFIG), metadata=Maybe(METADATA))
PLAN_BODY = obj(version=VERSION, metadata=Maybe(METADATA))

_PLAN = "/deployments/{deploymentId}/plan"

PLANS = (
    Row("plan.create", "POST", _PLAN, 202, PLAN, body=PLAN_BODY, absent=("deploymentId",)),
    Row(
        "plan.get",
        "GET",
        f"{_PLAN}/{{planId}}",
        200,
        PLAN,
        absent=("deploymentId", "planId"),
        note="computing until it is known which results there will be; what rules say, the agent and the times are ours",
    ),
)
