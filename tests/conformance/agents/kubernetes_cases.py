"""What the `kubernetes` agent does on any API server: these tests run on the pretended one, and by hand on a real one.

Neither runs what is applied: the tests write the statuses that controllers would write.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml

from contracts.shapes import Json
from services.dispatcher.adapters.kubernetes_manifests import JOB_LABEL, WORKSPACE_ANNOTATION
from services.dispatcher.adapters.kubernetes_seen import APPLIED
from services.dispatcher.adapters.port import AgentAnswer, CancelAnswer, Delayed
from tests.conformance.agents.agent_scenes import JOB, OTHER, answered, following
from tests.conformance.agents.kubernetes_scenes import (
    CONFIG_MAP,
    FAILED,
    POD_SPEC,
    RUN,
    RUNNING,
    SUCCEEDED,
    UNNAMED,
    WORKSPACE,
    House,
    rolled,
)


class ClusterCases:
    """Needs a fixture `house`."""

    # --- what is only applied --------------------------------------------------------------------------------------------------

    async def test_what_has_nothing_to_wait_for_is_done_when_it_is_applied(self, house: House) -> None:
        answer, after = await house.handed(house.job(CONFIG_MAP))
        there = await house.there("ConfigMap", "settings")
        assert (answer.status, answer.look_again_s) == ("successful", None)
        assert there["data"] == {"tag": "v1.2.3"}
        assert there["metadata"]["labels"] == {JOB_LABEL: JOB}
        assert there["metadata"]["annotations"] == {WORKSPACE_ANNOTATION: WORKSPACE}
        assert answer.external_id == there["metadata"]["uid"]
        assert after.metadata[APPLIED] == f"ConfigMap {house.namespace}/settings"
        assert f"ConfigMap {house.namespace}/settings is applied" in (answer.message or "")

    async def test_what_is_applied_no_more_is_taken_away_and_what_others_wrote_stays(self, house: House) -> None:
        await house.handed(house.job(CONFIG_MAP.replace("\ndata: {", "\ndata: {old: x, ")))
        await house.agent.dispatch(house.job(CONFIG_MAP, job_id=OTHER))
        there = await house.there("ConfigMap", "settings")
        assert there["data"] == {"tag": "v1.2.3"}
        assert there["metadata"]["labels"] == {JOB_LABEL: OTHER}

    async def test_applying_again_changes_nothing(self, house: House) -> None:
        await house.handed(house.job(CONFIG_MAP))
        before = await house.there("ConfigMap", "settings")
        answer = answered(await house.restarted().dispatch(house.job(CONFIG_MAP, again=True)))
        assert answer.status == "successful"
        assert (await house.there("ConfigMap", "settings"))["metadata"]["uid"] == before["metadata"]["uid"]

    async def test_several_manifests_and_lists_are_applied(self, house: House) -> None:
        listed = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: one}}\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: two}}"
        answer, _ = await house.handed(house.job(CONFIG_MAP, listed))
        assert answer.status == "successful"
        for name in ("settings", "one", "two"):
            await house.there("ConfigMap", name)

    async def test_a_name_is_made_of_the_job_where_the_manifest_asks_for_one(self, house: House) -> None:
        template = CONFIG_MAP.replace("name: settings", "generateName: settings-")
        first, _ = await house.handed(house.job(template))
        again = answered(await house.restarted().dispatch(house.job(template, again=True)))
        other, _ = await house.handed(house.job(template, job_id=OTHER))
        assert first.external_id == again.external_id != other.external_id

    # --- what runs once --------------------------------------------------------------------------------------------------------

    async def test_a_job_is_followed_to_its_end(self, house: House) -> None:
        answer, job = await house.handed(house.job(CONFIG_MAP, RUN))
        there = await house.there("Job", "migrate")
        assert (answer.status, answer.external_id) == ("inProgress", there["metadata"]["uid"])
        assert answer.look_again_s is not None
        assert there["spec"]["template"]["spec"]["containers"][0]["image"] == "shop:v1.2.3"
        await house.status("Job", "migrate", RUNNING)
        running = await house.seen(job)
        assert running.status == "inProgress"
        assert "runs: 1 active, 0 of 1 succeeded" in (running.message or "")
        await house.status("Job", "migrate", SUCCEEDED)
        done = await house.seen(job)
        assert (done.status, done.look_again_s) == ("successful", None)

    async def test_a_job_that_fails_says_why(self, house: House) -> None:
        _, job = await house.handed(house.job(RUN))
        await house.status("Job", "migrate", FAILED)
        failed = await house.seen(job)
        assert failed.status == "failure"
        assert "failed (BackoffLimitExceeded: Job has reached the specified backoff limit)" in (failed.message or "")

    async def test_handing_over_again_finds_the_job_that_was_made(self, house: House) -> None:
        for template in (RUN, UNNAMED.replace("migrate-", "other-")):
            first, job = await house.handed(house.job(template))
            again = answered(await house.restarted().dispatch(house.job(template, again=True)))
            assert again.external_id == first.external_id
            assert await house.runs(job) == await house.runs(following(house.job(template), again))

    async def test_a_job_is_made_under_a_name_of_its_own_where_another_one_has_the_name(self, house: House) -> None:
        _, first = await house.handed(house.job(RUN))
        _, second = await house.handed(house.job(RUN, job_id=OTHER))
        (name,) = await house.runs(second)
        assert await house.runs(first) == ["migrate"]
        assert name.startswith("migrate-")
        assert (await house.there("Job", name))["metadata"]["labels"][JOB_LABEL] == OTHER
        # Once the first one is cleared away, its name is no reason to run the second one again.
        await house.ask("DELETE", house.path("Job", "migrate"), {"propagationPolicy": "Background"})
        again = answered(await house.restarted().dispatch(house.job(RUN, job_id=OTHER, again=True)))
        assert again.external_id == second.external_id
        assert await house.ask("GET", house.path("Job", "migrate")) is None

    async def test_a_job_that_was_deleted_is_not_run_again(self, house: House) -> None:
        _, job = await house.handed(house.job(RUN))
        await house.ask("DELETE", house.path("Job", "migrate"), {"propagationPolicy": "Background"})
        gone = await house.seen(job)
        assert gone.status == "externalRunNotFound"
        assert f"Job {house.namespace}/migrate is gone" in (gone.message or "")
        await house.handed(house.job(RUN, job_id=OTHER))
        assert (await house.seen(job)).status == "externalRunNotFound", "another Job of the same name is another Job"

    async def test_a_job_does_not_delete_itself_before_its_end_was_seen(self, house: House) -> None:
        await house.handed(house.job(RUN.replace("spec: {template", "spec: {ttlSecondsAfterFinished: 0, template")))
        assert (await house.there("Job", "migrate"))["spec"]["ttlSecondsAfterFinished"] == 3600

    async def test_a_pod_that_runs_once_is_followed_to_its_end(self, house: House) -> None:
        pod = f"apiVersion: v1\nkind: Pod\nmetadata: {{name: smoke}}\nspec: {POD_SPEC}"
        answer, job = await house.handed(house.job(pod))
        assert answer.status == "inProgress"
        await house.status("Pod", "smoke", {"phase": "Failed", "reason": "Evicted", "message": "the node was low on memory"})
        failed = await house.seen(job)
        assert failed.status == "failure"
        assert "Evicted the node was low on memory" in (failed.message or "")

    # --- what is rolled out ----------------------------------------------------------------------------------------------------

    async def test_a_deployment_is_followed_until_it_is_rolled_out(self, house: House) -> None:
        answer, job = await house.handed(house.job(rolled("Deployment")))
        assert answer.status == "inProgress"
        generation = (await house.there("Deployment", "web"))["metadata"]["generation"]
        steps: list[tuple[Json, str]] = [
            ({"replicas": 3, "updatedReplicas": 1}, "1 of 3 replicas are updated"),
            ({"replicas": 4, "updatedReplicas": 3}, "1 old replicas are to end"),
            (
                {"replicas": 3, "updatedReplicas": 3, "readyReplicas": 2, "availableReplicas": 2},
                "2 of 3 updated replicas are available",
            ),
        ]
        for status, said in steps:
            await house.status("Deployment", "web", {"observedGeneration": generation, **status})
            seen = await house.seen(job)
            assert (seen.status, said in (seen.message or "")) == ("inProgress", True), seen
        whole = {"replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3}
        await house.status("Deployment", "web", {"observedGeneration": generation, **whole})
        assert (await house.seen(job)).status == "successful"

    async def test_the_status_of_an_earlier_rollout_does_not_count(self, house: House) -> None:
        _, job = await house.handed(house.job(rolled("Deployment")))
        whole = {"replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3, "observedGeneration": 1}
        await house.status("Deployment", "web", whole)
        assert (await house.seen(job)).status == "successful"
        answer, _ = await house.handed(house.job(rolled("Deployment").replace("image: web", "image: web2"), job_id=OTHER))
        assert answer.status == "inProgress"
        assert "waits for its controller" in (answer.message or "")

    async def test_a_deployment_that_does_not_come_up_is_a_failure(self, house: House) -> None:
        _, job = await house.handed(house.job(rolled("Deployment")))
        stuck = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}
        await house.status("Deployment", "web", {"observedGeneration": 1, "replicas": 1, "conditions": [stuck]})
        failed = await house.seen(job)
        assert failed.status == "failure"
        assert "exceeded its progress deadline (ProgressDeadlineExceeded: timed out)" in (failed.message or "")

    async def test_stateful_sets_and_daemon_sets_are_followed(self, house: House) -> None:
        _, job = await house.handed(house.job(rolled("StatefulSet"), rolled("DaemonSet")))
        revisions = {"currentRevision": "a", "updateRevision": "a"}
        await house.status("StatefulSet", "web", {"observedGeneration": 1, "replicas": 3, "readyReplicas": 2, **revisions})
        nodes = {"currentNumberScheduled": 2, "numberMisscheduled": 0, "desiredNumberScheduled": 2, "numberReady": 2}
        await house.status("DaemonSet", "web", {"observedGeneration": 1, "updatedNumberScheduled": 1, **nodes})
        seen = await house.seen(job)
        assert seen.status == "inProgress"
        assert "2 of 3 replicas are ready" in (seen.message or "")
        assert "1 of 2 pods are updated" in (seen.message or "")
        await house.status("StatefulSet", "web", {"observedGeneration": 1, "replicas": 3, "readyReplicas": 3, **revisions})
        done = {"updatedNumberScheduled": 2, "numberAvailable": 2}
        await house.status("DaemonSet", "web", {"observedGeneration": 1, **nodes, **done})
        assert (await house.seen(job)).status == "successful"

    # --- what can not be applied -----------------------------------------------------------------------------------------------

    async def test_a_kind_that_is_not_served_is_a_failure_before_anything_is_applied(self, house: House) -> None:
        strange = "apiVersion: strange.example/v1\nkind: Thing\nmetadata: {name: x}"
        answer, _ = await house.handed(house.job(CONFIG_MAP, strange))
        assert answer.status == "failure"
        assert "serves no Thing of strange.example/v1" in (answer.message or "")
        assert await house.ask("GET", house.path("ConfigMap", "settings")) is None

    async def test_a_namespace_that_is_not_there_is_a_failure_that_says_so(self, house: House) -> None:
        answer, _ = await house.handed(house.job(CONFIG_MAP, namespace="nowhere"))
        assert answer.status == "failure"
        assert 'namespaces "nowhere" not found' in (answer.message or "")
        assert "Check the namespace" in (answer.message or "")

    async def test_a_manifest_that_is_not_valid_is_a_failure_with_the_clusters_words(self, house: House) -> None:
        answer, _ = await house.handed(house.job(CONFIG_MAP, rolled("Deployment").split("spec:")[0] + "spec: {replicas: 1}"))
        assert answer.status == "failure"
        assert "422" in (answer.message or "")
        assert "Applied before it: ConfigMap" in (answer.message or "")

    @pytest.mark.parametrize(
        "template",
        [
            CONFIG_MAP.replace("name: settings", "name: settings, nothing: x"),
            RUN.replace("spec: {template", "spec: {nothing: x, template"),
        ],
        ids=["applied", "made"],
    )
    async def test_a_field_that_the_kind_does_not_have_is_a_failure(self, house: House, template: str) -> None:
        answer, _ = await house.handed(house.job(template))
        assert answer.status == "failure"
        assert "nothing" in (answer.message or "")
        assert (await house.plan(template)).status == "errored"

    async def test_of_several_jobs_none_begins_where_one_can_not(self, house: House) -> None:
        invalid = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: broken}\nspec: {}"
        answer, _ = await house.handed(house.job(RUN, invalid))
        assert answer.status == "failure"
        assert await house.ask("GET", house.path("Job", "migrate")) is None

    async def test_a_token_that_is_not_known_is_an_integration_that_can_not_be_used(self, house: House) -> None:
        answer, _ = await house.handed(house.job(CONFIG_MAP, token="wrong"))
        assert answer.status == "invalidIntegration"
        assert "401: Unauthorized. Check the token" in (answer.message or "")
        assert "wrong" not in (answer.message or "")

    async def test_what_a_definition_defines_is_applied_once_it_is_served(self, house: House) -> None:
        group = f"{house.namespace}.example"
        definition = f"""
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: things.{group}}}
spec:
  group: {group}
  scope: Namespaced
  names: {{plural: things, singular: thing, kind: Thing, listKind: ThingList}}
  versions:
  - {{name: v1, served: true, storage: true, schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}}}
