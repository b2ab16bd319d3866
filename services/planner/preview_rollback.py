"""What going back would do, told before anybody does it."""

from __future__ import annotations

from collections import Counter

from contracts.command import Asked
from contracts.commands.planner import PreviewRollback, RollBack, RollBackEnvironment, RollbackPreview, WayBack
from contracts.facts.planner import RollbackStarted
from services.planner.state import PlannerState
from services.planner.ways_back import roll_back, roll_back_environment


def preview_rollback(wish: PreviewRollback, state: PlannerState, asked: Asked, position: int) -> RollbackPreview:
    """What would follow at this moment. It is decided as if it were done, so that both say the same.

    Raises:
        Refused: as doing it would be.
    """
    if wish.deployment_id is None:
        decided = roll_back_environment(RollBackEnvironment(environment_id=wish.environment_id), state, asked)
    else:
        back = RollBack(
            deployment_id=wish.deployment_id,
            environment_id=wish.environment_id,
            version_id=wish.version_id,
            from_version_id=wish.from_version_id,
        )
        decided = roll_back(back, state, asked)
    started = [draft.fact for draft in decided.drafts if isinstance(draft.fact, RollbackStarted)]
    # By hand nothing goes back to nowhere: a target without an earlier release is left as it is.
    counts = Counter((one.deployment_id, one.version_id, one.to_version_id or one.version_id) for one in started)

    def place(way: WayBack) -> tuple[str, int, str, str]:
        name = state.catalog.deployments[way.deployment_id].name
        return name, -way.targets, way.from_version_id, way.to_version_id

    ways = (
        WayBack(deployment_id=deployment_id, from_version_id=left, to_version_id=back_to, targets=targets)
        for (deployment_id, left, back_to), targets in counts.items()
    )
    marked = {one.version_id for one in started}.union(*(one.also_marked for one in started))
    return RollbackPreview(items=tuple(sorted(ways, key=place)), targets=len(started), marked=tuple(sorted(marked)))
