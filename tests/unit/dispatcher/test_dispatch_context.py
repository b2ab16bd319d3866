"""What a job's templates see is what people are shown of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.commands.dispatcher import RunWorkflow, SaveWorkflow
from contracts.envelope import Recorded
from contracts.facts.dispatcher import JobCreated
from contracts.facts.planner import DeploymentSaved, EnvironmentSaved, ReleaseItem, ReleasesCreated
from contracts.shapes import Json, WorkflowInput, WorkflowStep
from libs.eventlog.port import EventLog
from services.dispatcher.adapters.context import Documents
from services.gateway.adapters.memory import MemoryRows
from services.gateway.readmodel import patches_of
from services.gateway.rows import Change
from services.gateway.views import Views
from tests.unit.dispatcher.dispatcher_scene import DEPLOYMENT, ENVIRONMENT, Scene, id_of, release_of

texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=6)
documents = st.dictionaries(
    texts.map("k-{}".format), st.one_of(texts, st.integers(-9, 9), st.none(), st.lists(texts, max_size=2)), max_size=3
)


class Written:
    """The log of a scene, to be read."""

    def __init__(self, scene: Scene) -> None:
        self._log = scene.log

    async def read(self, workspace_id: str, after: int, limit: int) -> Sequence[Recorded]:
        return self._log[after : after + limit]

    async def read_stream(self, workspace_id: str, stream: str, after: int, limit: int) -> Sequence[Recorded]:
        return [one for one in self._log if one.stream == stream and one.position > after][:limit]


async def seen_and_shown(scene: Scene) -> tuple[Json, Json]:
    """The dispatch context of the newest job: as its templates see it, and as the gateway shows it."""
    rows = MemoryRows()
    changes = [Change(one.position, patch) for one in scene.log for patch in patches_of(one)]
    assert await rows.apply(scene.workspace_id, 0, len(scene.log), changes)
    newest = next(one for one in reversed(scene.log) if one.type.endswith("job_created.v1"))
    fact = cast(Any, newest.fact)
    (row,) = (await rows.many(scene.workspace_id, "job", [fact.job_id])).values()
    (job,) = await Views(rows, scene.workspace_id).jobs([row])
    read = Documents(cast(EventLog, Written(scene)))
    return await read.context_of(scene.workspace_id, newest.position, fact.job_agent_config), job["dispatchContext"]


@settings(max_examples=40, deadline=None)
@given(documents, documents, documents, st.sampled_from(("latest", "every")), st.sampled_from(("true", "false")), st.booleans())
def test_a_template_sees_what_the_api_shows(
    variables: Json, config: Json, labels: Json, supersession: Any, selector: str, edited: bool
) -> None:
    scene = Scene(resources={"eu-1": {key: str(value) for key, value in labels.items()}})
    scene.record(
        DeploymentSaved(
            deployment_id=DEPLOYMENT,
            name="shop",
            description="what we sell",
            resource_selector="true",
            job_agent_selector="true",
            job_agent_config=config,
            supersession=supersession,
            created_at=scene.now,
        ),
        EnvironmentSaved(environment_id=ENVIRONMENT, name="staging", resource_selector=selector, created_at=scene.now),
    )
    scene.save_agent(config={"from": "the agent"})
    scene.save_version("v1", {"from": "the version"})
    item = ReleaseItem(resource_id=id_of("eu-1"), release_id=id_of("release"), variables=variables)
    for _ in range(2):  # the second time it is the same release, of the same moment for everybody
        scene.record(
            ReleasesCreated(
                deployment_id=DEPLOYMENT,
                environment_id=ENVIRONMENT,
                version_id=id_of("v1"),
                items=(item,),
                cleared_at=scene.clear("v1"),
                created_at=scene.now,
            )
        )
        scene.advance(1)
        scene.finish("failure")
        scene.clear("v1")
        scene.run()
    if edited:
        scene.save_resource("eu-1", {"edited": "later"})
        scene.save_deployment(config={"edited": "later"})
        scene.save_agent(config={"edited": "later"})
    seen, shown = asyncio.run(seen_and_shown(scene))
    assert seen == shown
    assert seen["variables"] == variables
    assert seen["job"] == {"id": scene.jobs()[-1].job_id}
    assert seen["jobAgentConfig"]["from"] == "the version"
    assert seen["jobAgent"]["config"] == seen["jobAgentConfig"]


class Counted(tuple[ReleaseItem, ...]):
    """Releases that know how often they were gone through."""

    def __new__(cls, items: Iterable[ReleaseItem]) -> Self:
        made = super().__new__(cls, items)
        made.times = 0
        return made

    times: int

    def __iter__(self) -> Iterator[ReleaseItem]:
        self.times += 1
        return super().__iter__()

    def __reversed__(self) -> Iterator[ReleaseItem]:
        return reversed(list(self))


def test_each_job_of_a_rollout_finds_its_own_release_without_going_through_all_each_time() -> None:
    names = [f"eu-{number}" for number in range(20)]
    scene = Scene(*names)
    scene.save_agent()
    scene.save_version("v1")
    items = tuple(ReleaseItem(resource_id=id_of(one), release_id=release_of("v1", one), variables={"name": one}) for one in names)
    scene.record(
        ReleasesCreated(
            deployment_id=DEPLOYMENT,
            environment_id=ENVIRONMENT,
            version_id=id_of("v1"),
            items=items,
            cleared_at=scene.clear("v1", *names),
            created_at=scene.now,
        )
    )
    scene.run()
    read = Documents(cast(EventLog, Written(scene)))
    (made,) = (one.fact for one in scene.log if isinstance(one.fact, ReleasesCreated))
    counted = Counted(made.items)
    object.__setattr__(made, "items", counted)
    jobs = [one for one in scene.log if isinstance(one.fact, JobCreated)]
    assert len(jobs) == 20

    async def contexts() -> list[Json]:
        return [await read.context_of(scene.workspace_id, one.position, {}) for one in jobs]

    found = asyncio.run(contexts())
    names_of = {id_of(one): one for one in names}
    assert [one["variables"]["name"] for one in found] == [names_of[cast(JobCreated, one.fact).resource_id] for one in jobs]
    assert counted.times == 1


@settings(max_examples=20, deadline=None)
@given(documents, st.booleans(), st.booleans())
def test_a_template_of_a_workflow_s_job_sees_what_the_api_shows(inputs: Json, fans_out: bool, needs: bool) -> None:
    scene = Scene()
    agent_id = scene.save_agent("puller", config={"a": 1})
    step = WorkflowStep(name="first", ref=agent_id, config={"b": "{{.inputs}}"}, selector="true")
    other = WorkflowStep(name="second", ref=agent_id, config={}, selector="true", needs=("first",) if needs else ())
    scene.do(
        SaveWorkflow(
            workflow_id=id_of("workflow"),
            name="Restart",
            slug="restart",
            inputs=(WorkflowInput(key="why", type="string", default="because"),),
            job_agents=(step, other),
        )
    )
    chosen = {**inputs, **({"resourceSelector": "true"} if fans_out else {})}
    scene.do(RunWorkflow(workflow_id=id_of("workflow"), inputs=chosen))
    seen, shown = asyncio.run(seen_and_shown(scene))
    assert seen == shown
    assert seen["inputs"]["why"] == "because"
    assert ("resource" in seen) == fans_out