"""
        thing = f"apiVersion: {group}/v1\nkind: Thing\nmetadata: {{name: first}}\nsize: 3"
        planned = await house.plan(definition, thing)
        assert (planned.status, planned.has_changes) == ("completed", True)
        answer: AgentAnswer | Delayed = Delayed(message="not tried yet")
        for _ in range(200):
            answer = await house.agent.dispatch(house.job(definition, thing))
            if isinstance(answer, AgentAnswer):
                break
            assert answer.retry_after_s == 2.0
            house.clock.forward(answer.retry_after_s)
        assert answered(answer).status == "successful"
        there = await house.ask("GET", f"/apis/{group}/v1/namespaces/{house.namespace}/things/first")
        assert there is not None
        assert there["size"] == 3

    # --- stopping --------------------------------------------------------------------------------------------------------------

    async def test_stopping_deletes_the_job_and_nothing_else(self, house: House) -> None:
        _, job = await house.handed(house.job(CONFIG_MAP, RUN))
        answer = await house.agent.cancel(job)
        assert answer == CancelAnswer(stopped=True, message=f"Job {house.namespace}/migrate is deleted.")
        left = await house.ask("GET", house.path("Job", "migrate"))
        assert left is None or left["metadata"]["finalizers"] == ["foregroundDeletion"]
        await house.there("ConfigMap", "settings")
        assert isinstance(again := await house.agent.cancel(job), CancelAnswer)
        assert again.stopped

    async def test_stopping_finds_a_job_whose_making_was_never_recorded(self, house: House) -> None:
        await house.handed(house.job(RUN))
        answer = await house.restarted().cancel(house.job(RUN))
        assert answer == CancelAnswer(stopped=True, message=f"Job {house.namespace}/migrate is deleted.")

    async def test_a_job_that_has_ended_is_not_deleted(self, house: House) -> None:
        _, job = await house.handed(house.job(RUN))
        await house.status("Job", "migrate", SUCCEEDED)
        answer = await house.agent.cancel(job)
        assert answer == CancelAnswer(stopped=True, message=f"Job {house.namespace}/migrate is through: 1 succeeded.")
        await house.there("Job", "migrate")

    async def test_another_jobs_objects_are_not_deleted(self, house: House) -> None:
        _, job = await house.handed(house.job(RUN))
        assert isinstance(answer := await house.agent.cancel(replace(job, job_id=OTHER)), CancelAnswer)
        assert answer.message == f"Job {house.namespace}/migrate is gone."
        assert "deletionTimestamp" not in (await house.there("Job", "migrate"))["metadata"]

    async def test_a_rollout_goes_on(self, house: House) -> None:
        _, job = await house.handed(house.job(rolled("Deployment")))
        assert isinstance(answer := await house.agent.cancel(job), CancelAnswer)
        assert not answer.stopped
        assert "stays, and goes on: Deployment" in (answer.message or "")

    # --- dry runs --------------------------------------------------------------------------------------------------------------

    async def test_a_dry_run_shows_what_is_new_and_keeps_nothing(self, house: House) -> None:
        plan = await house.plan(CONFIG_MAP, rolled("Deployment"), RUN)
        assert (plan.status, plan.has_changes, plan.current) == ("completed", True, "")
        config_map, deployment, job = yaml.safe_load_all(plan.proposed)
        assert config_map == {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "settings", "namespace": house.namespace},
            "data": {"tag": "v1.2.3"},
        }
        assert set(deployment["metadata"]) == {"name", "namespace"}
        assert "status" not in deployment
        assert job["metadata"]["name"] == "migrate"
        assert "controller-uid" not in plan.proposed
        for kind, name in (("ConfigMap", "settings"), ("Deployment", "web"), ("Job", "migrate")):
            assert await house.ask("GET", house.path(kind, name)) is None
        assert await house.plan(CONFIG_MAP, rolled("Deployment"), RUN) == plan

    async def test_a_dry_run_of_what_is_there_changes_nothing(self, house: House) -> None:
        await house.handed(house.job(CONFIG_MAP, rolled("Deployment")))
        await house.status("Deployment", "web", {"observedGeneration": 1, "replicas": 3})
        plan = await house.plan(CONFIG_MAP, rolled("Deployment"))
        assert (plan.status, plan.has_changes) == ("completed", False)
        assert plan.current == plan.proposed
        assert plan.message == "Nothing would change: 2 objects are as they are wished."

    async def test_a_dry_run_shows_what_changes(self, house: House) -> None:
        await house.handed(house.job(CONFIG_MAP, rolled("Deployment")))
        plan = await house.plan(CONFIG_MAP.replace("{{.version.tag}}", "v2"), rolled("Deployment"))
        assert plan.has_changes
        assert "tag: v1.2.3" in plan.current
        assert "tag: v2" in plan.proposed
        assert plan.message == "1 of 2 objects would change: ConfigMap settings."
        assert (await house.there("ConfigMap", "settings"))["data"] == {"tag": "v1.2.3"}

    async def test_a_dry_run_hides_the_values_of_secrets(self, house: House) -> None:
        secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: keys}\ndata: {same: c2FtZQ==, other: %s}"
        await house.handed(house.job(secret % "b2xk"))
        plan = await house.plan(secret % "bmV3")
        assert plan.has_changes
        assert "other: '*** (before)'" in plan.current
        assert "other: '*** (after)'" in plan.proposed
        for value in ("c2FtZQ==", "b2xk", "bmV3"):
            assert value not in plan.current + plan.proposed
        assert (await house.plan(secret % "b2xk")).has_changes is False

    async def test_a_dry_run_into_a_namespace_that_is_part_of_the_change(self, house: House) -> None:
        name = f"{house.namespace}-new"
        template = f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}"
        plan = await house.plan(template, CONFIG_MAP, namespace=name)
        assert (plan.status, plan.has_changes) == ("completed", True)
        answer, _ = await house.handed(house.job(template, CONFIG_MAP, namespace=name))
        assert answer.status == "successful"
        assert await house.ask("GET", f"/api/v1/namespaces/{name}/configmaps/settings") is not None

    async def test_a_dry_run_that_is_refused_says_why(self, house: House) -> None:
        plan = await house.plan(rolled("Deployment").split("spec:")[0] + "spec: {replicas: 1}")
        assert plan.status == "errored"
        assert "422" in plan.message
