"""Why is this target where it is? Every version newer than the one that runs, and what each rule says about it at this moment."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from immutables import Map

from contracts.command import Asked, Refused
from contracts.commands.policy import ExplainTarget, Explanation, Reason, ReleaseRef, VersionStanding
from contracts.shapes import ACTIVE
from services.policy.candidates import Step, marked, step_for, unfit
from services.policy.evaluation import Findings, walk
from services.policy.finding import Finding, RuleKey
from services.policy.gate import Judge
from services.policy.route import Route, Turn, pinned_to
from services.policy.skips import skips_of
from services.policy.state import NOWHERE, Held, Pair, Pin, Standing, State, Success, Version, pair_key

WAITED_FOR: Final = {
    "pending": "the job agent, which has not taken it over",
    "queued": "the job agent, which has not claimed it",
    "actionRequired": "a person who takes the action that the job waits for",
}
"""Who is to move a job that does not run."""

NOTHING_HELD: Final[Map[RuleKey, Map[str, Held]]] = Map()
NO_VERDICTS: Final[Map[str, Held]] = Map()


def explain_target(wish: ExplainTarget, state: State, asked: Asked, position: int) -> Explanation:
    """Explain a target, judged live.

    Raises:
        Refused: `not_found`, for what is no release target.
    """
    one = wish.resource_id
    pair = pair_with(state, wish.deployment_id, wish.environment_id, one)
    standing = pair.standings.get(one, NOWHERE)
    found = walk(Judge(state, asked.now, wordy=True), pair, (one,))
    ended = found.ended.get(one)
    pin = pair.pin_of(one)
    route = Route(state, pair)
    versions: list[VersionStanding] = []
    for version_id in state.newest.get(wish.deployment_id, ()):
        runs = standing.current is not None and standing.current.version_id == version_id
        pinned = pin is not None and pin.version_id == version_id and not runs
        version = state.versions[version_id]
        findings = found.findings.get(version_id, {}).get(one)
        reasons = tuple(reason_of(state, pair, version_id, one, key, finding, asked.now) for key, finding in findings or ())
        if runs and findings and step_for(pair, one, version) is Step.CHANGED and not _allows(findings):
            versions.append(held(state, version, findings, reasons, changed=True))
        if not pinned and standing.current is not None and _reaches(state, standing.current.version_id, version_id):
            if pin is None:
                break
            continue
        if pin is not None and not pinned:
            versions.append(passed_over(version, pinned_to(state, pair, one, pin)))
        elif findings is None and route.every:
            versions.append(out_of_order(state, pair, one, version, route.turn(one)))
        elif findings is None:
            versions.append(superseded(state, version, ended))
        elif version_id == ended and _allows(findings) and step_for(pair, one, version) is not Step.STUCK:
            otherwise = f"redeploys or rejects {version.tag}" if pin is not None or route.every else ""
            versions.append(on_its_way(state, pair, one, version, reasons, otherwise))
        else:
            versions.append(held(state, version, findings, reasons))
    desired, current = standing.desired, standing.current
    return Explanation(
        resource_id=one,
        environment_id=wish.environment_id,
        deployment_id=wish.deployment_id,
        position=position,
        desired=_ref(state, desired.release_id, desired.version_id) if desired is not None else None,
        current=_ref(state, current.release_id, current.version_id) if current is not None else None,
        message=_summary(state, pair, one, _first_told(versions, pin, route.turn(one) if route.every else None)),
        versions=tuple(versions),
    )


def pair_with(state: State, deployment_id: str, environment_id: str, resource_id: str) -> Pair:
    """The pair that a target belongs to. Raises: Refused: `not_found`, for what is no release target."""
    pair = state.pairs.get(pair_key(deployment_id, environment_id))
    if pair is None or resource_id not in pair.targets:
        key = f"{resource_id}-{environment_id}-{deployment_id}"
        raise Refused(
            "not_found", f"{key} is no release target: the selectors of deployment and environment do not both match it."
        )
    return pair


def worded(status: str) -> str:
    """A job's status as a person says it."""
    return {"inProgress": "in progress", "actionRequired": "waiting for somebody to act"}.get(status, status)


def _reaches(state: State, current_id: str, version_id: str) -> bool:
    """Whether a version is the current one or older."""
    current = state.versions.get(current_id)
    return current is not None and state.versions[version_id].rank <= current.rank


