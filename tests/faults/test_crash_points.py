"""The service process is killed right after a fact of the story was recorded; the story goes on as if nothing had been."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from contracts.fact import Fact
from contracts.facts.dispatcher import JobDispatched
from contracts.facts.planner import ReleasesCreated, VersionCreated
from contracts.facts.policy import RollbackRequired, TargetsCleared, VerificationRequired
from tests.faults.killing import check_decisions, killed_at
from tests.story.house import House, house, wait_until
from tests.story.telling import STAGING, Monitoring, Telling
from tests.story.test_story import check_log, check_states

pytestmark = [pytest.mark.integration, pytest.mark.chaos, pytest.mark.timeout(180)]


@dataclass
class Scene:
    """A running system, and the version that runs in staging."""

    here: House
    telling: Telling
    good: str

    def once(self, tag: str) -> bool:
        """Whether each cluster of staging had exactly one job of a version."""
        return self.telling.tried(STAGING, tag) == [1, 1]

    def settles(self, tag: str) -> None:
        """Wait until staging runs a version."""
        wait_until(lambda: self.telling.running(STAGING) == {tag}, f"{tag} runs in staging")


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A system in which a good version runs in staging; when every crash was told, its log is checked."""
    with Monitoring().serving() as monitoring, house(tmp_path_factory.mktemp("crashes")) as here:
        scene = Scene(here, Telling(here, monitoring), "v0")
        with scene.telling._client:
            scene.telling.build()
            version = scene.telling.post(scene.good)
            scene.settles(scene.good)
            # Only a version that passed is one to go back to.
            wait_until(lambda: verified(scene, version) == 2, "the good version is verified")
            yield scene
        check_log(here)
        check_decisions(here)
        check_states(here)


def verified(scene: Scene, version: str) -> int:
    """How many verifications of a version have passed."""
    sql = "SELECT count(*) FROM es.event WHERE workspace_id = %s AND type = 'verifier.verification_passed.v1' AND data->>'version_id' = %s"
    ((count,),) = scene.here.rows(sql, scene.here.workspace_id, version)
    return int(count)


@pytest.mark.parametrize("fact", [VersionCreated, TargetsCleared, ReleasesCreated, JobDispatched, VerificationRequired])
def test_a_version_goes_on_after_a_crash(scene: Scene, fact: type[Fact]) -> None:
    tag = f"after-{fact.__name__}-{uuid.uuid4().hex[:4]}"
    with killed_at(scene.here, fact):
        version = scene.telling.post(tag)
    scene.settles(tag)
    wait_until(lambda: verified(scene, version) == 2, "both clusters are verified")
    assert scene.once(tag)
    scene.good = tag


def test_a_rollback_goes_on_after_a_crash(scene: Scene) -> None:
    tag = f"bad-{uuid.uuid4().hex[:4]}"
    before = scene.telling.tried(STAGING, scene.good)
    scene.telling.bad(tag, STAGING)
    with killed_at(scene.here, RollbackRequired):
        scene.telling.post(tag)
    again = [count + 1 for count in before]
    wait_until(lambda: scene.telling.tried(STAGING, scene.good) == again, "both clusters are rolled back")
    scene.settles(scene.good)
    assert scene.once(tag)
    assert scene.telling.tried(STAGING, scene.good) == again
