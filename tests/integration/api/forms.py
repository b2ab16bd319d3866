"""The forms of the API's answers and bodies, by what they are of.

What is declared optional by the interface but always shown to clients in use (metadata above all) is required here.
"""

from __future__ import annotations

from tests.integration.api.forms_of_verifications import VERIFICATION
from tests.integration.api.shapes import (
    ANY_INSTANT,
    CONFIG,
    FLAG,
    ID,
    INSTANT,
    METADATA,
    TEXT,
    VALUE,
    WHOLE,
    Many,
    Map,
    Maybe,
    Obj,
    One,
    OrNull,
    Shape,
    Value,
    Whole,
    obj,
)

ACCEPTED = obj(id=ID, message=TEXT)
OPTIONAL_TEXT = Maybe(TEXT)

# --- systems, deployments, environments -------------------------------------------------------------------------------------------

SYSTEM = obj(id=ID, workspaceId=ID, name=TEXT, slug=TEXT, description=OPTIONAL_TEXT, metadata=METADATA)
DEPLOYMENT = obj(
    id=ID,
    name=TEXT,
    slug=TEXT,
    description=OPTIONAL_TEXT,
    resourceSelector=TEXT,
    jobAgentSelector=TEXT,
    jobAgentConfig=CONFIG,
    metadata=METADATA,
)
ENVIRONMENT = obj(
    id=ID, name=TEXT, description=OPTIONAL_TEXT, resourceSelector=OPTIONAL_TEXT, metadata=METADATA, createdAt=INSTANT
)
SYSTEM_WITH_LINKED = SYSTEM.plus(deployments=Many(DEPLOYMENT), environments=Many(ENVIRONMENT))
DEPLOYMENT_LINK = obj(systemId=ID, deploymentId=ID)
ENVIRONMENT_LINK = obj(systemId=ID, environmentId=ID)
DEPLOYMENT_AND_SYSTEMS = obj(deployment=DEPLOYMENT, systems=Many(SYSTEM))
ENVIRONMENT_AND_SYSTEMS = ENVIRONMENT.plus(systems=Many(SYSTEM))

SYSTEM_BODY = obj(name=TEXT, slug=OPTIONAL_TEXT, description=OPTIONAL_TEXT, metadata=Maybe(METADATA))
DEPLOYMENT_BODY = obj(
    name=TEXT,
    slug=TEXT,
    description=OPTIONAL_TEXT,
    resourceSelector=OPTIONAL_TEXT,
    jobAgentSelector=OPTIONAL_TEXT,
    jobAgentConfig=Maybe(CONFIG),
    metadata=Maybe(METADATA),
)
ENVIRONMENT_BODY = obj(name=TEXT, description=OPTIONAL_TEXT, resourceSelector=OPTIONAL_TEXT, metadata=Maybe(METADATA))

# --- versions ---------------------------------------------------------------------------------------------------------------------

VERSION_STATUS = One(("ready", "building", "failed", "rejected", "unspecified"))
ANY_VERSION_STATUS = One(("ready", "building", "failed", "rejected", "unspecified", "paused"))
VERSION_STATUS_BODY = obj(status=ANY_VERSION_STATUS, message=OPTIONAL_TEXT)
SELECTED = obj(versionSelector=TEXT)
VERSION = obj(
    id=ID,
    deploymentId=ID,
    tag=TEXT,
    name=TEXT,
    status=VERSION_STATUS,
    message=OPTIONAL_TEXT,
    config=CONFIG,
    jobAgentConfig=CONFIG,
    metadata=METADATA,
    createdAt=INSTANT,
)
VERSION_AND_DEPENDENCIES = VERSION.plus(dependencies=Map(SELECTED))
DEPENDENCY = obj(deploymentVersionId=ID, dependencyDeploymentId=ID, versionSelector=TEXT)

_VERSION_SENT = obj(
    name=TEXT,
    tag=TEXT,
    status=VERSION_STATUS,
    config=Maybe(CONFIG),
    jobAgentConfig=Maybe(CONFIG),
    metadata=Maybe(METADATA),
    createdAt=Maybe(ANY_INSTANT),
)
VERSION_BODY = _VERSION_SENT.plus(dependencies=Maybe(Map(SELECTED)))
VERSION_CHANGE = _VERSION_SENT.optional()

# --- variables --------------------------------------------------------------------------------------------------------------------

