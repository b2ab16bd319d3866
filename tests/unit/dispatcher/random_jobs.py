"""Random histories of jobs: what happens, an outside that crashes with us, and what must be true after each step."""

from __future__ import annotations

import contextlib
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from contracts.command import Refused
from contracts.commands.dispatcher import (
    CancelJob,
    ClaimJob,
    CompleteJob,
    DeleteJobAgent,
    ExtendLease,
    SetJobStatus,
    TellRun,
)
from contracts.facts.dispatcher import JobAgentDeleted, JobAgentSaved, JobCreated, JobStatusChanged
from contracts.facts.planner import DeploymentSaved, RedeployItem, RedeployRequested, RollbackStarted, TargetsChanged
from contracts.facts.policy import FreezeSaved, FreezeThawed, PolicySaved, TargetsCleared
from contracts.shapes import ACTIVE, Json
from libs.runtime.codec import decode, encode
from libs.runtime.room import Room
from libs.runtime.service import Intent
from libs.simulation.world import START, refold
from services.dispatcher.app import service
from services.dispatcher.job import JobMaker
from services.dispatcher.line import everybody
from services.dispatcher.pairs import targets_with
from services.dispatcher.places import LIMIT, agent_key, deployment_key, keys_of
from services.dispatcher.state import State
from tests.unit.dispatcher.dispatcher_scene import DEPLOYMENT, ENVIRONMENT, Scene, id_of, release_of

TAGS = ("v1", "v2", "v3")
NAMES = ("eu-1", "eu-2", "eu-3", "us-1")
PULLER, CALLED = "puller", "called"
TYPES = {PULLER: "http-pull", CALLED: "webhook"}
ANSWERS = ("queued", "inProgress", "actionRequired", "poll", "delayed", "successful", "dies")

tags, names = st.sampled_from(TAGS), st.sampled_from(NAMES)
numbers = st.integers(0, 20)
limits = st.sampled_from((None, 1, 2))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("release"), tags, st.lists(names, min_size=1, unique=True)),
        st.tuples(st.just("clear"), tags, st.lists(names, min_size=1, unique=True)),
        st.tuples(st.just("clear for a while"), tags, st.lists(names, min_size=1, unique=True)),
        st.tuples(st.just("roll back"), tags, names),
        st.tuples(st.just("redeploy"), tags, names),
        st.tuples(st.just("status"), st.sampled_from(("successful", "failure", "inProgress", "pending", "cancelled")), numbers),
        st.tuples(st.just("webhook"), st.sampled_from(("successful", "failure", "inProgress")), numbers),
        st.tuples(st.sampled_from(("claim", "extend", "complete", "cancel")), st.none(), numbers),
        st.tuples(st.just("agent"), st.sampled_from((PULLER, CALLED)), st.tuples(limits, st.booleans(), st.booleans())),
        st.tuples(st.just("agent is gone"), st.sampled_from((PULLER, CALLED)), st.none()),
        st.tuples(st.just("deployment"), st.sampled_from(("true", 'jobAgent.name == "puller"', "false")), limits),
        st.tuples(st.just("label"), names, st.booleans()),
        st.tuples(st.sampled_from(("vanish", "appear")), names, st.none()),
        st.tuples(st.sampled_from(("policy", "freeze", "thaw", "withdraw", "crash")), st.just("v1"), st.none()),
        st.tuples(st.just("answers"), st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=3), st.none()),
        st.tuples(st.just("advance"), st.none(), st.sampled_from((1, 60, 400, 4_000))),
    ),
    min_size=12,
    max_size=40,
)


class Died(Exception):
    """The process died after a call was made, and before its answer was recorded."""


class Runs:
    """The outside: what runs there, and how it answers next. It notices a job that is handed over twice without being told so."""

    def __init__(self) -> None:
        self.answers: list[str] = ["queued"]
        self.begun: set[str] = set()

    def __call__(self, intent: Intent, now: datetime) -> dict[str, Any]:
        told = intent.request
        job_id = told["job_id"]
        if told["call"] == "cancel":
            return {"stopped": True}
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if told["call"] == "observe":
            return {"status": "successful"} if answer == "successful" else {"status": "inProgress", "look_again_s": 60}
        assert intent.again or job_id not in self.begun, f"{intent.key} is handed over again, and the agent is not told"
        if answer == "delayed":
            return {"delayed": {"message": "too many calls", "retry_after_s": 30}}
        self.begun.add(job_id)
        if answer == "dies":
            self.answers = ["queued"]
            raise Died
        return {"status": "inProgress", "look_again_s": 60} if answer == "poll" else {"status": answer}


