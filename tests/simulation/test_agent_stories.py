"""Stories of agents that come late, never claim, or get too much, told to all five services."""

from __future__ import annotations

from contracts.commands.planner import SaveDeployment
from tests.simulation.stories import all_run, guarded, message
from tests.simulation.yard import Yard


def test_jobs_wait_for_an_agent_that_comes_later() -> None:
    yard = guarded()
    yard.no_agent()
    yard.post("api", "v1")
    yard.advance(30)
    assert "picks none of 0 job agents" in message(yard, "staging")
    assert message(yard, "staging").endswith("What ends it: a job agent that matches, or a newer version.")
    yard.agent()
    yard.advance(60)
    assert all_run(yard, "v1")


def test_a_pull_agent_that_never_claims_is_a_failure_at_the_deadline() -> None:
    yard = Yard(kind="http-pull")
    yard.post("api", "v1")
    assert "the job agent, which has not claimed it" in message(yard, "staging")
    yard.advance(3601)
    assert "nobody claimed it" in message(yard, "staging")


def test_configurations_that_are_too_large_together_fail_the_job_and_say_so() -> None:
    yard = Yard()
    yard.agent(pad="x" * 150_000)
    config = {"more": "y" * 150_000}
    yard.do(
        SaveDeployment(
            deployment_id=yard.deployments["api"],
            name="api",
            resource_selector="true",
            job_agent_selector="true",
            job_agent_config=config,
        )
    )
    yard.post("api", "v1")
    yard.advance(10)
    assert {job.status for job in yard.jobs("v1")} == {"failure"}
    assert "shorten one of them" in message(yard, "staging")
