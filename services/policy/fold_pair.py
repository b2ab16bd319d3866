"""How facts change what is recorded of a pair of deployment and environment: its targets, verdicts, clearances and desired releases.

Pure, total, and cheap: proportional to the targets that a fact names. Jobs are folded by `fold_jobs.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeVar

from immutables import Map

from contracts.facts.planner import RedeployRequested, ReleasesCreated, RollbackStarted
from contracts.facts.policy import RuleEvaluated, TargetsCleared
from services.policy.finding import DECISIVE, RuleKey
from services.policy.soonest import soonest
from services.policy.state import NOWHERE, Again, Clearance, Desired, Held, Mark, Pair, Standing, bounded

V = TypeVar("V")
Instants = Counter[datetime]


def appear(pair: Pair, resource_ids: Iterable[str], position: int) -> Pair:
    """Targets appeared."""
    return pair._replace(targets=pair.targets.update(dict.fromkeys(resource_ids, position)))


def vanish(pair: Pair, resource_ids: Iterable[str], exists: Callable[[str], bool]) -> Pair:
    """Targets vanished: nothing is wanted there any more. What runs there is remembered while the resource exists."""
    gone = [one for one in resource_ids if one in pair.targets]
    pair = _drop_held(pair, gone, lambda _version: True)
    pair = pair._replace(targets=without(pair.targets, gone))
    kept = {
        one: pair.standings[one]._replace(desired=None, cleared=None, again=None, queued=None)
        for one in gone
        if one in pair.standings
    }
    pair = _stand(pair, kept, closed=gone)
    return forget(pair, tuple(one for one in gone if not exists(one)))


def forget(pair: Pair, dead: tuple[str, ...]) -> Pair:
    """Resources are gone for good, and with them what vanished targets left."""
    if not dead:
        return pair
    jobs = pair.jobs
    for version_id, by_resource in tuple(jobs.items()):
        left = without(by_resource, dead)
        if left is not by_resource:
            jobs = jobs.set(version_id, left) if left else jobs.delete(version_id)
    marks = pair.marks
    for one in dead:
        marks = _count_marks(marks, pair.standings.get(one, NOWHERE).bad, ())
    return pair._replace(standings=without(pair.standings, dead), jobs=jobs, pins=without(pair.pins, dead), marks=marks)


def clear(pair: Pair, fact: TargetsCleared, superseded: Callable[[str], bool]) -> Pair:
    """Targets were cleared; verdicts on this version and on those it supersedes have served their purpose."""
    clearance = Clearance(fact.version_id, fact.at, fact.valid_until, fact.cleared_at)
    standings: dict[str, Standing] = {}
    first = False
    opened: list[str] = []
    closed: list[str] = []
    # A target may have vanished before its clearance was recorded: planner drops it then, and so must we, or it would never be issued again.
    there = [one for one in fact.resource_ids if one in pair.targets]
    for one in there:
        standing = pair.standings.get(one, NOWHERE)
        before = standing.cleared
        if (before is None or before.version_id != fact.version_id) and standing.job_version != fact.version_id:
            first = True
        standings[one] = standing._replace(cleared=clearance)
        wanted = standing.desired is not None and standing.desired.version_id == fact.version_id
        used = wanted and pair.is_used(one, standing) and not pair.is_retry(one, standing, fact.at)
        (closed if used else opened).append(one)
    pair = _stand(pair, standings, opened=opened, closed=closed)
    if first:
        pair = pair._replace(paced=pair.paced.set(fact.version_id, fact.cleared_at))
    return _drop_held(pair, there, lambda version: version == fact.version_id or superseded(version))


def withdraw(pair: Pair, version_id: str, resource_ids: Iterable[str] | None, position: int) -> Pair:
    """Clearances of a version ended; the others of the pair are to be issued again."""
    standings = {}
    for one in tuple(pair.open) if resource_ids is None else resource_ids:
        standing = pair.standings.get(one, NOWHERE)
        if standing.cleared is not None and standing.cleared.version_id == version_id:
            standings[one] = standing._replace(cleared=None)
    return _stand(pair, standings, closed=tuple(standings))._replace(withdrawn_at=position)


def evaluate(pair: Pair, fact: RuleEvaluated) -> Pair:
    """A rule's verdict changed. A decisive one that does not allow makes the other verdicts on the version pointless."""
    key = RuleKey(fact.policy_id, fact.rule_id, fact.rule_type)
    if key in DECISIVE:
        against = [one for group in fact.groups if group.verdict != "allowed" for one in group.resource_ids]
        pair = _drop_held(pair, against, lambda version: version == fact.version_id)
    added, removed = Instants(), Instants()
    by_rule: Map[RuleKey, Map[str, Held]] = pair.held.get(fact.version_id, Map())
    with by_rule.get(key, Map()).mutate() as verdicts:
        for group in fact.groups:
            held = Held(group.verdict, group.message, group.look_again_at, fact.evaluated_at)
            longer: dict[datetime | None, Held] = {}
            for one in group.resource_ids:
                if one not in pair.targets:
                    continue
                before = verdicts.get(one)
                if before is not None and before.look_again_at is not None:
                    removed[before.look_again_at] += 1
                if held.look_again_at is not None:
                    added[held.look_again_at] += 1
                if before is None or before.verdict != held.verdict:
                    verdicts[one] = held
                else:
                    verdicts[one] = longer.setdefault(before.since, held._replace(since=before.since))
        by_rule = by_rule.set(key, verdicts.finish())
    return _count(pair._replace(held=pair.held.set(fact.version_id, by_rule)), added, removed)


