"""The forms of job agents, of what is asked about their jobs, and of what only some jobs have."""

from __future__ import annotations

from tests.integration.api.forms import AGENT, JOB, JOB_STATUS, OPTIONAL_TEXT
from tests.integration.api.shapes import CONFIG, FLAG, ID, INSTANT, METADATA, TEXT, WHOLE, Maybe, Number, One, obj

JOB_AGENT = AGENT.plus(id=ID, workspaceId=ID)
AGENT_BODY = obj(name=TEXT, type=TEXT, config=CONFIG, metadata=Maybe(METADATA))
RUN_BY = JOB.plus(
    deadlineAt=INSTANT,
    lease=Maybe(obj(instance=TEXT, claims=WHOLE, leasedAt=INSTANT, expiresAt=INSTANT)),
    delay=Maybe(obj(call=One(("dispatch", "cancel")), calls=WHOLE, message=TEXT, nextAt=INSTANT)),
    cancellation=Maybe(obj(stopped=FLAG, message=OPTIONAL_TEXT, answeredAt=INSTANT)),
)
CLAIMED = RUN_BY.plus(claimId=Maybe(ID), leaseExpiresAt=Maybe(INSTANT))
CLAIM_BODY = obj(instance=OPTIONAL_TEXT, leaseSeconds=Maybe(Number(0, 86_400)))
HEARTBEAT = obj(id=ID, claimId=ID, leaseExpiresAt=INSTANT)
HEARTBEAT_BODY = obj(claimId=ID)
CANCEL_BODY = obj(reason=OPTIONAL_TEXT)
COMPLETE_BODY = obj(status=Maybe(JOB_STATUS), message=OPTIONAL_TEXT, evidence=Maybe(METADATA))
