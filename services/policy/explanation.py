"""Why is this target where it is? Every version newer than the one that runs, and what each rule says about it at this moment."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from immutables import Map

from contracts.command import Asked, Refused
from contracts.commands.policy.explanations import ExplainTarget, Explanation, ReleaseRef, VersionStanding
from contracts.commands.policy.reasons import Reason
from contracts.shapes import ACTIVE
from services.policy.candidates import Step, marked, step_for, unfit
from services.policy.evaluation import Findings, walk
from services.policy.finding import BAD_MARK, ROLLOUT, Finding, RuleKey, blocks, positions
from services.policy.gate import Judge
from services.policy.not_a_target import why_no_target
from services.policy.on_the_way import ends_of, failed_as, health, held_return, on_its_way, worded
from services.policy.route import Route, Turn, pinned_to
from services.policy.skips import skips_of
from services.policy.state import NOWHERE, Held, Pair, Pin, Skip, Standing, State, Success, Version, pair_key
from services.policy.tried_again import with_retries
from services.policy.unknown_fields import unknown_fields
from services.policy.who_ends import Case, stopped, who_ends, whoever_pinned

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
    judge = Judge(state, asked.now, wordy=True)
    found = walk(judge, pair, (one,))
    ended = found.ended.get(one)
    pin = pair.pin_of(one)
    route = Route(state, pair)
    versions: list[VersionStanding] = []
    for version_id in state.newest.get(wish.deployment_id, ()):
        runs = standing.current is not None and standing.current.version_id == version_id
        pinned = pin is not None and pin.version_id == version_id and not runs
        version = state.versions[version_id]
        findings = found.findings.get(version_id, {}).get(one)
        if findings is not None:
            findings = with_retries(judge, pair, version, {one: findings})[one]
        reasons = reasons_of(judge, pair, version, one, findings or ())
        step = step_for(pair, one, version)
        if runs and findings and step is Step.CHANGED and not _allows(findings):
            versions.append(held(state, version, findings, reasons, changed=True))
        if runs and findings and step is Step.STUCK:
            versions.append(stuck(version, findings, reasons))
        if not pinned and standing.current is not None and _reaches(state, standing.current.version_id, version_id):
            if pin is None:
                break
            continue
        if pin is not None and not pinned:
            versions.append(passed_over(state, pair, one, version, pin))
        elif findings is None and route.every:
            versions.append(out_of_order(state, pair, one, version, route.turn(one)))
        elif findings is None:
            versions.append(superseded(state, version, ended))
        elif step is Step.STUCK:
            versions.append(stuck(version, findings, reasons))
        elif version_id == ended and _allows(findings):
            versions.append(on_its_way(judge, pair, one, version, reasons, alone=pin is not None or route.every))
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
        message=_summary(judge, pair, one, _first_told(versions, pin, route.turn(one) if route.every else None)),
        versions=tuple(versions),
        warnings=(*_omitted(state, standing), *unknown_fields(state)),
    )


def pair_with(state: State, deployment_id: str, environment_id: str, resource_id: str) -> Pair:
    """The pair that a target belongs to. Raises: Refused: `not_found`, for what is no release target."""
    pair = state.pairs.get(pair_key(deployment_id, environment_id))
    if pair is None or resource_id not in pair.targets:
        raise Refused("not_found", why_no_target(state, deployment_id, environment_id, resource_id))
    return pair


def _reaches(state: State, current_id: str, version_id: str) -> bool:
    """Whether a version is the current one or older."""
    current = state.versions.get(current_id)
    return current is not None and state.versions[version_id].rank <= current.rank


def _ref(state: State, release_id: str, version_id: str) -> ReleaseRef:
    return ReleaseRef(release_id=release_id, version_id=version_id, tag=state.tag(version_id))


def reasons_of(judge: Judge, pair: Pair, version: Version, resource_id: str, findings: Findings) -> tuple[Reason, ...]:
    """The verdicts on a version for a target, each with who made the rule, since when it says so, and who can end it."""
    return tuple(
        reason_of(Case(judge, pair, version, resource_id, key, finding, findings)) for key, finding in findings
    )  # fmt: skip


def reason_of(case: Case) -> Reason:
    """One verdict. It rests on the policy, or the version, at least."""
    state, version, key, finding = case.state, case.version, case.key, case.finding
    policy = state.policies.get(key.policy_id)
    skips: tuple[Skip, ...] = ()
    if key.rule_id and finding.allows:
        skips = skips_of(state, version.version_id, case.pair.environment_id, case.resource_id, case.now)
    return Reason(
        rule_type=key.rule_type,
        rule_id=key.rule_id,
        policy_id=key.policy_id,
        policy_name=policy.saved.name if policy is not None else "",
        verdict=finding.verdict,
        message=stopped(finding.sentence),
        ended_by=finding.ended_by,
        who_ends=who_ends(case),
        since=_since(case),
        skip_id=next((one.saved.skip_id for one in reversed(skips) if one.saved.rule_id == key.rule_id), None),
        satisfied_at=finding.satisfied_at,
        look_again_at=finding.look_again_at,
        facts=positions(finding.facts, (policy.position if policy is not None else version.position,)),
    )


def _since(case: Case) -> datetime | None:
    """Since when a verdict is what it is: as it was recorded. What is not recorded yet was found just now, unless it allows."""
    if case.key == BAD_MARK:
        mark = case.pair.standings.get(case.resource_id, NOWHERE).mark_of(case.version.version_id)
        return mark.marked_at if mark is not None else case.now
    held = case.pair.held.get(case.version.version_id, NOTHING_HELD).get(case.key, NO_VERDICTS).get(case.resource_id)
    if case.finding.allows:
        return held.since if held is not None and held.verdict == "allowed" else case.finding.satisfied_at
    return held.since if held is not None and held.verdict != "allowed" else case.now


def _allows(findings: Findings) -> bool:
    return all(finding.allows for _, finding in findings)


def telling(findings: Findings) -> list[Finding]:
    """What is to be said of the rules that hold a version.

    A rollout that has not started waits for the other rules alone: beside them it would only repeat what they say.
    """
    holding = [(key, finding) for key, finding in findings if not finding.allows]
    first = [finding for key, finding in holding if key.rule_type != ROLLOUT or finding.verdict == "blocked"]
    return first or [finding for _, finding in holding]


def held(
    state: State, version: Version, findings: Findings, reasons: tuple[Reason, ...] = (), *, changed: bool = False
) -> VersionStanding:
    """A version that rules hold. `changed`: it runs with other variables."""
    against = telling(findings)
    blocked = any(blocks(key.rule_type, finding.verdict) for key, finding in findings)
    what = f"{version.tag} with its new variables" if changed else version.tag
    said = " ".join(stopped(finding.sentence) for finding in against)
    ends = "; ".join(dict.fromkeys(finding.ended_by for finding in against if finding.ended_by))
    return VersionStanding(
        version_id=version.version_id,
        tag=version.tag,
        cleared=False,
        message=f"{what} {'is blocked' if blocked else 'waits'}. {said} What ends it: {ends}.",
        reasons=reasons,
    )


def stuck(version: Version, findings: Findings, reasons: tuple[Reason, ...] = ()) -> VersionStanding:
    """A version that was marked bad where there is nothing to go back to."""
    ((_, finding),) = findings
    message = f"{stopped(finding.sentence)} What ends it: {finding.ended_by}."
    return VersionStanding(version_id=version.version_id, tag=version.tag, cleared=False, message=message, reasons=reasons)


def superseded(state: State, version: Version, ended: str | None) -> VersionStanding:
    """A version that a newer one went before."""
    assert ended is not None, "a walk that came to no end has looked at every version"
    message = f"{version.tag} is superseded by {state.tag(ended)}."
    return VersionStanding(version_id=version.version_id, tag=version.tag, cleared=False, message=message, reasons=())


def passed_over(state: State, pair: Pair, resource_id: str, version: Version, pin: Pin) -> VersionStanding:
    """A version that a pin rules out."""
    pinned = pinned_to(state, pair, resource_id, pin)
    ends = "a person who releases the pin"
    message = f"{version.tag} is passed over: {pinned} What ends it: {ends}."
    reason = Reason(
        rule_type="versionPin",
        verdict="blocked",
        message=pinned,
        ended_by=ends,
        who_ends=(whoever_pinned(pin),),
        since=pin.pinned_at,
        facts=positions((pin.position,)),
    )
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


def _summary(judge: Judge, pair: Pair, resource_id: str, first: VersionStanding | None) -> str:
    state = judge.state
    standing = pair.standings.get(resource_id, NOWHERE)
    runs = _runs(state, standing.current)
    if standing.desired is not None and _goes_back(state, standing):
        job = pair.newest_job(resource_id)
        to = state.tag(standing.desired.version_id)
        if job is None or job.release_id != standing.desired.release_id:
            return f"{runs}; it is going back to {to}.{held_return(judge, pair, resource_id, standing.desired.version_id)}"
        if job.status in ACTIVE:
            return f"{runs}; it is going back to {to}: the job is {worded(job.status)}. What ends it: {ends_of(job)}."
        ends = f"a person who redeploys {to}, or a newer version"
        return f"{runs}; it was going back to {to}, but {failed_as(job)}. What ends it: {ends}."
    if first is not None:
        # Beside a newer version, how the one that runs is and what a person wants of it is not to be forgotten.
        wanted = standing.desired is not None and standing.desired.version_id != first.version_id
        anew = health(judge, pair, resource_id) if wanted else ""
        return f"{stopped(f'{runs}{anew}')} {first.message}"
    if standing.current is None:
        return f"{runs}: there is no version to deploy."
    which = ", the newest version" if _is_fit(state, standing.current) else "; there is no other to deploy"
    return stopped(f"{runs}{which}{health(judge, pair, resource_id)}")


def _omitted(state: State, standing: Standing) -> tuple[str, ...]:
    """What did not fit into the desired release."""
    desired = standing.desired
    if desired is None or not desired.omitted:
        return ()
    keys = ", ".join(desired.omitted)
    return (
        f"The release of {state.tag(desired.version_id)} goes without the variables {keys}: with them it would have more than 128 KB. "
        "What ends it: a person who shortens values.",
    )


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