def want(pair: Pair, fact: ReleasesCreated) -> Pair:
    """A version became the desired one on targets."""
    standings: dict[str, Standing] = {}
    closed = []
    for item in fact.items:
        one = item.resource_id
        before = pair.standings.get(one, NOWHERE)
        same = before.desired is not None and before.desired.release_id == item.release_id
        desired = Desired(item.release_id, fact.version_id, False, item.omitted)
        standing = before._replace(desired=desired, again=before.again if same else None)
        standings[one] = standing
        if pair.open.get(one) == fact.version_id and pair.is_used(one, standing):
            closed.append(one)
    return _stand(pair, standings, closed=closed)


def go_back(pair: Pair, fact: RollbackStarted, position: int) -> Pair:
    """Versions were marked bad on a target, and the target returns to its last good release, if it has one.

    One that returns to an earlier release of the same version keeps the version: other variables were to blame. With yet others it may
    fail, and return, again.
    """
    one = fact.resource_id
    standing = pair.standings.get(one, NOWHERE)
    same = fact.version_id == fact.to_version_id
    if same:
        standing = standing._replace(asked=_other(standing.asked, fact.version_id))
    left = (*(() if same else (fact.version_id,)), *fact.also_marked)
    marks = tuple(dict.fromkeys(version for version in left if version not in standing.bad))
    desired = standing.desired
    if fact.release_id is not None and fact.to_version_id is not None:
        desired = Desired(fact.release_id, fact.to_version_id, True)
    bad, reason = (*standing.bad, *marks), bounded(fact.reason)
    void = standing.cleared is not None and standing.cleared.version_id in (*bad, fact.version_id)
    standing = standing._replace(
        bad=bad,
        lifted=tuple(version for version in standing.lifted if version not in bad),
        marks=(*standing.marks, *(Mark(version, fact.job_id, reason, fact.started_at, position) for version in marks)),
        desired=desired,
        cleared=None if void else standing.cleared,
        again=None,
    )
    return _stand(pair, {one: standing}, closed=(one,) if void else ())


def deploy_again(pair: Pair, fact: RedeployRequested, position: int) -> Pair:
    """A person wants releases dispatched once more, which lifts the marks of their versions: should they fail, it counts anew."""
    again = Again(fact.reason, fact.requested_at, position)
    standings: dict[str, Standing] = {}
    for item in fact.items:
        standing = pair.standings.get(item.resource_id, NOWHERE)
        standings[item.resource_id] = _lifted(standing, item.version_id)._replace(again=again)
    return _stand(pair, standings)


def lift(pair: Pair, resource_ids: Iterable[str], version_id: str) -> Pair:
    """A person lets a version go to targets although it was marked bad there."""
    standings: dict[str, Standing] = {}
    for one in resource_ids:
        standing = pair.standings.get(one, NOWHERE)
        lifted = _lifted(standing, version_id)
        if lifted is not standing:
            standings[one] = lifted
    return _stand(pair, standings) if standings else pair


def _lifted(standing: Standing, version_id: str) -> Standing:
    if version_id not in standing.bad and version_id not in standing.asked:
        return standing
    return standing._replace(
        bad=_other(standing.bad, version_id),
        marks=tuple(one for one in standing.marks if one.version_id != version_id),
        asked=_other(standing.asked, version_id),
        lifted=(*_other(standing.lifted, version_id), version_id),
    )


def ask_rollback(pair: Pair, resource_id: str, version_id: str) -> Pair:
    """A rollback was required: once for a version on a target."""
    standing = pair.standings.get(resource_id, NOWHERE)
    return _stand(pair, {resource_id: standing._replace(asked=(*standing.asked, version_id))})


