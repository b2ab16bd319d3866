"""An estate that any policies may govern and any history may befall: what properties over all kinds of rules are asked of.

`api` is in staging and production, `db` beside it on the same resources of production. Policy is alone: planner, dispatcher and verifier
are what the steps of a history say, and what `settle` makes of clearances when all goes well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from contracts.command import Refused
from contracts.commands.policy.approvals import RecordApproval
from contracts.commands.policy.evaluations import EligibleVersions
from contracts.commands.policy.freezes import OverrideFreeze, SaveFreeze, ThawFreeze
from contracts.commands.policy.policies import RuleInput
from contracts.commands.policy.skips import CreateSkip, DeleteSkip
from contracts.facts.planner import VersionUpdated
from contracts.facts.policy import RollbackRequired
from contracts.shapes import JobStatus, Rule, VersionStatus
from services.policy.state import NOWHERE, Pair, State, pair_key
from tests.unit.policy.choice_scenes import Other, needing, pin, unpin
from tests.unit.policy.policy_scenes import Scene, uid

NAMES = [f"r{n}" for n in range(4)]
PRODUCTION = [uid(f"resource {name}") for name in NAMES]
STAGED = [uid(f"staged {n}") for n in range(2)]
ROLES = {"ana": ("admin", "member"), "bo": ("member",), "cy": ("member",)}
API = 'deployment.name == "api"'
SELECTORS = (
    'environment.name == "production"',
    f'environment.name == "production" && {API}',
    API,
    'environment.name == "staging"',
    f'environment.name == "production" && {API} && resource.metadata.ring == "0"',
    'deployment.name == "db"',
)
UNREADABLE = f"{API} && resource.metadata.ring > 3"
"""A selector without an answer for a resource that has a ring, so that its policy blocks."""


class PolicyPlan(NamedTuple):
    """A policy before it is saved."""

    selector: str
    rules: tuple[RuleInput, ...]


class Estate:
    """The estate, from its first day on. No two versions are posted at one instant."""

    def __init__(self, policies: Sequence[PolicyPlan], steps: Sequence[Step] = ()) -> None:
        self.scene = scene = Scene()
        for n, name in enumerate(NAMES):
            scene.resource(name, ring=str(n % 2))
        scene.appear(*PRODUCTION)
        scene.appear(*STAGED, env=scene.staging)
        self.db = Other(scene, "db")
        self.db.appear(*PRODUCTION)
        for n, plan in enumerate(policies):
            scene.policy(*plan.rules, selector=plan.selector, name=f"policy {n}")
        scene.advance(seconds=1)
        self.post()
        for step in steps:
            step(self)
            self.go_back()

    # --- what is there ---------------------------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        return self.scene.state

    @property
    def now(self) -> datetime:
        return self.scene.world.now

    @property
    def pairs(self) -> list[Pair]:
        """Production and staging of `api`, and production of `db`."""
        return [self.state.pairs[key] for key in sorted(self.state.pairs)]

    @property
    def pair(self) -> Pair:
        """Production of `api`."""
        return self.state.pairs[pair_key(self.scene.deployment, self.scene.production)]

    def version(self, back: int = 0) -> str | None:
        """A version of `api`: the newest one, or so many before it."""
        known = self.state.newest.get(self.scene.deployment, ())
        return known[back] if back < len(known) else None

    @property
    def rules(self) -> list[Rule]:
        """All rules, in a fixed order."""
        return [rule for policy_id in sorted(self.state.policies) for rule in self.state.policies[policy_id].saved.rules]

    def eligible(self, pair: Pair, resource_id: str, without: Sequence[str] = ()) -> set[str]:
        """The versions that every rule lets go to a target."""
        wish = EligibleVersions(
            resource_id=resource_id, environment_id=pair.environment_id, deployment_id=pair.deployment_id,
            exclude_rule_ids=tuple(without),
        )  # fmt: skip
        return set(self.scene.world.ask(wish)["version_ids"])

    # --- what happens ----------------------------------------------------------------------------------------------------------

    def post(self, *, needs_db: bool = False, status: VersionStatus = "ready") -> None:
        self.scene.advance(seconds=1)
        tag = f"v{len(self.state.newest.get(self.scene.deployment, ()))}"
        if needs_db:
            needing(self.scene, tag, {self.db.id: 'version.tag != "bad"'})
        else:
            self.scene.version(tag, status=status)

    def dispatch(self, n: int) -> None:
        """Planner and dispatcher use one of the open clearances, in whichever pair."""
        found = [(pair, one) for pair in self.pairs for one in sorted(pair.open) if one in pair.targets]
        if found:
            pair, one = found[n % len(found)]
            env, deployment = pair.environment_id, pair.deployment_id
            version_id, tried = pair.open[one], len(pair.jobs_of(one, pair.open[one]))
            self.scene.release(version_id, one, env=env, deployment=deployment)
            self.scene.job(version_id, one, env=env, deployment=deployment, attempt=tried + 1)

    def end(self, n: int, well: bool) -> None:
        """One of the jobs that run, or are not verified yet, gets further."""
        running = self.running
        if running:
            _, job_id, status = running[n % len(running)]
            if status == "successful":
                self.scene.verify(job_id, passed=well)
            else:
                self.scene.job_status(job_id, "successful" if well else "failure")

    @property
    def running(self) -> list[tuple[int, str, JobStatus]]:
        """Position, id and status of the jobs that run, or are not verified yet, in order."""
        return sorted(
            (job.position, job.job_id, job.status)
            for pair in self.pairs
            for by_resource in pair.jobs.values()
            for jobs in by_resource.values()
            for job in jobs
            if job.outcome == "running"
        )

    def go_back(self) -> None:
        """Planner answers what policy requires: it marks the version, and goes back to what runs, if that is another."""
        for required in self.scene.facts(RollbackRequired):
            pair = self.state.pairs[pair_key(required.deployment_id, required.environment_id)]
            standing = pair.standings.get(required.resource_id, NOWHERE)
            if pair.key == self.pair.key and required.version_id not in standing.bad and required.resource_id in pair.targets:
                current = standing.current
                runs = current.version_id if current is not None else None
                to = runs if runs not in (None, required.version_id, *standing.bad) else None
                self.scene.roll_back(required.version_id, required.resource_id, to)

    def decide(self, person: str, status: str, back: int, env: str) -> None:
        if (version_id := self.version(back)) is not None:
            where = self.scene.production if env == "production" else self.scene.staging
            wish = {"version_id": version_id, "environment_ids": (where,), "user_id": person, "status": status}
            self.scene.world.do(RecordApproval.model_validate({**wish, "user_name": person, "roles": ROLES[person]}))

    def agree(self) -> None:
        """Everybody approves the newest version, everywhere."""
        for person in ROLES:
            for env in ("production", "staging"):
                self.decide(person, "approved", 0, env)

    def skip(self, rule: int, back: int, minutes: float | None, where: int | None) -> None:
        """A person lets a version pass a rule, on one target of production or everywhere. Rules that hold nothing are left alone."""
        rules, version_id = self.rules, self.version(back)
        if rules and version_id is not None:
            expires_at = self.now + timedelta(minutes=minutes) if minutes is not None else None
            one = PRODUCTION[where] if where is not None else None
            wish = CreateSkip(version_id=version_id, rule_id=rules[rule % len(rules)].id, resource_id=one, expires_at=expires_at)
            self.perhaps(wish)

    def unskip(self, n: int) -> None:
        skips = self.skips
        if skips:
            self.scene.world.do(DeleteSkip(skip_id=skips[n % len(skips)]))

    @property
    def skips(self) -> list[str]:
        return sorted(one.saved.skip_id for skips in self.state.skips.values() for one in skips)

    def freeze(self, wish: SaveFreeze, starts: float, minutes: float | None) -> None:
        """Freeze from so many minutes from now, for so many."""
        starts_at = self.now + timedelta(minutes=starts)
        ends_at = starts_at + timedelta(minutes=minutes) if minutes is not None else None
        scope_id = {"deployment": self.scene.deployment, "environment": self.scene.production}.get(wish.scope or "")
        said = {"starts_at": starts_at, "ends_at": ends_at, "scope_id": scope_id, "reason": "an incident"}
        self.scene.world.do(wish.model_copy(update=said))

    def thaw(self, n: int) -> None:
        if self.state.freezes:
            self.scene.world.do(ThawFreeze(freeze_id=sorted(self.state.freezes)[n % len(self.state.freezes)]))

    def override(self, n: int, minutes: float) -> None:
        version_id = self.version()
        if self.state.freezes and version_id is not None:
            freeze_id = sorted(self.state.freezes)[n % len(self.state.freezes)]
            until = self.now + timedelta(minutes=minutes)
            self.scene.world.do(OverrideFreeze(freeze_id=freeze_id, version_id=version_id, reason="the fix", expires_at=until))

    def perhaps(self, wish: CreateSkip) -> bool:
        """Do what may be refused; answers whether it was done."""
        try:
            self.scene.world.do(wish)
        except Refused:
            return False
        return True

    def turn_status(self, back: int) -> None:
        if (version_id := self.version(back)) is not None:
            ready = self.state.versions[version_id].status == "ready"
            self.scene.set_status(version_id, "rejected" if ready else "ready")

    def configure(self) -> None:
        """The newest version changes its content, so that approvals of it end."""
        if (version_id := self.version()) is not None:
            known = self.state.versions[version_id]
            self.scene.record(
                VersionUpdated(
                    version_id=version_id, deployment_id=known.deployment_id, tag=known.tag, name=known.name,
                    status=known.status, created_at=known.created_at, config={"at": len(self.scene.world.log)},
                    dependencies=dict(known.dependencies),
                )
            )  # fmt: skip

    def upstream(self, n: int, tag: str) -> None:
        """A version of `db` is posted, and runs on a resource where it was cleared."""
        known = uid(f"db {tag}")
        if known not in self.state.versions:
            self.scene.advance(seconds=1)
            self.db.version(tag)
        one = PRODUCTION[n]
        if self.state.pairs[pair_key(self.db.id, self.scene.production)].open.get(one) == known:
            self.scene.release(known, one, deployment=self.db.id)
            self.scene.job(known, one, "successful", deployment=self.db.id)

    def come_and_go(self, n: int) -> None:
        (self.scene.vanish if PRODUCTION[n] in self.pair.targets else self.scene.appear)(PRODUCTION[n])

    def turn_pin(self, n: int, back: int) -> None:
        if PRODUCTION[n] in self.pair.pins:
            unpin(self.scene, PRODUCTION[n])
        elif (version_id := self.version(back)) is not None:
            pin(self.scene, version_id, PRODUCTION[n])

    def settle(self) -> None:
        """All goes well until nothing is left to do at this instant: whatever is cleared gets its job, which succeeds and is verified."""
        while True:
            while self.running:
                self.end(0, True)
            moved = self.scene.follow()
            if not moved and not self.running:
                return


Step = Callable[[Estate], None]
