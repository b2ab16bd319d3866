"""Documents that are put together from several rows: releases with their version, jobs with what they were made from, targets with
their state. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from contracts.documents import dispatch_context, instant, release_context, run_context, stamp
from contracts.shapes import ACTIVE, Json, Target
from services.gateway.attempts import newest_attempts
from services.gateway.readmodel import pair_key
from services.gateway.rows import Table
from services.gateway.store import NEWEST_FIRST, ReadStore


def shown(doc: Json) -> Json:
    """A row as the API shows it: without what is absent and what is the gateway's own."""
    return {key: value for key, value in doc.items() if value is not None and not key.startswith("$")}


_JOBS_LOOKED_THROUGH = 100
"""Newest jobs of a target among which its last good release is looked for."""

_PARTS: dict[Table, str] = {"resource": "resourceId", "environment": "environmentId", "deployment": "deploymentId"}
"""Where what a target is made of stands, and how it is named."""


def may_be_desired(release: Json) -> bool:
    """Whether a release is wanted where it is: one whose version may no longer be deployed runs on, and nothing is wanted instead."""
    return release["version"]["status"] in ("ready", "paused")


def _deadline(job: Json) -> str | None:
    """When a job fails unless it ended before: one that a person opened again has as much time as it had at first.

    None for a job of a workflow run that waits for a place: its time begins with its turn.
    """
    if job.get("$waits"):
        return None
    first: str = job["deadlineAt"]
    if not job.get("$reopenedAt"):
        return first
    again = instant(job["$reopenedAt"]) + (instant(first) - instant(job.get("$dispatchedAt") or job["createdAt"]))
    return max(first, stamp(again))


def _hold(target: Json | None, desired: str | None, newest_job: Json | None) -> Json | None:
    """What a target waits for whose release may go; it ends with the next job there, or with the release."""
    held: Json | None = target.get("$held") if target is not None else None
    if held is None or held["releaseId"] != desired:
        return None
    if newest_job is not None and newest_job["createdAt"] >= held["heldAt"]:
        return None
    where = f"at job agent {held['agentId']}" if held["agentId"] else "of the deployment"
    message = f"Waits for a free place: at most {held['limit']} jobs {where} run at once (`maxConcurrentJobs`)."
    return {**{name: value for name, value in held.items() if value != ""}, "message": message}


def _distinct(values: Iterable[str]) -> list[str]:
    return sorted({value for value in values if value})


