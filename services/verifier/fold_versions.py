"""Folds versions, and lets go of those that nothing needs; total, never refuses.

A release may be made of any version at any time, so the newest of each deployment are known before they are released. Of older ones those are
known that are on a target: of its newest releases and jobs, or of verifications that are measured or may be measured again.
"""

from __future__ import annotations

from typing import Final

from contracts.facts.planner import VersionCreated, VersionUpdated
from services.verifier.state import KnownVersions, State

KEPT: Final = 500
"""The newest versions of a deployment are known, be they released or not."""
KEPT_OF_DELETED: Final = 10
"""Of a deployment that is gone: it may be created again under the same id, and its newest versions are released then."""
AT_ONCE: Final = 100
"""So many are let go of at once, since all targets are looked at to tell which are needed."""


def version_saved(state: State, fact: VersionCreated | VersionUpdated) -> State:
    """A version was posted or changed. One that was let go of and is changed counts as new."""
    # Both facts carry the whole document; kept as one type, so that a snapshot knows what to read back.
    document = fact if isinstance(fact, VersionCreated) else VersionCreated(**dict(fact))
    is_new = fact.version_id not in state.versions
    state = state._replace(versions=state.versions.set(fact.version_id, document))
    if not is_new:
        return state
    known = state.versions_of.get(fact.deployment_id, KnownVersions((), KEPT + AT_ONCE))
    known = known._replace(ids=(fact.version_id, *known.ids))
    state = state._replace(versions_of=state.versions_of.set(fact.deployment_id, known))
    return _let_go(state, fact.deployment_id, KEPT) if len(known.ids) > known.most else state


def deployment_gone(state: State, deployment_id: str) -> State:
    """A deployment was deleted."""
    return _let_go(state, deployment_id, KEPT_OF_DELETED)


def _let_go(state: State, deployment_id: str, kept: int) -> State:
    """Forget the versions of a deployment that are not among the newest ones and that nothing needs."""
    known = state.versions_of.get(deployment_id)
    if known is None or len(known.ids) <= kept:
        return state
    needed = _needed(state, deployment_id)
    left = (*known.ids[:kept], *(one for one in known.ids[kept:] if one in needed))
    versions = state.versions.mutate()
    for one in known.ids[kept:]:
        if one not in needed:
            del versions[one]
    now = KnownVersions(left, max(len(left), KEPT) + AT_ONCE)
    return state._replace(versions=versions.finish(), versions_of=state.versions_of.set(deployment_id, now))


def _needed(state: State, deployment_id: str) -> set[str]:
    suffix = f"-{deployment_id}"
    needed = {one.version_id for key, releases in state.releases.items() if key.endswith(suffix) for one in releases}
    needed.update(job.version_id for key, jobs in state.jobs.items() if key.endswith(suffix) for job in jobs)
    needed.update(one.version_id for one in state.known.values())
    needed.update(one.fact.version_id for one in state.running.values())
    return needed
