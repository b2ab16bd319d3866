"""Who can end what a rule holds: for programs that show a button, a name or a countdown, beside the same as a sentence.

Asked only for what is shown, so it looks things up again that the verdict was made from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contracts.commands.policy.reasons import Ender, MissingApprovals, WhoEnds
from contracts.shapes import EnvironmentProgression, Rule
from services.policy.approval import Unreadable, quotas_of
from services.policy.candidates import Step, can_verify_again, step_for
from services.policy.dependency import judge_dependencies
from services.policy.evaluation import Findings
from services.policy.finding import ROLLOUT, Finding, RuleKey
from services.policy.freezes import called
from services.policy.gate import Judge
from services.policy.instants import spoken
from services.policy.outcome import marked_at, outcome_of
from services.policy.progression import DEFAULT_STATUSES, is_undecided, look_upstream, picked_environments
from services.policy.rollout import start_of
from services.policy.route import Route
from services.policy.state import Job, Pair, Pin, State, Version, approval_key, pair_key

MOST_NAMED: Final = 20
"""Targets that are named at most."""


@dataclass(frozen=True, slots=True)
class Case:
    """A verdict that does not allow a version on a target, and what else was found about it there."""

    judge: Judge
    pair: Pair
    version: Version
    resource_id: str
    key: RuleKey
    finding: Finding
    findings: Findings

    @property
    def state(self) -> State:
        return self.judge.state

    @property
    def now(self) -> datetime:
        return self.judge.now

    @property
    def rule(self) -> Rule | None:
        """The rule of the policy; None for what no policy says."""
        policy = self.state.policies.get(self.key.policy_id)
        return next((one for one in policy.saved.rules if one.id == self.key.rule_id), None) if policy is not None else None


def who_ends(case: Case) -> tuple[WhoEnds, ...]:
    """Every way in which a verdict ends; none for one that allows."""
    if case.finding.allows:
        return ()
    return _BY_TYPE.get(case.key.rule_type, _only_mended)(case)


def whoever_pinned(pin: Pin) -> WhoEnds:
    """Who ends a pin."""
    return WhoEnds(kind="anyone", message="A person who releases the pin.", user_ids=_people((pin.by,)))


def whoever_moves(job: Job, ended_by: str) -> WhoEnds:
    """Who moves a job that has not ended; `ended_by` says it in words."""
    if job.status == "actionRequired":
        return WhoEnds(kind="anyone", message=sentence(ended_by))
    return WhoEnds(kind="agent", message=sentence(ended_by), agent_id=job.agent_id or None)


def whoever_mends(state: State, job: Job, version: Version, resource_id: str) -> tuple[WhoEnds, ...]:
    """Who goes on after a job that ended without success."""
    if job.found_no_agent:
        return (
            WhoEnds(kind="agent", message="A job agent that matches."),
            _newer_version(state, version),
        )
    again = f"A person who redeploys {version.tag}, or sets the job's status right."
    return WhoEnds(kind="anyone", message=again, resource_ids=(resource_id,)), _newer_version(state, version)


def sentence(words: str) -> str:
    """Words as a sentence: with a capital letter, unless they begin with a name, and a full stop."""
    return stopped(words[:1].upper() + words[1:] if words.startswith(_STARTS) else words)


def stopped(text: str) -> str:
    """A sentence that may end with what somebody else said, with a full stop."""
    text = text.rstrip()
    return text if text.endswith((".", "…", "!", "?")) else f"{text}."


_STARTS: Final = ("a ", "an ", "the ", "its ", "approval ", "retry ", "another ", "nobody ")


# --- each kind of rule ------------------------------------------------------------------------------------------------------------


def _approvers(case: Case) -> tuple[WhoEnds, ...]:
    rule = case.rule
    body = rule.any_approval if rule is not None else None
    if body is None:
        return _only_mended(case)
    approvals = case.state.approvals.get(approval_key(case.version.version_id, case.pair.environment_id), ())
    against = [one for one in approvals if not one.approved] if body.rejection_blocks else []
    if against:
        return (WhoEnds(kind="users", message=_said(case), user_ids=tuple(sorted(one.user_id for one in against))),)
    try:
        quotas = quotas_of(body, case.version, approvals, case.now)
    except Unreadable:
        return _only_mended(case)
    selectors = (None, *(one.selector for one in body.groups))
    missing = tuple(
        MissingApprovals(missing=quota.missing, selector=selector)
        for quota, selector in zip(quotas, selectors, strict=True)
        if quota.missing
    )
    authors = _people(case.version.authors) if body.author_may_approve is False else ()
    given = tuple(one.record.user_id for one in quotas[0].given)
    return (
        WhoEnds(
            kind="approvers",
            message=_said(case),
            approvals=missing,
            selector=body.approver_selector,
            not_user_ids=tuple(sorted({*authors, *given})),
        ),
    )


def _upstream_environments(case: Case) -> tuple[WhoEnds, ...]:
    rule = case.rule
    body = rule.environment_progression if rule is not None else None
    if body is None:
        return _only_mended(case)
    picked = picked_environments(body.depends_on_environment_selector, case.pair.environment_id, case.state)
    if isinstance(picked, str) or not picked:
        return _only_mended(case)
    ways: list[WhoEnds] = []
    upstream = look_upstream(body, case.version, picked, case.state, case.now, case.judge.tally)
    for environment_id, one in zip(picked, upstream, strict=True):
        if one.ready_at is not None:
            ways.append(_time(one.ready_at, f"Nobody: the soak time in {one.name} is over at {spoken(one.ready_at)}."))
        elif one.lost:
            lifts = f"A person who lifts the mark of {case.version.tag} in {one.name}."
            ways += [
                WhoEnds(kind="anyone", message=lifts, environment_ids=(environment_id,)),
                _newer_version(case.state, case.version),
            ]
        else:
            if one.undecided:
                ways += _deciders(case, f"in {one.name}", environment_id, _undecided(case, body, environment_id))
            ways.append(
                WhoEnds(
                    kind="upstream",
                    message=sentence(one.ended_by),
                    deployment_ids=(case.pair.deployment_id,),
                    environment_ids=(environment_id,),
                )
            )
    return tuple(ways)


def _undecided(case: Case, body: EnvironmentProgression, environment_id: str) -> tuple[str, ...]:
    """Targets in an environment on which the verification of a version did not pass, and a person decides."""
    pair = case.state.pairs.get(pair_key(case.pair.deployment_id, environment_id))
    statuses = DEFAULT_STATUSES if body.success_statuses is None else frozenset(body.success_statuses)
    if pair is None:
        return ()
    version_id = case.version.version_id
    tried = (one for one in pair.jobs.get(version_id, ()) if one in pair.targets)
    return tuple(sorted(one for one in tried if is_undecided(pair.jobs_of(one, version_id), statuses))[:MOST_NAMED])


def _deciders(case: Case, where: str, environment_id: str, resource_ids: tuple[str, ...]) -> tuple[WhoEnds, ...]:
    """Who goes on where a verification did not pass and nothing follows from that by itself."""
    tag = case.version.tag
    there = WhoEnds(kind="anyone", message="", environment_ids=(environment_id,), resource_ids=resource_ids)
    return (
        there.model_copy(update={"message": f"A person who verifies {tag} again {where}."}),
        there.model_copy(update={"message": f"A person who redeploys {tag} {where}."}),
        WhoEnds(kind="anyone", message="A person who skips this rule.", rule_ids=(case.key.rule_id,)),
    )


def _turn(case: Case) -> tuple[WhoEnds, ...]:
    """The place in a rollout: time, what the targets before come to, or what the rollout starts with."""
    finding, version = case.finding, case.version
    if finding.look_again_at is not None:
        return (_time(finding.look_again_at, f"Nobody: its turn comes at {spoken(finding.look_again_at)}."),)
    approvals, progressions = (_of_type(case.findings, kind) for kind in ("anyApproval", "environmentProgression"))
    if start_of(version, approvals, progressions) is None:
        first = tuple(
            key.rule_id
            for key, one in case.findings
            if key.rule_type in ("anyApproval", "environmentProgression") and not one.allows
        )
        return (WhoEnds(kind="rules", message="Whoever ends what the rollout starts with.", rule_ids=first),)
    came_to = {
        one: outcome
        for one in sorted(case.pair.jobs.get(version.version_id, {}))
        if one in case.pair.targets and (outcome := outcome_of(case.pair, one, version.version_id)) is not None
    }
    if finding.verdict == "blocked":
        newer = _newer_version(case.state, version)
        # A mark that stops it is by rank the first one, which the finding names by its job; or else there is no job to name.
        marked = marked_at(case.pair, version.version_id)
        if marked is not None and (marked.job is None or marked.job.position in finding.facts):
            lifts = f"A person who lifts the mark of {version.tag} on {case.state.resource_name(marked.resource_id)}."
            return WhoEnds(kind="anyone", message=lifts, resource_ids=(marked.resource_id,)), newer
        for one, (end, job) in came_to.items():
            if end not in ("failed", "held") or job.position not in finding.facts:
                continue
            if job.status == "successful":
                where = f"on {case.state.resource_name(one)}"
                return *_deciders(case, where, case.pair.environment_id, (one,)), newer
            return whoever_mends(case.state, job, version, one)
        if "can not be told" in finding.message:
            return _only_mended(case)
        return WhoEnds(kind="anyone", message="A person who mends that target."), newer
    under_way = [one for one, (end, _) in came_to.items() if end == "running"]
    return (
        WhoEnds(
            kind="upstream",
            message=_said(case),
            environment_ids=(case.pair.environment_id,),
            resource_ids=tuple(under_way[:MOST_NAMED]),
        ),
    )


def _window(case: Case) -> tuple[WhoEnds, ...]:
    at = case.finding.look_again_at
    changes = WhoEnds(kind="admin", message="A person who changes the window.", policy_id=case.key.policy_id)
    if case.finding.verdict == "blocked" or at is None:
        return (changes,)
    return _time(at, f"Nobody: the window lets versions go at {spoken(at)}."), changes


def _cooldown(case: Case) -> tuple[WhoEnds, ...]:
    at = case.finding.look_again_at
    return (_time(at, f"Nobody: the cooldown is over at {spoken(at)}."),) if at is not None else _only_mended(case)


def _selected(case: Case) -> tuple[WhoEnds, ...]:
    mends = WhoEnds(kind="admin", message="A person who changes the rule's selector.", policy_id=case.key.policy_id)
    if case.finding.ended_by.startswith("a version"):
        return WhoEnds(kind="publisher", message="Whoever posts a version that the selector picks."), mends
    return (mends,)


def _beside(case: Case) -> tuple[WhoEnds, ...]:
    if case.finding.verdict == "blocked":
        return _only_mended(case)
    return (WhoEnds(kind="upstream", message=_said(case), resource_ids=(case.resource_id,)),)


def _retried(case: Case) -> tuple[WhoEnds, ...]:
    at, version = case.finding.look_again_at, case.version
    if at is not None:
        return _time(at, f"Nobody: {version.tag} is tried again at {spoken(at)}."), _newer_version(case.state, version)
    redeploys = f"A person who redeploys {version.tag}."
    return WhoEnds(kind="anyone", message=redeploys, resource_ids=(case.resource_id,)), _newer_version(case.state, version)


def _depended_on(case: Case) -> tuple[WhoEnds, ...]:
    state, version = case.state, case.version
    missing: list[str] = []
    for edge in version.dependencies:
        alone = version._replace(dependencies=(edge,))
        finding = judge_dependencies(state, alone, case.resource_id, {}, wordy=False)
        if finding.verdict == "blocked":
            return (WhoEnds(kind="publisher", message=sentence(finding.ended_by)),)
        if not finding.allows:
            missing.append(edge[0])
    return (
        WhoEnds(kind="upstream", message=_said(case), deployment_ids=tuple(missing), resource_ids=(case.resource_id,)),
    )  # fmt: skip


def _frozen(case: Case) -> tuple[WhoEnds, ...]:
    freeze = case.state.freezes.get(case.key.rule_id)
    person = f"A person who thaws the freeze or lets {case.version.tag} pass it."
    by = _people((freeze.saved.created_by,)) if freeze is not None else ()
    thaws = WhoEnds(kind="anyone", message=person, user_ids=by)
    at = case.finding.look_again_at
    return (_time(at, f"Nobody: the freeze is over at {spoken(at)}."), thaws) if at is not None else (thaws,)


def _status(case: Case) -> tuple[WhoEnds, ...]:
    return (WhoEnds(kind="publisher", message=_said(case)),)


def _marked(case: Case) -> tuple[WhoEnds, ...]:
    pair, version, tag = case.pair, case.version, case.version.tag
    ways = [f"A person who lifts the mark of {tag}."]
    if step_for(pair, case.resource_id, version) is Step.STUCK:
        if can_verify_again(pair, case.resource_id, version):
            ways.append(f"A person who verifies {tag} again, and lifts its mark once that passed.")
        ways.append(f"A person who redeploys {tag}.")
    return (
        *(WhoEnds(kind="anyone", message=way, resource_ids=(case.resource_id,)) for way in ways),
        _newer_version(case.state, version),
    )


def _ordered(case: Case) -> tuple[WhoEnds, ...]:
    candidate = Route(case.state, case.pair).turn(case.resource_id).candidate
    came_to = outcome_of(case.pair, case.resource_id, candidate) if candidate is not None else None
    kind: Ender = "anyone" if came_to is not None and came_to[0] in ("failed", "held") else "upstream"
    return (WhoEnds(kind=kind, message=_said(case), resource_ids=(case.resource_id,)),)


def _only_mended(case: Case) -> tuple[WhoEnds, ...]:
    """What can not be judged: whoever keeps the rule."""
    return (WhoEnds(kind="admin", message=_said(case), policy_id=case.key.policy_id or None),)


_BY_TYPE: Final[dict[str, Callable[[Case], tuple[WhoEnds, ...]]]] = {
    "anyApproval": _approvers,
    "environmentProgression": _upstream_environments,
    ROLLOUT: _turn,
    "deploymentWindow": _window,
    "versionCooldown": _cooldown,
    "versionSelector": _selected,
    "deploymentDependency": _beside,
    "retry": _retried,
    "versionDependency": _depended_on,
    "freeze": _frozen,
    "deployableVersion": _status,
    "badMark": _marked,
    "versionOrder": _ordered,
}


# --- what they have in common -----------------------------------------------------------------------------------------------------


def _said(case: Case) -> str:
    return sentence(case.finding.ended_by)


def _time(at: datetime, message: str) -> WhoEnds:
    return WhoEnds(kind="time", message=message, at=at)


def _newer_version(state: State, version: Version) -> WhoEnds:
    """Who ends it by another version; where every version goes in order, a newer one is no help."""
    deployment = state.deployments.get(version.deployment_id)
    every = deployment is not None and deployment.supersession == "every"
    message = f"Whoever sets {version.tag} to rejected." if every else "Whoever posts a newer version."
    return WhoEnds(kind="publisher", message=message, deployment_ids=(version.deployment_id,))


def _people(names: Sequence[str]) -> tuple[str, ...]:
    """Ids of the users among those whom the log names."""
    return tuple(sorted({called(one) for one in names if one.startswith("user:")}))


def _of_type(findings: Findings, rule_type: str) -> list[Finding]:
    return [finding for key, finding in findings if key.rule_type == rule_type]
