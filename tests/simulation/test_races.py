"""Facts that land between a decision and its append, told one by one."""

from __future__ import annotations

from contracts.commands.inventory import DeleteResource, ResourceInput, SaveResource
from contracts.commands.planner import (
    CreateVersion,
    LinkDeployment,
    LinkEnvironment,
    SaveDeployment,
    SaveEnvironment,
    SaveSystem,
    UnlinkEnvironment,
)
from contracts.facts.dispatcher import JobCreated
from contracts.facts.planner import ReleasesCreated, TargetsChanged
from libs.runtime.room import Round
from tests.simulation.estate import Estate, id_of


class SlowEstate(Estate):
    """One target, and services that take their turns when they are told to."""

    def __init__(self) -> None:
        super().__init__()
        self.do(SaveSystem(system_id=id_of("s"), name="s"))
        self.do(SaveDeployment(deployment_id=id_of("d"), name="d", resource_selector="true", job_agent_selector="true"))
        self.do(SaveEnvironment(environment_id=id_of("e"), name="e", resource_selector="true"))
        self.do(LinkDeployment(system_id=id_of("s"), deployment_id=id_of("d")))
        self.do(LinkEnvironment(system_id=id_of("s"), environment_id=id_of("e")))
        self.do(SaveResource(resource=ResourceInput(identifier="r", name="r", kind="k", version="v")))

    def decides(self, service: str) -> Round:
        """What a service decides on everything up to now, not yet appended."""
        round_ = self.room(service).react(self.now)
        assert round_ is not None, f"{service} decides nothing"
        return round_

    def turn(self, service: str) -> None:
        """A service decides and appends."""
        self._append(self._rooms[service], self.decides(service))

    def append(self, service: str, round_: Round) -> None:
        """A decision that was made before is appended now."""
        self._append(self._rooms[service], round_)


def test_a_resource_that_is_deleted_before_policy_hears_of_its_release_stops_nobody() -> None:
    estate = SlowEstate()
    estate.ask(CreateVersion(deployment_id=id_of("d"), tag="1"))
    estate.turn("policy")
    estate.turn("planner")
    assert estate.facts(ReleasesCreated)
    estate.ask(DeleteResource(identifier="r"))
    estate.turn("inventory")
    estate.turn("planner")
    assert estate.facts(TargetsChanged)[-1].removed
    estate.run()
    estate.do(SaveResource(resource=ResourceInput(identifier="r", name="r", kind="k", version="v")))
    assert len(estate.facts(JobCreated)) == 1


def test_a_clearance_that_lands_while_its_target_is_gone_is_issued_again_when_it_is_back() -> None:
    estate = SlowEstate()
    estate.ask(CreateVersion(deployment_id=id_of("d"), tag="1"))
    cleared = estate.decides("policy")
    estate.ask(UnlinkEnvironment(system_id=id_of("s"), environment_id=id_of("e")))
    estate.turn("planner")
    estate.append("policy", cleared)
    estate.run()
    estate.do(LinkEnvironment(system_id=id_of("s"), environment_id=id_of("e")))
    assert len(estate.facts(JobCreated)) == 1