class History(Scene):
    """A scene to which such steps happen."""

    def __init__(self) -> None:
        self.runs = Runs()
        super().__init__(*NAMES, outside=self.runs)
        for tag in TAGS:
            self.save_version(tag)
        self.save_agent(PULLER, config={LIMIT: 2})
        self._checker = Checker(self)

    def take(self, what: str, word: Any, more: Any) -> None:
        """Let a step happen, with all that follows at once. A wish that comes too late or too early is refused, and changes nothing."""
        with contextlib.suppress(Refused):
            self._until_quiet(lambda: self._happen(what, word, more))
        self._until_quiet(self.run)
        self._checker.look()

    def crash(self) -> None:
        """The process dies and another one takes over, from a snapshot where there is one that it may begin with."""
        before = self._rooms["dispatcher"]
        room: Room[State] = Room(service, self.workspace_id)
        if before.position <= before.stored.position and len(self.log) % 2:
            room.reset(decode(State, encode(State, before.state)), before.position, before.stored)
        else:
            room.reset(service.initial(self.workspace_id), 0, before.stored)
        room.fold(self.log[room.position :])
        self._rooms["dispatcher"] = room
        self._waiting["dispatcher"] = {}

    def _until_quiet(self, act: Any) -> None:
        while True:
            try:
                act()
            except Died:
                self.crash()
                act = self.run
            else:
                return

    def _job_id(self, number: int, *statuses: str) -> str:
        """One of the jobs; of those with such a status, where there are any."""
        jobs = self._state().jobs
        made = [one.job_id for one in self.jobs()]
        found = [one for one in made if jobs[one].status in statuses] or made
        return found[number % len(found)] if found else id_of("no job")

    def _happen(self, what: str, word: Any, more: Any) -> None:
        match what:
            case "release":
                self.release(word, *more)
            case "clear":
                self.clear(word, *more)
            case "clear for a while":
                self.clear(word, *more, valid_for=timedelta(minutes=10))
            case "roll back" if self.jobs():
                self.roll_back(word, to=word, name=more)
            case "redeploy":
                item = RedeployItem(resource_id=id_of(more), release_id=release_of(word, more), version_id=id_of(word))
                self.record(
                    RedeployRequested(deployment_id=DEPLOYMENT, environment_id=ENVIRONMENT, items=(item,), requested_at=self.now)
                )
            case "status":
                self.do(SetJobStatus(job_id=self._job_id(more), status=word))
            case "webhook":
                self.do(
                    TellRun(type="webhook", job_id=self._job_id(more, "inProgress", "pending"), status=word), by="agent:called"
                )
            case "claim":
                self.do(
                    ClaimJob(agent_id=id_of(PULLER), job_id=self._job_id(more, "queued"), lease_seconds=300 if more % 2 else None)
                )
            case "extend":
                job_id = self._job_id(more, "inProgress")
                lease = self._state().jobs[job_id].lease if self.jobs() else None
                claim_id = lease.claim_id if lease is not None else id_of("no claim")
                self.do(ExtendLease(agent_id=id_of(PULLER), job_id=job_id, claim_id=claim_id))
            case "complete":
                self.do(CompleteJob(job_id=self._job_id(more, "actionRequired")))
            case "cancel":
                self.do(CancelJob(job_id=self._job_id(more, *sorted(ACTIVE))))
            case "agent":
                limit, leases, supersedes = more
                config: Json = {"supersedeQueued": supersedes, **({LIMIT: limit} if limit else {})}
                self.save_agent(word, TYPES[word], {**config, **({"leaseSeconds": 300} if leases else {})})
            case "agent is gone":
                self.do(DeleteJobAgent(agent_id=id_of(word)))
            case "deployment":
                self.save_deployment(selector=word, config={LIMIT: more} if more else {})
            case "label":
                self.save_resource(word, {"labelled": str(more)})
            case "vanish" | "appear":
                changed = (id_of(word),)
                self.record(
                    TargetsChanged(
                        deployment_id=DEPLOYMENT,
                        environment_id=ENVIRONMENT,
                        added=changed if what == "appear" else (),
                        removed=changed if what == "vanish" else (),
                    )
                )
            case "policy":
                self.record(PolicySaved(policy_id=id_of("policy"), name="careful", created_at=self.now))
            case "freeze":
                self.record(
                    FreezeSaved(
                        freeze_id=id_of("freeze"),
                        reason="incident",
                        created_by="user:ana",
                        starts_at=self.now,
                        ends_at=self.now + timedelta(hours=1),
                        holds_rollbacks=True,
                        created_at=self.now,
                    )
                )
            case "thaw":
                self.record(FreezeThawed(freeze_id=id_of("freeze"), thawed_by="user:ana", thawed_at=self.now))
            case "withdraw":
                self.withdraw(word)
            case "crash":
                self.crash()
            case "answers":
                self.runs.answers = [*word]
            case "advance":
                self.advance(more)

    def _state(self) -> State:
        state: State = self.room("dispatcher").state
        return state