def use(pair: Pair, resource_id: str, standing: Standing) -> Pair:
    """A job was made on a target; it uses the clearance if it is of the version that was cleared."""
    if pair.open.get(resource_id) != standing.job_version or not pair.is_used(resource_id, standing):
        return pair.moved(pair.standings.set(resource_id, standing), pair.jobs, pair.open)
    if standing.cleared is not None and standing.cleared.valid_until is not None:
        return _stand(pair, {resource_id: standing}, closed=(resource_id,))
    return pair.moved(pair.standings.set(resource_id, standing), pair.jobs, pair.open.delete(resource_id))


def stop_retry(pair: Pair, resource_id: str) -> Pair:
    """A job moved on that had been made: a clearance to try its release once more did not know that, and is issued again if it holds."""
    standing = pair.standings.get(resource_id, NOWHERE)
    if pair.open.get(resource_id) != standing.job_version or not pair.is_used(resource_id, standing):
        return pair
    return _stand(pair, {resource_id: standing}, closed=(resource_id,))


def forget_versions(pair: Pair, version_ids: Iterable[str]) -> Pair:
    """Drop the jobs of versions that no rule can ask about any more. Verdicts on them went when newer versions were cleared."""
    dropped = tuple(version_ids)
    return pair._replace(
        jobs=without(pair.jobs, dropped), successes=without(pair.successes, dropped), paced=without(pair.paced, dropped)
    )


def without(items: Map[str, V], keys: Iterable[str]) -> Map[str, V]:
    """The map without some keys; the very same map when it had none of them."""
    present = [key for key in keys if key in items] if items else []
    if not present:
        return items
    left = items.mutate()
    for key in present:
        del left[key]
    return left.finish()


def _stand(pair: Pair, standings: dict[str, Standing], *, opened: Iterable[str] = (), closed: Iterable[str] = ()) -> Pair:
    """Put standings in place, open and close clearances, and count when the open ones end by time."""
    added, removed = Instants(), Instants()
    with pair.open.mutate() as open_:
        for one in closed:
            if one in open_:
                _expiry(pair.standings.get(one), removed)
                del open_[one]
        for one in opened:
            if one in open_:
                _expiry(pair.standings.get(one), removed)
            _expiry(standings[one], added)
            cleared = standings[one].cleared
            assert cleared is not None
            open_[one] = cleared.version_id
        open_now = open_.finish()
    marks = pair.marks
    for one, standing in standings.items():
        marks = _count_marks(marks, pair.standings.get(one, NOWHERE).bad, standing.bad)
    pair = pair._replace(standings=pair.standings.update(standings), open=open_now, marks=marks)
    return _count(pair, added, removed)


def _count_marks(marks: Map[str, int], before: tuple[str, ...], after: tuple[str, ...]) -> Map[str, int]:
    """The count of bad marks after those of one target changed."""
    if before == after:
        return marks
    for version_id in before:
        if version_id not in after:
            left = marks[version_id] - 1
            marks = marks.set(version_id, left) if left else marks.delete(version_id)
    for version_id in after:
        if version_id not in before:
            marks = marks.set(version_id, marks.get(version_id, 0) + 1)
    return marks


def _other(versions: tuple[str, ...], version_id: str) -> tuple[str, ...]:
    return tuple(one for one in versions if one != version_id)


def _expiry(standing: Standing | None, instants: Instants) -> None:
    if standing is not None and standing.cleared is not None and standing.cleared.valid_until is not None:
        instants[standing.cleared.valid_until] += 1


def _drop_held(pair: Pair, resource_ids: Iterable[str], which: Callable[[str], bool]) -> Pair:
    ids = tuple(resource_ids)
    held, removed = pair.held, Instants()
    for version_id, by_rule in tuple(held.items()):
        if not which(version_id):
            continue
        left = by_rule
        for key, verdicts in tuple(by_rule.items()):
            for one in ids:
                before = verdicts.get(one)
                if before is not None and before.look_again_at is not None:
                    removed[before.look_again_at] += 1
            fewer = without(verdicts, ids)
            if fewer is not verdicts:
                left = left.set(key, fewer) if fewer else left.delete(key)
        if left is not by_rule:
            held = held.set(version_id, left) if left else held.delete(version_id)
    return pair if held is pair.held else _count(pair._replace(held=held), Instants(), removed)


def _count(pair: Pair, added: Instants, removed: Instants) -> Pair:
    """Keep count of the instants, and find the earliest."""
    if not added and not removed:
        return pair
    with pair.instants.mutate() as instants:
        for instant, number in added.items():
            instants[instant] = instants.get(instant, 0) + number
        for instant, number in removed.items():
            left = instants[instant] - number
            if left:
                instants[instant] = left
            else:
                del instants[instant]
        now = instants.finish()
    wake = pair.wake
    if wake is not None:
        wake = soonest(pair.key, pair.instants, now, added)
    elif added:
        wake = min(added)
    return pair._replace(instants=now, wake=wake)
