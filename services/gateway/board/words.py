"""Why a target or a cell stands as it does, in words: a phrase that fits into a cell, and a sentence. Names are those of now."""

from __future__ import annotations

from typing import Final, NamedTuple

from contracts.documents import stamp
from services.gateway.board.picking import names_of
from services.gateway.board.state import Asking, Board, Pair, Version, Vote, Why

WIDE: Final = 28
"""Characters that fit into a cell."""
MOST_NAMED: Final = 3


class Said(NamedTuple):
    """A phrase and a sentence. Where there is an `until` the phrase leads up to it: "soaks until", "next at"."""

    reason: str
    message: str


def told(board: Board, pair: Pair, why: Why, *, timed: bool, counted: bool = True) -> Said:
    """What to say of a standing.

    Args:
        timed: an instant is shown after the phrase.
        counted: say how many approvals are missing; of many targets this would be said again whenever one is given.
    """
    tag = board.tag(why.version_id) or "the version"
    match why.code:
        case "job failed":
            return Said("job failed", f"The job of {tag} ended as {why.other}, and nothing newer is under way.")
        case "no agent":
            return Said("no job agent", f"The job of {tag} found no agent that takes it ({why.other}).")
        case "job ended":
            return Said(f"job {why.other}", f"The job of {tag} was {why.other}; it is not made again by itself.")
        case "job waits":
            return Said("job needs a person", f"The job of {tag} waits for somebody to act at its agent.")
        case "job":
            return Said("deploying", f"A job deploys {tag}.")
        case "check failed":
            return Said(short(f"{why.other} failed"), f"The verification of {tag} failed: {why.other}.")
        case "check unclear":
            return Said("verification unclear", f"The verification of {tag} came to no verdict ({why.other}); a person decides.")
        case "checking":
            return Said("verifying", f"{tag} is deployed and measured.")
        case "going back":
            because = f": {why.message}" if why.message else "."
            return Said(short(f"back to {tag}"), f"Goes back to {tag}{because}")
        case "went back":
            return _went_back(board, why, tag)
        case "nothing to go back to":
            return Said(
                "nothing to go back to", f"{tag} was marked bad, and there is no earlier good release. {why.message}".strip()
            )
        case "place":
            where = f"at {why.other}" if why.other else "of the deployment"
            return Said("waits for a free place", f"{tag} may go, and waits for a free place {where}.")
        case "going":
            return Said("starting", f"{tag} is about to be dispatched.")
        case "no version":
            return Said("no version yet", "No version has come this far.")
        case "runs":
            return Said("", f"Runs {tag}.")
        case "hold":
            return Said(short(_held(board, pair, why, tag, timed, counted)), why.message)


def short(text: str) -> str:
    """A text that fits into a cell."""
    return text if len(text) <= WIDE else f"{text[: WIDE - 1].rstrip()}…"


def _went_back(board: Board, why: Why, tag: str) -> Said:
    to = board.tag(why.other) or "an earlier version"
    because = why.message.rstrip(".")
    cause = why.cause or because
    reason = f"rolled back to {to}{f': {cause}' if cause else ''}"
    return Said(short(reason), f"{tag} was rolled back to {to}{f': {because}' if because else ''}.")


def _held(board: Board, pair: Pair, why: Why, tag: str, timed: bool, counted: bool) -> str:
    """The phrase of a rule that holds."""
    blocked = why.status == "blocked"
    match why.other:
        case "anyApproval":
            return _approval(board, pair, why) if counted else "needs approval"
        case "environmentProgression":
            if timed:
                return "soaks until"
            names = _upstream(board, why)
            return f"{'held by' if blocked else 'after'} {', '.join(names)}" if names else "waits for upstream"
        case "gradualRollout":
            if blocked:
                return "rollout stopped"
            return "next at" if timed else "waits for its turn"
        case "deploymentWindow":
            return "window opens" if timed else "window closed"
        case "versionCooldown":
            return "cooldown until"
        case "deploymentDependency" | "versionDependency":
            return "waits for a dependency"
        case "versionSelector":
            return f"{tag} not selected"
        case "retry":
            return "retries at" if timed else "no retry left"
        case "versionOrder":
            return "after earlier versions"
        case "freeze":
            return f"frozen: {board.freezes[why.rule_id]}" if why.rule_id in board.freezes else "frozen"
        case "badMark":
            return f"{tag} is marked bad"
        case "deployableVersion":
            return f"{tag} is paused" if why.status == "paused" else f"{tag} is not ready"
        case _:
            return "held by a policy"


def _approval(board: Board, pair: Pair, why: Why) -> str:
    found = asking_of(board, why.policy_id, why.rule_id)
    votes = board.votes.get(f"{why.version_id}/{pair.environment_id}", ())
    if found is None:
        return "needs approval"
    against = [one for one in votes if one.status == "rejected"]
    if found.rejection_blocks and against:
        return f"rejected by {against[-1].name or 'a person'}"
    missing = found.needs - len(counting(board.versions.get(why.version_id), found, votes))
    if missing <= 0:
        return "needs other approvers"
    return "needs 1 approval" if missing == 1 else f"needs {missing} approvals"


def _upstream(board: Board, why: Why) -> list[str]:
    policy = board.policies.get(why.policy_id)
    picked = next((one for rule_id, one in policy.upstream if rule_id == why.rule_id), None) if policy is not None else None
    return names_of(picked, board.environments.items())[:MOST_NAMED] if picked is not None else []


# --- approvals ---------------------------------------------------------------------------------------------------------------------


def asking_of(board: Board, policy_id: str, rule_id: str) -> Asking | None:
    """An approval rule; None when it is gone."""
    policy = board.policies.get(policy_id)
    return next((one for one in policy.asks if one.rule_id == rule_id), None) if policy is not None else None


def counting(version: Version | None, rule: Asking, votes: tuple[Vote, ...]) -> list[Vote]:
    """Approvals that count as far as can be told here: of what the version holds now, and by somebody who may approve it.

    Who is among those that a selector picks, and whose approval has expired, policy knows.
    """
    return [
        one
        for one in votes
        if one.status == "approved"
        and (not one.version_at or version is None or one.version_at >= version.content_at)
        and (rule.author_may_approve or version is None or f"user:{one.user_id}" not in version.authors)
    ]


def vote_shown(vote: Vote) -> dict[str, str]:
    """A decision, as rows tell of it."""
    shown = {"userId": vote.user_id, "name": vote.name, "status": vote.status, "decidedAt": stamp(vote.decided_at)}
    if vote.reason:
        shown["reason"] = vote.reason
    return shown