class Checker:
    """Walks through the log as it grows, and looks at what is true whenever all is quiet."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._position = 0
        self._made: dict[str, JobCreated] = {}
        self._active: set[str] = set()
        self._limits: dict[str, int | None] = {}
        self._asked: Counter[tuple[str, str]] = Counter()
        self._attempts: dict[tuple[str, str], set[int]] = {}

    def look(self) -> None:
        """Check everything after a step."""
        log = self._history.log
        for one in log[self._position :]:
            match one.fact:
                case JobAgentSaved() as fact:
                    self._limits[agent_key(fact.agent_id)] = fact.config.get(LIMIT)
                case JobAgentDeleted() as fact:
                    self._limits[agent_key(fact.agent_id)] = None
                case DeploymentSaved() as fact:
                    self._limits[deployment_key(fact.deployment_id)] = fact.job_agent_config.get(LIMIT)
                case TargetsCleared() as fact:
                    self._asked.update((fact.version_id, one) for one in fact.resource_ids)
                case RedeployRequested() as fact:
                    self._asked.update((item.version_id, item.resource_id) for item in fact.items)
                case RollbackStarted() as fact:
                    self._asked[fact.to_version_id or "", fact.resource_id] += 1
                case JobCreated() as fact:
                    self._made[fact.job_id] = fact
                    if fact.status in ACTIVE:
                        self._active.add(fact.job_id)
                        self._one_dispatch_at_a_time(fact)
                        self._no_more_than_places(fact)
                        self._no_more_than_asked_for(fact)
                case JobStatusChanged() as fact:
                    (self._active.add if fact.status in ACTIVE else self._active.discard)(fact.job_id)
                    self._one_dispatch_at_a_time(fact)
        self._position = len(log)
        self._when_quiet(self._history.room("dispatcher").state)

    def _one_dispatch_at_a_time(self, fact: JobCreated | JobStatusChanged) -> None:
        beside = [self._made[one] for one in sorted(self._active) if self._made[one].resource_id == fact.resource_id]
        assert len({(one.release_id, one.attempt) for one in beside}) <= 1, beside

    def _no_more_than_places(self, fact: JobCreated) -> None:
        for key, of in (
            (agent_key(fact.agent_id), [one for one in self._active if self._made[one].agent_id == fact.agent_id]),
            (deployment_key(fact.deployment_id), {self._made[one].resource_id for one in self._active}),
        ):
            limit = self._limits.get(key)
            assert limit is None or len(of) <= limit, f"{len(of)} jobs in {limit} places of {key}"

    def _no_more_than_asked_for(self, fact: JobCreated) -> None:
        """Each clearance, each wish of a person and each rollback is for one dispatch. (A version has one release on a target here.)"""
        of = (fact.version_id, fact.resource_id)
        attempts = self._attempts.setdefault(of, set())
        attempts.add(fact.attempt)
        assert len(attempts) <= self._asked[of], f"{attempts} of what was asked for {self._asked[of]} times"

    def _when_quiet(self, state: State) -> None:
        now = self._history.now
        for key in sorted(state.targets):
            maker = JobMaker(state, now)
            forgotten = maker.create(key, self._history.log[-1])
            assert not forgotten, f"{key} could go: {forgotten}"
            assert not list(maker.holds()), f"{key} waits for a place, but stands in no line"
        for job_id, job in state.jobs.items():
            assert not job.is_active or job.deadline_at > now, f"{job_id} is over its deadline"
            assert job.lease is None or (job.status == "inProgress" and job.lease.expires_at > now), job_id
        taken = {
            (key, job.target if key.startswith("deployment/") else one)
            for one, job in state.jobs.items()
            if job.is_active
            for key in keys_of(job)
        }
        assert dict(state.running.items()) == Counter(key for key, _ in taken)
        _lines_are_true(state)
        _pairs_are_true(state)

    def at_the_end(self) -> None:
        """What takes long to check."""
        state = self._history.room("dispatcher").state
        assert state == refold(service, self._history.log)
        assert decode(State, encode(State, state)) == state


def _lines_are_true(state: State) -> None:
    assert sorted(everybody(state, state.lines)) == sorted(state.held)
    needed = sorted((key, name) for name, line in state.lines.items() for key in line.keys)
    assert sorted((key, name) for key, names in state.queues.items() for name in names) == needed
    assert sorted(target for targets in state.held_on.values() for target in targets) == sorted(state.held)
    for target, waiting in state.held.items():
        standing = state.targets[target]
        assert standing.exists, target
        assert standing.desired is not None, target
        assert target in state.lines[waiting.line].blocks[waiting.number // 64].values(), target


def _pairs_are_true(state: State) -> None:
    known = {f"{resource_id}-{pair[37:]}-{pair[:36]}" for pair, members in state.members.items() for resource_id in members}
    assert known == set(state.targets)
    for id_ in {id_ for pair in state.members for id_ in pair.split(":")} | set(state.pairs):
        assert set(targets_with(state, id_)) == {target for target in state.targets if id_ in (target[37:73], target[74:])}


def play(taken: list[tuple[str, Any, Any]]) -> History:
    """A history of these steps, checked after each."""
    history = History()
    for step in taken:
        history.take(*step)
    history._checker.at_the_end()
    assert history.now >= START
    return history
