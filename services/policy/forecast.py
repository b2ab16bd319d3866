"""When will each target of a rollout be cleared? What a run over virtual time (`forecast_run.py`) came to, in words."""

from __future__ import annotations

from datetime import datetime

from contracts.command import Asked, Refused
from contracts.commands.policy.forecasts import Forecast, ForecastRollout, ForecastTarget
from services.policy.evaluation import Evaluation, Findings
from services.policy.finding import ROLLOUT
from services.policy.forecast_run import Run
from services.policy.instants import spoken
from services.policy.order import places_of
from services.policy.state import Pair, State, Version, pair_key


def forecast_rollout(wish: ForecastRollout, state: State, asked: Asked, position: int) -> Forecast:
    """When each target of a version in an environment will be cleared if nothing else changes.

    Raises:
        Refused: `not_found`, for an unknown version, or where its deployment has no target.
    """
    version, pair = rollout_of(state, wish.version_id, wish.environment_id)
    run = Run(state, asked.now, version, pair.key)
    run.go()
    return _told(run, version, pair, position)


def rollout_of(state: State, version_id: str, environment_id: str) -> tuple[Version, Pair]:
    """A version and the pair of its deployment with an environment. Raises: Refused: `not_found`, for what is no rollout."""
    version = state.versions.get(version_id)
    if version is None or version.deployment_id not in state.deployments:
        raise Refused("not_found", f"There is no version {version_id}.")
    if environment_id not in state.environments:
        raise Refused("not_found", f"There is no environment {environment_id}.")
    pair = state.pairs.get(pair_key(version.deployment_id, environment_id))
    return version, pair if pair is not None else Pair(version.deployment_id, environment_id)


def _told(run: Run, version: Version, pair: Pair, position: int) -> Forecast:
    places = places_of(pair, version.version_id)
    timed = sorted((at, places[one], one) for one, at in run.at.items() if one in pair.targets)
    left = sorted((one for one in pair.targets if one not in run.at), key=places.__getitem__)
    targets = [ForecastTarget(resource_id=one, at=at) for at, _, one in timed]
    if left:
        held_by = _Obstacles(run, version)
        targets += [ForecastTarget(resource_id=one, at=None, held_by=held_by.of(one)) for one in left]
    last = timed[-1][0] if timed else None
    return Forecast(
        version_id=version.version_id,
        environment_id=pair.environment_id,
        position=position,
        message=_message(run, version, pair, last, targets[len(timed) :]),
        targets=tuple(targets),
        done_at=last if not left else None,
    )


def _message(run: Run, version: Version, pair: Pair, last: datetime | None, held: list[ForecastTarget]) -> str:
    where = f"{version.tag} in {run.state.environment_name(pair.environment_id)}"
    total = len(pair.targets)
    if not total:
        return f"{where}: there are no targets."
    if not held:
        return f"{where}: if nothing else changes, the last of {counted(total)} is cleared at {spoken(last)}." if last else where
    first = held[0].held_by
    if run.exhausted:
        return f"{where}: {total - len(held):,} of {counted(total)} are foreseen. {first}"
    if last is None:
        return f"{where}: {'its target' if total == 1 else f'all {counted(total)}'} will not go by time alone. {first}"
    return (
        f"{where}: if nothing else changes, {total - len(held)} of {counted(total)} are cleared, the last at {spoken(last)}; "
        f"{len(held)} will not go by time alone. {first}"
    )


def counted(targets: int) -> str:
    """So many targets, in words."""
    return "1 target" if targets == 1 else f"{targets:,} targets"


class _Obstacles:
    """What holds targets when nothing is left to come."""

    def __init__(self, run: Run, version: Version) -> None:
        self._state = run.state
        self._pair = run.state.pairs[run.key]
        self._version = version
        self._exhausted = run.exhausted
        self._until = run.now
        self._found = Evaluation() if run.exhausted else run.last_look()
        self._said: dict[int, str] = {}

    def of(self, one: str) -> str:
        """What holds a target."""
        tag = self._version.tag
        if self._exhausted:
            return f"The forecast looks no further than {spoken(self._until)}; {tag} is still to come then."
        findings = self._found.findings.get(self._version.version_id, {}).get(one)
        if findings:
            said = self._said.get(id(findings))
            if said is None:
                said = self._said[id(findings)] = obstacle(findings)
            if said:
                return said
        pin = self._pair.pin_of(one)
        if pin is not None and pin.version_id != self._version.version_id:
            return f"The target is pinned to {self._state.tag(pin.version_id)}. What ends it: a person who releases the pin."
        ended = self._found.ended.get(one)
        if ended is not None and ended != self._version.version_id:
            return f"{self._state.tag(ended)} goes there instead."
        return f"{tag} does not go there: the target has taken a newer version, or what it is given last failed."


def obstacle(findings: Findings) -> str:
    """What must happen first, of all that holds a target: rules that time ends are told only where nothing else holds it."""
    against = [(key, finding) for key, finding in findings if not finding.allows]
    lasting = [one for one in against if one[1].look_again_at is None] or against
    telling = [one for one in lasting if one[0].rule_type != ROLLOUT or one[1].verdict == "blocked"] or lasting
    if not telling:
        return ""
    said = " ".join(dict.fromkeys(finding.message for _, finding in telling))
    ends = "; ".join(dict.fromkeys(finding.ended_by for _, finding in telling if finding.ended_by))
    return f"{said} What ends it: {ends}." if ends else said