class Views:
    """Documents of one workspace."""

    def __init__(self, store: ReadStore, workspace_id: str) -> None:
        self._store = store
        self._workspace_id = workspace_id

    async def systems_of(self, entity_ids: Sequence[str]) -> dict[str, list[Json]]:
        """The systems that each deployment or environment is linked to, in the order of linking."""
        links = await self._store.among(self._workspace_id, "link", "$entity", entity_ids)
        systems = await self._store.many(self._workspace_id, "system", _distinct(link["systemId"] for link in links))
        found: dict[str, list[Json]] = {one: [] for one in entity_ids}
        for link in links:
            if link["systemId"] in systems:
                found[link["$entity"]].append(shown(systems[link["systemId"]]))
        return found

    async def variables_of(self, deployment_id: str) -> list[Json]:
        """The variables of a deployment with their values, in the order in which they were declared."""
        rows = await self._store.among(self._workspace_id, "deployment_variable", "deploymentId", [deployment_id])
        return await self.with_values(rows)

    async def with_values(self, variables: Sequence[Json]) -> list[Json]:
        """Rows of variables, each with its values in the order in which these are tried."""
        ids = [one["id"] for one in variables]
        values = await self._store.among(self._workspace_id, "deployment_variable_value", "deploymentVariableId", ids)
        of: dict[str, list[Json]] = {one: [] for one in ids}
        for value in sorted(values, key=lambda one: (-one["priority"], one["id"])):
            of[value["deploymentVariableId"]].append(shown(value))
        return [{"variable": shown(one), "values": of[one["id"]]} for one in variables]

    async def dependencies(self, version_ids: Sequence[str]) -> dict[str, list[Json]]:
        """What each version depends on, by id of the deployment."""
        rows = await self._store.among(self._workspace_id, "dependency", "deploymentVersionId", version_ids)
        found: dict[str, list[Json]] = {one: [] for one in version_ids}
        for row in sorted(rows, key=lambda one: str(one["dependencyDeploymentId"])):
            found[row["deploymentVersionId"]].append(shown(row))
        return found

    async def with_dependencies(self, versions: Sequence[Json]) -> list[Json]:
        """Rows of versions, each with the selectors of what it depends on."""
        edges = await self.dependencies([one["id"] for one in versions])
        return [
            {
                **shown(one),
                "dependencies": {
                    edge["dependencyDeploymentId"]: {"versionSelector": edge["versionSelector"]} for edge in edges[one["id"]]
                },
            }
            for one in versions
        ]

    async def releases(self, release_ids: Iterable[str]) -> dict[str, Json]:
        """Releases by id, each with its version as that is now. A release goes with what it is of."""
        rows = await self._store.many(self._workspace_id, "release", _distinct(release_ids))
        versions = await self._store.many(self._workspace_id, "version", _distinct(row["$version"] for row in rows.values()))
        there: dict[str, dict[str, Json]] = {}
        for table, key in _PARTS.items():
            ids = _distinct(row["releaseTarget"][key] for row in rows.values())
            there[key] = await self._store.many(self._workspace_id, table, ids)
        return {
            row_id: {**shown(row), "version": shown(versions[row["$version"]])}
            for row_id, row in rows.items()
            if row["$version"] in versions and all(row["releaseTarget"][key] in found for key, found in there.items())
        }

    async def jobs(self, rows: Sequence[Json], *, with_context: bool = True) -> list[Json]:
        """Jobs in the given order; with their dispatch context, unless it is not wanted."""
        agents = await self._store.many(self._workspace_id, "agent", _distinct(row["jobAgentId"] for row in rows))
        contexts = await self._contexts(rows) if with_context else {}
        jobs = []
        for row in rows:
            # A deleted agent is named no longer.
            job = {**shown(row), "jobAgentId": row["jobAgentId"] if row["jobAgentId"] in agents else ""}
            deadline_at = _deadline(row)
            if deadline_at is None:
                del job["deadlineAt"]
            else:
                job["deadlineAt"] = deadline_at
            if row["id"] in contexts:
                job["dispatchContext"] = contexts[row["id"]]
            jobs.append(job)
        return jobs

    async def with_release(self, rows: Sequence[Json]) -> list[Json]:
        """Jobs, each beside its release and what the release is of, as these were when the job was made."""
        nested = []
        for job in await self.jobs(rows):
            context = job["dispatchContext"]
            entry = {"job": job}
            entry.update((key, context[key]) for key in ("release", "deployment", "environment", "resource") if key in context)
            nested.append(entry)
        return nested

    async def _contexts(self, rows: Sequence[Json]) -> dict[str, Json]:
        positions = _distinct(str(at) for row in rows for what, at in row["$snapshot"].items() if what != "release" and at)
        documents = await self._store.many(self._workspace_id, "history", positions)
        releases = await self._store.many(self._workspace_id, "release", _distinct(row["releaseId"] for row in rows))
        runs = await self._store.many(self._workspace_id, "workflow_run", _distinct(row["$run"] for row in rows if "$run" in row))
        return {
            row["id"]: self._context_in_run(row, documents, runs.get(row["$run"], {}))
            if "$run" in row
            else self._context(row, documents, releases.get(row["releaseId"]))
            for row in rows
        }

    def _context_in_run(self, row: Json, documents: dict[str, Json], run: Json) -> Json:
        snapshot = {what: documents.get(str(at)) for what, at in row["$snapshot"].items()}
        workflow, agent, resource = snapshot["workflow"], snapshot["agent"], snapshot["resource"]
        made_from: Json = {}
        if workflow is not None:
            shown_resource = shown(resource) if resource is not None else None
            made_from = run_context(row["$run"], shown(workflow), run.get("inputs", {}), row["id"], row["$step"], shown_resource)
        return dispatch_context(row["id"], row["jobAgentConfig"], shown(agent) if agent is not None else None, made_from)

    def _context(self, row: Json, documents: dict[str, Json], release: Json | None) -> Json:
        made_from: Json = {}
        for what in ("resource", "environment", "deployment", "version"):
            document = documents.get(str(row["$snapshot"][what]))
            if document is not None:
                made_from[what] = shown(document)
        if "environment" in made_from:
            made_from["environment"]["workspaceId"] = self._workspace_id
        if release is not None:
            made_from = release_context(shown(release), made_from)
        agent = documents.get(str(row["$snapshot"]["agent"]))
        config = row["jobAgentConfig"]
        # The agent of a release's job is shown with the merged configuration that the job runs with.
        shown_agent = {**shown(agent), "config": config} if agent is not None else None
        return dispatch_context(row["id"], config, shown_agent, made_from)

    async def states(self, target_keys: Sequence[str]) -> dict[str, Json]:
        """Of each target: desired and current release, its pin, and the newest job (a plain job, under `latestJob`)."""
        rows = await self._store.many(self._workspace_id, "target", target_keys)
        latest = await self._store.newest(self._workspace_id, "job", "$target", target_keys, by="$createdAt")
        succeeded = await self._store.newest(
            self._workspace_id, "job", "$target", target_keys, by="completedAt", where={"status": "successful"}
        )
        desired = {key: row["$desired"] for key, row in rows.items() if row.get("$desired")}
        current = {key: job["releaseId"] for key, job in succeeded.items()}
        releases = await self.releases([*desired.values(), *current.values()])
        ordered = [key for key in target_keys if key in latest]
        jobs = dict(zip(ordered, await self.jobs([latest[key] for key in ordered]), strict=True))
        pins = await self._effective_pins(target_keys)
        states: dict[str, Json] = {}
        desired = {key: one for key, one in desired.items() if one in releases and may_be_desired(releases[one])}
        holds = {key: hold for key in target_keys if (hold := _hold(rows.get(key), desired.get(key), latest.get(key)))}
        agents = await self._store.many(self._workspace_id, "agent", _distinct(one.get("agentId", "") for one in holds.values()))
        for key in target_keys:
            state: Json = {"pin": pins[key]} if key in pins else {}
            for name, of in (("desiredRelease", desired), ("currentRelease", current)):
                if of.get(key) in releases:
                    state[name] = releases[of[key]]
            if key in jobs:
                state["latestJob"] = jobs[key]
            # At an agent that is gone there are no places to wait for.
            if key in holds and ("agentId" not in holds[key] or holds[key]["agentId"] in agents):
                state["dispatchHold"] = holds[key]
            states[key] = state
        return states

    async def pins(self, keys: Iterable[str]) -> dict[str, Json]:
        """Pins by the keys under which they are; the scope of each is told by its key."""
        rows = await self._store.many(self._workspace_id, "pin", _distinct(keys))
        return {key: {**shown(row), "scope": "environment" if "/" in key else "target"} for key, row in rows.items()}

    async def _effective_pins(self, target_keys: Sequence[str]) -> dict[str, Json]:
        """The pin that holds for each target: its own one comes before that of its pair."""
        targets = {key: target for key in target_keys if (target := Target.parse(key)) is not None}
        pairs = {key: pair_key(target.deployment_id, target.environment_id) for key, target in targets.items()}
        pins = await self.pins([*targets, *pairs.values()])
        return {key: pin for key in targets if (pin := pins.get(key) or pins.get(pairs[key])) is not None}

    async def last_good(self, target_key: str) -> Json | None:
        """The release that a rollback of a target would go back to, as far as its newest jobs tell: not the desired one, not one of a
        version that was marked bad there or rejected; its newest job that ended succeeded, and its verification passed or it had none.
        """
        target = await self._store.get(self._workspace_id, "target", target_key)
        page = await self._store.find(
            self._workspace_id, "job", where={"$target": target_key}, order=NEWEST_FIRST, limit=_JOBS_LOOKED_THROUGH
        )
        succeeded = [row["id"] for row in page.items if row["status"] == "successful"]
        verdicts = newest_attempts(await self._store.among(self._workspace_id, "verification", "jobId", succeeded))
        unsure = {one["jobId"] for one in verdicts if one["status"] != "passed"}
        failed = {one["jobId"] for one in verdicts if one["status"] == "failed"}
        marks = await self._store.among(self._workspace_id, "mark", "$target", [target_key])
        marked = {one["versionId"] for one in marks}
        judged = {target.get("$desired") if target is not None else None}
        good: list[str] = []
        for row in page.items:
            release_id, is_good = row["releaseId"], row["status"] == "successful" and row["id"] not in unsure
            if is_good and release_id not in judged and row["$version"] not in marked:
                good.append(release_id)
            if is_good or row["id"] in failed or (row["status"] not in ACTIVE and row["status"] != "successful"):
                judged.add(release_id)
        releases = await self.releases(good)
        there = (releases[one] for one in good if one in releases)
        return next((one for one in there if one["version"]["status"] != "rejected"), None)