def _ref(state: State, release_id: str, version_id: str) -> ReleaseRef:
    return ReleaseRef(release_id=release_id, version_id=version_id, tag=state.tag(version_id))


def reason_of(
    state: State, pair: Pair, version_id: str, resource_id: str, key: RuleKey, finding: Finding, now: datetime
) -> Reason:
    """A rule's verdict on a version for a target, with who made the rule and since when it says so."""
    policy = state.policies.get(key.policy_id)
    recorded = pair.held.get(version_id, NOTHING_HELD).get(key, NO_VERDICTS).get(resource_id)
    skips = skips_of(state, version_id, pair.environment_id, resource_id, now) if key.rule_id and finding.allows else ()
    return Reason(
        rule_type=key.rule_type,
        rule_id=key.rule_id,
        policy_id=key.policy_id,
        policy_name=policy.saved.name if policy is not None else "",
        verdict=finding.verdict,
        message=finding.sentence,
        ended_by=finding.ended_by,
        since=recorded.since if recorded is not None and recorded.verdict == finding.verdict else finding.satisfied_at,
        skip_id=next((one.saved.skip_id for one in reversed(skips) if one.saved.rule_id == key.rule_id), None),
        satisfied_at=finding.satisfied_at,
        look_again_at=finding.look_again_at,
        facts=finding.facts,
    )


def _allows(findings: Findings) -> bool:
    return all(finding.allows for _, finding in findings)


def telling(findings: Findings) -> list[Finding]:
    """What is to be said of the rules that hold a version.

    A rollout that has not started waits for the other rules alone: beside them it would only repeat what they say.
    """
    holding = [(key, finding) for key, finding in findings if not finding.allows]
    first = [finding for key, finding in holding if key.rule_type != "gradualRollout" or finding.verdict == "blocked"]
    return first or [finding for _, finding in holding]


def held(
    state: State, version: Version, findings: Findings, reasons: tuple[Reason, ...] = (), *, changed: bool = False
) -> VersionStanding:
    """A version that rules hold. `changed`: it runs with other variables."""
    against = telling(findings)
    blocked = any(finding.verdict == "blocked" for finding in against)
    what = f"{version.tag} with its new variables" if changed else version.tag
    said = " ".join(finding.sentence for finding in against)
    ends = "; ".join(dict.fromkeys(finding.ended_by for finding in against if finding.ended_by))
    return VersionStanding(
        version_id=version.version_id,
        tag=version.tag,
        cleared=False,
        message=f"{what} {'is blocked' if blocked else 'waits'}. {said} What ends it: {ends}.",
        reasons=reasons,
    )


def superseded(state: State, version: Version, ended: str | None) -> VersionStanding:
    """A version that a newer one went before."""
    assert ended is not None, "a walk that came to no end has looked at every version"
    message = f"{version.tag} is superseded by {state.tag(ended)}."
    return VersionStanding(version_id=version.version_id, tag=version.tag, cleared=False, message=message, reasons=())


def passed_over(version: Version, pinned: str) -> VersionStanding:
    """A version that a pin rules out."""
    message = f"{version.tag} is passed over: {pinned} What ends it: a person who releases the pin."
    reason = Reason(rule_type="versionPin", verdict="blocked", message=pinned, ended_by="a person who releases the pin")
    return VersionStanding(version_id=version.version_id, tag=version.tag, cleared=False, message=message, reasons=(reason,))


def out_of_order(state: State, pair: Pair, resource_id: str, version: Version, turn: Turn) -> VersionStanding:
    """A version that the order has left behind, or never came by."""
    after = turn.taken.tag if turn.taken is not None else state.tag(turn.candidate or "")
    match step_for(pair, resource_id, version):
        case Step.UNFIT:
            message = unfit(version).message
        case Step.MARKED | Step.STUCK:
            message = marked(pair, resource_id, version).message
        case _ if turn.taken is not None:
            message = f"this target has already taken {after}, which is newer."
        case _:
            message = f"this target starts with {after}, which is newer."
    said = f"{version.tag} is passed over: {message}"
    return VersionStanding(version_id=version.version_id, tag=version.tag, cleared=False, message=said, reasons=())