VARIABLE = obj(id=ID, deploymentId=ID, key=TEXT, description=OPTIONAL_TEXT)
VARIABLE_VALUE = obj(id=ID, deploymentVariableId=ID, value=VALUE, resourceSelector=OPTIONAL_TEXT, priority=WHOLE)
VARIABLE_AND_VALUES = obj(variable=VARIABLE, values=Many(VARIABLE_VALUE))
DEPLOYMENT_WHOLE = DEPLOYMENT_AND_SYSTEMS.plus(variables=Many(VARIABLE_AND_VALUES))
RESOURCE_VARIABLE = obj(resourceId=ID, key=TEXT, value=VALUE)
SET_VARIABLE = obj(key=TEXT, value=VALUE)
VARIABLE_SET = obj(
    id=ID,
    name=TEXT,
    description=TEXT,
    selector=TEXT,
    priority=WHOLE,
    createdAt=INSTANT,
    updatedAt=INSTANT,
    metadata=Maybe(METADATA),
)
VARIABLE_SET_WHOLE = VARIABLE_SET.plus(variables=Many(SET_VARIABLE))

VARIABLE_BODY = obj(deploymentId=TEXT, key=TEXT, description=OPTIONAL_TEXT)
VALUE_BODY = obj(deploymentVariableId=TEXT, priority=WHOLE, value=VALUE, resourceSelector=OPTIONAL_TEXT)
VARIABLE_SET_BODY = obj(name=TEXT, selector=TEXT, variables=Many(SET_VARIABLE), description=OPTIONAL_TEXT, priority=Maybe(WHOLE))
VARIABLE_SET_CHANGE = VARIABLE_SET_BODY.optional()

# --- inventory --------------------------------------------------------------------------------------------------------------------

RESOURCE = obj(
    id=ID,
    workspaceId=ID,
    identifier=TEXT,
    name=TEXT,
    kind=TEXT,
    version=TEXT,
    config=CONFIG,
    metadata=METADATA,
    providerId=Maybe(ID),
    createdAt=INSTANT,
    updatedAt=Maybe(INSTANT),
    deletedAt=Maybe(INSTANT),
    lockedAt=Maybe(INSTANT),
)
PROVIDER = obj(id=ID, workspaceId=ID, name=TEXT, metadata=METADATA, createdAt=INSTANT)
SET_DONE = obj(ok=FLAG, method=TEXT, batchId=OPTIONAL_TEXT)
RULE = obj(id=ID, workspaceId=ID, name=TEXT, description=OPTIONAL_TEXT, reference=TEXT, cel=TEXT, metadata=METADATA)

RESOURCE_BODY = obj(name=TEXT, version=TEXT, kind=TEXT, config=Maybe(CONFIG), metadata=Maybe(METADATA), variables=Maybe(Map()))
PROVIDED_BODY = obj(
    resources=Many(
        obj(
            name=TEXT,
            version=TEXT,
            kind=TEXT,
            identifier=TEXT,
            createdAt=ANY_INSTANT,
            config=OrNull(CONFIG),
            metadata=OrNull(METADATA),
        )
    )
)
PROVIDER_BODY = obj(id=TEXT, name=TEXT, metadata=Maybe(METADATA))
PREVIEW_BODY = obj(name=TEXT, version=TEXT, kind=TEXT, identifier=TEXT, config=CONFIG, metadata=METADATA)
_TEXTS = Maybe(Many(TEXT))
SEARCH_BODY = obj(
    identifiers=_TEXTS,
    kinds=_TEXTS,
    versions=_TEXTS,
    providerIds=_TEXTS,
    metadata=Maybe(METADATA),
    query=OPTIONAL_TEXT,
    sortBy=Maybe(One(("createdAt", "updatedAt", "name", "kind"))),
    order=Maybe(One(("asc", "desc"))),
    limit=Maybe(Whole(1, 1000)),
    offset=Maybe(Whole(0)),
)
RULE_BODY = obj(name=TEXT, reference=TEXT, cel=TEXT, metadata=METADATA, description=OPTIONAL_TEXT)
ENTITY = obj(type=One(("resource", "deployment", "environment")), id=ID)
RELATION = Obj({"from": ENTITY, "to": ENTITY})

# --- releases and their targets ---------------------------------------------------------------------------------------------------

