"""Where does a version stand in an environment? Every target walked once; sentences are made for those that are shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from contracts.command import Asked
from contracts.commands.policy.explanations import ExplainRollout, RolloutExplanation, TargetStanding
from contracts.commands.policy.reasons import Reason
from contracts.shapes import ACTIVE
from libs.runtime.kept import Kept
from services.policy.candidates import Step, step_for
from services.policy.evaluation import Evaluation, Findings, walk
from services.policy.explanation import held, out_of_order, passed_over, reason_of, superseded, telling
from services.policy.finding import Finding, RuleKey, blocks
from services.policy.forecast import counted, rollout_of
from services.policy.gate import Judge
from services.policy.instants import END, spoken
from services.policy.on_the_way import health, on_its_way
from services.policy.order import places_of
from services.policy.route import Route
from services.policy.state import NOWHERE, Pair, State, Version
from services.policy.tried_again import with_retries
from services.policy.unknown_fields import unknown_fields
from services.policy.who_ends import Case, stopped

Standing = Literal["done", "going", "waiting", "blocked", "passed"]

MOST_SHOWN: Final = 1_000

KEPT: Final = 4
"""Walks that are remembered, so that a rollout that is read page by page is walked once."""


def explain_rollout(wish: ExplainRollout, state: State, asked: Asked, position: int) -> RolloutExplanation:
    """Explain a version in an environment, judged live.

    Raises:
        Refused: `not_found`, for an unknown version or environment.
    """
    version, pair = rollout_of(state, wish.version_id, wish.environment_id)
    offset, limit = max(wish.offset, 0), min(max(wish.limit, 0), MOST_SHOWN)
    return look(state, pair, version, asked.now).told(asked.now, position, offset, limit)


_kept: Kept[tuple[str, str, str], Look] = Kept(KEPT)


def look(state: State, pair: Pair, version: Version, now: datetime) -> Look:
    """Walk the targets of a rollout; one that was walked in this very state is not walked again before time may change a verdict."""
    key = (state.workspace_id, pair.key, version.version_id)
    known = _kept.get(key)
    if known is None or known.state is not state or not known.now <= now < known.until:
        judge = Judge(state, now)
        known = _kept.keep(key, Look(state, pair, version, now, _with_retries(judge, pair, version, walk(judge, pair))))
    return known


def _with_retries(judge: Judge, pair: Pair, version: Version, found: Evaluation) -> Evaluation:
    verdicts = found.findings.get(version.version_id)
    if verdicts is not None:
        found.findings[version.version_id] = with_retries(judge, pair, version, verdicts)
    return found


@dataclass(slots=True)
class Look:
    """What a walk over a rollout found; `order` are its targets as they follow one another. It holds from `now` until `until`."""

    state: State
    pair: Pair
    version: Version
    now: datetime
    found: Evaluation
    order: list[str] = field(init=False)
    standings: dict[str, Standing] = field(init=False)

    until: datetime = field(init=False)

    def __post_init__(self) -> None:
        places = places_of(self.pair, self.version.version_id)
        self.order = sorted(self.pair.targets, key=places.__getitem__)
        self.standings = {one: self._standing(one) for one in self.order}
        ends = [
            finding.look_again_at
            for verdicts in self.found.findings.values()
            for findings in verdicts.values()
            for _, finding in findings
            if finding.look_again_at is not None
        ]
        self.until = min(ends, default=END)

    def told(self, now: datetime, position: int, offset: int, limit: int) -> RolloutExplanation:
        """The explanation, with a part of the targets."""
        counts = Counter(self.standings.values())
        shown = self.order[offset : offset + limit]
        holding = self._holding()
        wanted = {*shown, *(one for one, _ in holding.values())}
        first, next_at = self._first()
        if first is not None:
            wanted.add(first)
        judge = Judge(self.state, now, wordy=True)
        wordy = Evaluation()
        if wanted:
            wordy = _with_retries(judge, self.pair, self.version, walk(judge, self.pair, sorted(wanted)))
        return RolloutExplanation(
            version_id=self.version.version_id,
            environment_id=self.pair.environment_id,
            position=position,
            message=self._message(judge, counts, wordy, first, next_at, holding),
            reasons=self._reasons(judge, wordy, holding),
            targets=tuple(self._shown(judge, wordy, shown)),
            total=len(self.order),
            done=counts["done"],
            going=counts["going"],
            waiting=counts["waiting"],
            blocked=counts["blocked"],
            passed=counts["passed"],
            next_at=next_at,
            warnings=unknown_fields(self.state),
        )

    # --- one target ------------------------------------------------------------------------------------------------------------

    def _standing(self, one: str) -> Standing:
        version_id = self.version.version_id
        standing = self.pair.standings.get(one, NOWHERE)
        if version_id not in standing.bad and standing.current is not None and standing.current.version_id == version_id:
            return "done"
        job = self.pair.newest_job(one)
        if job is not None and job.version_id == version_id and job.status in ACTIVE:
            return "going"
        findings = self._findings(one)
        stands: Standing | None = None
        for _, finding in findings or ():
            if not finding.allows:
                stands = "blocked" if stands == "blocked" or finding.verdict == "blocked" else "waiting"
        if stands is not None:
            return stands
        if findings is None or self.found.ended.get(one) != version_id:
            return "passed"
        failed = job is not None and job.version_id == version_id and job.status != "successful"
        return "blocked" if failed else "going"

    def _told_of(self, one: str) -> Standing:
        """How a target stands, as people are told."""
        stands = self.standings[one]
        if stands == "waiting" and any(blocks(key.rule_type, finding.verdict) for key, finding in self._findings(one) or ()):
            return "blocked"
        return stands

    def _findings(self, one: str) -> Findings | None:
        return self.found.findings.get(self.version.version_id, {}).get(one)

    def _shown(self, judge: Judge, wordy: Evaluation, shown: Sequence[str]) -> list[TargetStanding]:
        route = Route(self.state, self.pair)
        return [
            TargetStanding(
                resource_id=one,
                state=self.standings[one],
                message=self._sentence(judge, one, wordy, route),
                look_again_at=_look_again(self._findings(one)) if self.standings[one] in ("waiting", "blocked") else None,
            )
            for one in shown
        ]

    def _sentence(self, judge: Judge, one: str, wordy: Evaluation, route: Route) -> str:
        state, pair, version = self.state, self.pair, self.version
        stands = self.standings[one]
        if stands == "done":
            return stopped(f"{version.tag} runs here{health(judge, pair, one)}")
        findings = wordy.findings.get(version.version_id, {}).get(one)
        if findings and any(not finding.allows for _, finding in findings):
            return held(state, version, findings).message
        if stands != "passed":
            return on_its_way(judge, pair, one, version).message
        pin = pair.pin_of(one)
        if pin is not None and pin.version_id != version.version_id:
            return passed_over(state, pair, one, version, pin).message
        if route.every:
            return out_of_order(state, pair, one, version, route.turn(one)).message
        if step_for(pair, one, version) is Step.STUCK or one not in wordy.ended:
            return f"{version.tag} does not go here any more."
        return superseded(state, version, wordy.ended[one]).message

    # --- all of them -----------------------------------------------------------------------------------------------------------

    def _first(self) -> tuple[str | None, datetime | None]:
        """The target that goes next, and when: of those that time alone brings on the earliest, else the first that waits, else one that
        is blocked."""
        soonest: datetime | None = None
        next_: str | None = None
        for one in self.order:
            at = _by_time(self._findings(one)) if self.standings[one] == "waiting" else None
            if at is not None and (soonest is None or at < soonest):
                soonest, next_ = at, one
        for stands in ("waiting", "blocked"):
            if next_ is None:
                next_ = next((one for one in self.order if self.standings[one] == stands), None)
        return next_, soonest

    def _holding(self) -> dict[RuleKey, tuple[str, bool]]:
        """By rule, the first target that it holds, or else the first that it was asked about; and whether it says the same of all."""
        firsts: dict[RuleKey, tuple[str, Finding]] = {}
        differ: set[RuleKey] = set()
        seen: set[int] = set()
        for one in self.order:
            findings = self._findings(one)
            if not findings or id(findings) in seen or self.standings[one] in ("done", "passed"):
                continue
            seen.add(id(findings))
            for key, finding in findings:
                known = firsts.get(key)
                if known is None:
                    firsts[key] = (one, finding)
                elif key not in differ or (known[1].allows and not finding.allows):
                    if known[1] != finding:
                        differ.add(key)
                    if known[1].allows and not finding.allows:
                        firsts[key] = (one, finding)
        return {key: (one, key not in differ) for key, (one, _) in firsts.items()}

    def _reasons(self, judge: Judge, wordy: Evaluation, holding: dict[RuleKey, tuple[str, bool]]) -> tuple[Reason, ...]:
        reasons = []
        for key, (one, _) in holding.items():
            verdicts = wordy.findings.get(self.version.version_id, {}).get(one, ())
            finding = next((finding for known, finding in verdicts if known == key), None)
            if finding is not None:
                reasons.append(reason_of(Case(judge, self.pair, self.version, one, key, finding, verdicts)))
        return tuple(reasons)

    def _message(
        self,
        judge: Judge,
        counts: Counter[Standing],
        wordy: Evaluation,
        first: str | None,
        next_at: datetime | None,
        holding: dict[RuleKey, tuple[str, bool]],
    ) -> str:
        where = f"{self.version.tag} in {self.state.environment_name(self.pair.environment_id)}"
        total = len(self.order)
        if not total:
            return f"{where}: there are no targets."
        if counts["done"] == total:
            return f"{where}: done, it runs on {'its target' if total == 1 else f'all {counted(total)}'}."
        said = f"{where}: {counts['done']:,} of {total:,} done"
        told = Counter(self._told_of(one) for one in self.order)
        words: tuple[tuple[Standing, str], ...] = (
            ("going", "on the way"),
            ("waiting", "waiting"),
            ("blocked", "blocked"),
            ("passed", "passed over"),
        )
        said += "".join(f", {told[stands]:,} {word}" for stands, word in words if told[stands])
        if first is None:
            return f"{said}."
        findings = wordy.findings.get(self.version.version_id, {}).get(first, ())
        against = telling(findings)
        if not against:
            return f"{said}. On {self.state.resource_name(first)}: {self._sentence(judge, first, wordy, Route(self.state, self.pair))}"
        name = self.state.resource_name(first)
        sentences = " ".join(stopped(finding.sentence) for finding in against)
        if next_at is not None:
            when = "" if spoken(next_at) in sentences else f", at {spoken(next_at)}"
            said += f". Next in order is {name}{when}. "
        elif self._is_same_for_all(against, findings, holding):
            said += ". "
        else:
            said += f". {name} waits: " if self._told_of(first) == "waiting" else f". {name} is blocked: "
        ends = "; ".join(dict.fromkeys(finding.ended_by for finding in against if finding.ended_by))
        return f"{said}{sentences} What ends it: {ends}."

    def _is_same_for_all(self, against: Sequence[Finding], findings: Findings, holding: dict[RuleKey, tuple[str, bool]]) -> bool:
        return all(holding.get(key, ("", False))[1] for key, finding in findings if finding in against)


def _look_again(findings: Findings | None) -> datetime | None:
    """The next instant at which time may change what holds a target."""
    instants = [finding.look_again_at for _, finding in findings or () if not finding.allows and finding.look_again_at]
    return min(instants, default=None)


def _by_time(findings: Findings | None) -> datetime | None:
    """When time alone may have ended all that holds a target; None where something else must happen too."""
    last: datetime | None = None
    for _, finding in findings or ():
        if not finding.allows:
            at = finding.look_again_at
            if at is None:
                return None
            last = at if last is None or at > last else last
    return last