def _first_told(versions: list[VersionStanding], pin: Pin | None, turn: Turn | None) -> VersionStanding | None:
    """The standing that says the most: of the one version that may go where only one may, else of the newest."""
    only = pin.version_id if pin is not None else turn.candidate if turn is not None else None
    return next((one for one in versions if one.version_id == only), versions[0] if versions else None)


def on_its_way(
    state: State, pair: Pair, resource_id: str, version: Version, reasons: tuple[Reason, ...], otherwise: str
) -> VersionStanding:
    """A version that was cleared. `otherwise`: what a person does where no newer version comes to help."""
    job = pair.newest_job(resource_id)
    if job is None or job.version_id != version.version_id:
        said = f"Every rule allows {version.tag}; its job is not made yet"
        waits = job is not None and job.status in ACTIVE
        said += f": the one of {state.tag(job.version_id)} is still {worded(job.status)}." if job is not None and waits else "."
    elif job.status in ACTIVE:
        said = f"{version.tag} is on its way: its job is {worded(job.status)}."
        if job.status in WAITED_FOR:
            said += f" What ends it: {WAITED_FOR[job.status]}, or its deadline."
    else:
        ends = "a job agent that matches" if job.found_no_agent else "a person who sets the job right"
        told = f": {job.told.rstrip('.')}." if job.message else "."
        helps = f"one who {otherwise}" if otherwise else "a newer version"
        said = f"{version.tag} was cleared, but its job ended as {job.status}{told} What ends it: {ends}, or {helps}."
    return VersionStanding(
        version_id=version.version_id,
        tag=version.tag,
        cleared=True,
        message=said,
        reasons=reasons,
    )


def _summary(state: State, pair: Pair, resource_id: str, first: VersionStanding | None) -> str:
    standing = pair.standings.get(resource_id, NOWHERE)
    runs = _runs(state, standing.current)
    if standing.desired is not None and _goes_back(state, standing):
        job = pair.newest_job(resource_id)
        to = state.tag(standing.desired.version_id)
        if job is None or job.release_id != standing.desired.release_id or job.status in ACTIVE:
            return f"{runs}; it is going back to {to}."
        told = f": {job.told.rstrip('.')}." if job.message else "."
        return f"{runs}; going back to {to} ended as {job.status}{told} What ends it: a person who sets the job right, or a newer version."
    if first is not None:
        return f"{runs}. {first.message}"
    if standing.current is None:
        return f"{runs}: there is no version to deploy."
    which = ", the newest version" if _is_fit(state, standing.current) else "; there is no other to deploy"
    return f"{runs}{which}{health(pair, resource_id)}."


def health(pair: Pair, resource_id: str) -> str:
    """What is still to be said of a version that runs: what its new variables come to, or that its verification is not over, or failed."""
    job = pair.newest_job(resource_id)
    standing = pair.standings.get(resource_id, NOWHERE)
    desired, current = standing.desired, standing.current
    if desired is not None and current is not None and current.version_id == desired.version_id:
        if desired.release_id != current.release_id and (job is None or job.release_id != desired.release_id):
            return "; it is cleared with its new variables, and the job is not made yet"
        if desired.release_id != current.release_id and job is not None:
            return f"; its job with the new variables {'is' if job.status in ACTIVE else 'ended as'} {worded(job.status)}"
    if job is None or job.status != "successful" or job.verified:
        return ""
    failed = any(check.state == "failed" for check in job.checks)
    return "; its verification failed" if failed else "; its verification is running"


def _runs(state: State, current: Success | None) -> str:
    if current is None:
        return "Nothing runs here yet"
    unfit = "" if _is_fit(state, current) else f", although it is {state.versions[current.version_id].status}"
    return f"{state.tag(current.version_id)} runs here{unfit}"


def _is_fit(state: State, current: Success) -> bool:
    version = state.versions.get(current.version_id)
    return version is None or version.status == "ready"


def _goes_back(state: State, standing: Standing) -> bool:
    """Whether a target is to return to an older release and does not run it yet."""
    desired, current = standing.desired, standing.current
    if desired is None or (current is not None and desired.release_id == current.release_id):
        return False
    if desired.rollback or current is None:
        return desired.rollback
    return desired.version_id != current.version_id and _reaches(state, current.version_id, desired.version_id)