TARGET = obj(resourceId=ID, environmentId=ID, deploymentId=ID)
RELEASE = obj(
    version=VERSION,
    variables=Map(Value(literal=True)),
    encryptedVariables=Many(TEXT),
    releaseTarget=TARGET,
    createdAt=INSTANT,
)
JOB_STATUS = One(
    (
        "pending",
        "queued",
        "inProgress",
        "actionRequired",
        "successful",
        "failure",
        "cancelled",
        "skipped",
        "invalidJobAgent",
        "invalidIntegration",
        "externalRunNotFound",
    )
)
AGENT = obj(id=TEXT, name=TEXT, type=TEXT, config=CONFIG, metadata=METADATA)
JOB = obj(
    id=ID,
    releaseId=TEXT,
    jobAgentId=TEXT,
    jobAgentConfig=CONFIG,
    status=JOB_STATUS,
    metadata=METADATA,
    createdAt=INSTANT,
    updatedAt=INSTANT,
    startedAt=Maybe(INSTANT),
    completedAt=Maybe(INSTANT),
    externalId=OPTIONAL_TEXT,
    message=OPTIONAL_TEXT,
    dispatchContext=Maybe(
        obj(
            jobAgent=AGENT,
            jobAgentConfig=CONFIG,
            release=Maybe(RELEASE),
            deployment=Maybe(DEPLOYMENT),
            environment=Maybe(ENVIRONMENT),
            resource=Maybe(RESOURCE),
            version=Maybe(VERSION),
            variables=Maybe(Map(Value(literal=True))),
        )
    ),
)
JOB_AND_RELEASE = obj(
    job=JOB, release=RELEASE, deployment=Maybe(DEPLOYMENT), environment=Maybe(ENVIRONMENT), resource=Maybe(RESOURCE)
)
STATUS_BODY = obj(status=JOB_STATUS)
PIN = obj(versionId=ID, reason=OPTIONAL_TEXT, pinnedAt=INSTANT, scope=One(("target", "environment")))
_STATE: dict[str, Shape | Maybe] = {
    "desiredRelease": Maybe(RELEASE),
    "currentRelease": Maybe(RELEASE),
    "lastGoodRelease": Maybe(RELEASE),
    "pin": Maybe(PIN),
}
TARGET_STATE = Obj({**_STATE, "latestJob": Maybe(obj(job=JOB, verifications=Many(VERIFICATION)))})
TARGET_AND_STATE = obj(releaseTarget=TARGET, state=Obj({**_STATE, "latestJob": Maybe(JOB)}))
DESIRED = obj(desiredRelease=RELEASE)
PREVIEWED = obj(system=SYSTEM, deployment=DEPLOYMENT, environment=ENVIRONMENT)
PAIR_BODY = obj(deploymentId=TEXT, environmentId=TEXT)
ELIGIBLE_BODY = obj(filter=OPTIONAL_TEXT, excludeRuleIds=Maybe(Many(ID)))

# --- choices of a person -----------------------------------------------------------------------------------------------------------

PIN_BODY = obj(versionId=ID, reason=OPTIONAL_TEXT)
ROLLBACK_BODY = obj(versionId=Maybe(ID), reason=OPTIONAL_TEXT)
ROLLOUT_BACK_BODY = ROLLBACK_BODY.plus(fromVersionId=Maybe(ID))
EVERYTHING_BACK_BODY = obj(reason=OPTIONAL_TEXT)
BAD_VERSION = obj(
    versionId=ID, tag=TEXT, reason=OPTIONAL_TEXT, since=INSTANT, jobId=Maybe(ID), policyId=Maybe(ID), ruleId=Maybe(ID)
)
REDEPLOY_BODY = obj(reason=OPTIONAL_TEXT)
CHOSEN = obj(message=TEXT, targets=WHOLE)
_TAGGED = obj(versionId=ID, tag=TEXT)
_WAY_BACK = obj(deployment=obj(id=ID, name=TEXT), leaves=_TAGGED, to=_TAGGED, targets=WHOLE)
WAYS_BACK = obj(items=Many(_WAY_BACK), targets=WHOLE, marked=Many(_TAGGED))

# --- what resources can be filtered by, and what they are related to -----------------------------------------------------------------

_FACET = obj(value=TEXT, count=WHOLE)
FACETS = obj(
    total=WHOLE,
    kinds=Many(_FACET),
    versions=Many(_FACET),
    providers=Many(obj(id=ID, name=TEXT, count=WHOLE)),
    metadata=Many(obj(key=TEXT, count=WHOLE, values=Many(_FACET), more=FLAG)),
    paths=Many(TEXT),
)
RESOURCE_RELATION = obj(
    direction=One(("to", "from")),
    rule=obj(id=ID, name=TEXT, reference=TEXT),
    entity=obj(
        type=One(("resource", "deployment", "environment")), id=ID, name=TEXT, identifier=OPTIONAL_TEXT, kind=OPTIONAL_TEXT
    ),
)
