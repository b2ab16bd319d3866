"""Where does a version stand, environment by environment?"""

from __future__ import annotations

from contracts.command import Asked, Refused
from contracts.commands.policy.explanations import ExplainVersion, RolloutExplanation, VersionExplanation
from services.policy.rollout_explanation import look
from services.policy.state import State, pair_key


def explain_version(wish: ExplainVersion, state: State, asked: Asked, position: int) -> VersionExplanation:
    """Explain a version in every environment beside its deployment that has targets of it.

    Raises:
        Refused: `not_found`, for an unknown version.
    """
    version = state.versions.get(wish.version_id)
    if version is None or version.deployment_id not in state.deployments:
        raise Refused("not_found", f"There is no version {wish.version_id}.")
    beside = sorted(state.environments_beside(version.deployment_id), key=lambda one: (state.environment_name(one), one))
    pairs = [state.pairs.get(pair_key(version.deployment_id, one)) for one in beside]
    rollouts = tuple(look(state, pair, version, asked.now).told(asked.now, position, 0, 0) for pair in pairs if pair is not None)
    return VersionExplanation(
        version_id=version.version_id,
        tag=version.tag,
        position=position,
        message=_message(version.tag, rollouts),
        rollouts=rollouts,
    )


def _message(tag: str, rollouts: tuple[RolloutExplanation, ...]) -> str:
    if not any(one.total for one in rollouts):
        return f"{tag} has no targets: no environment beside its deployment has any."
    return " ".join(one.message for one in rollouts if one.total)
