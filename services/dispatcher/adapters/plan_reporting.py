"""Shows plans at the pull requests that their versions' metadata names: a comment, and a check run for each target."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, NamedTuple, cast
from weakref import WeakValueDictionary

from contracts.documents import stamp
from contracts.facts.dispatcher import JobAgentSaved, PlanRequested, PlanResultRecorded, PlanResultsStarted
from contracts.facts.inventory import ResourceSaved
from contracts.facts.planner import DeploymentSaved, EnvironmentSaved
from contracts.shapes import Json
from libs.eventlog.port import EventLog, LogUnavailable
from libs.runtime.service import Intent, NotYet
from services.dispatcher.adapters import plan_texts
from services.dispatcher.adapters.context import Documents
from services.dispatcher.adapters.github_api import GithubApi, KeyUnusable
from services.dispatcher.adapters.github_pulls import Pulls, Repository
from services.dispatcher.adapters.outcome import Held, Rejected
from services.dispatcher.adapters.plan_texts import Told
from services.dispatcher.fold_plan_reports import REST, target_of
from services.dispatcher.plan_state import Tally

LOOK_AGAIN_S: Final = 10.0
"""Before GitHub is told again that could not be told."""
MAX_TRIES: Final = 8
"""So often is something tried that breaks by a fault of ours, after pauses of 1, 2, 4 … s, about two minutes in all."""
MAX_SAID: Final = 1_000
MAX_KEPT: Final = 10_000
"""Repositories whose installations are remembered."""

log_ = logging.getLogger("signalbox.dispatcher")

_NAME: Final = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")
_SHA: Final = re.compile(r"[0-9a-fA-F]{7,64}")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,9}")
_AT: Final = re.compile(r" ([0-9]{1,18}) -->")


class _Unusable(Exception):
    """It can not be told, now or later; the message says what to mend."""


class _Where(NamedTuple):
    """What a version's metadata says of where it is from."""

    owner: str
    repo: str
    sha: str
    pull_request: int | None


def _named(told: Json) -> str:
    return f"{told['workspace_id']}/{told['plan_id']}/{told['number']}"


class PlanReporting:
    """Tells GitHub.

    Args:
        log: where plans and their results are.
        documents: what else they are of.
        public_url: where this is reached from outside, for links; empty for none.
        now: the time, for giving up.
    """

    def __init__(self, api: GithubApi, log: EventLog, documents: Documents, public_url: str, now: Callable[[], datetime]) -> None:
        self._api = api
        self._pulls = Pulls(api)
        self._log = log
        self._documents = documents
        self._public_url = public_url
        self._now = now
        self._repositories: dict[tuple[str, str], Repository] = {}
        self._broke: dict[str, int] = {}
        # Two plans of one deployment must not both find that there is no comment yet.
        self._commenting: WeakValueDictionary[tuple[str, str, int, str], asyncio.Lock] = WeakValueDictionary()

    async def perform(self, intent: Intent) -> dict[str, Any] | NotYet:
        """What was shown, or why nothing more will be; `NotYet` while GitHub can not be told.

        Raises: LogUnavailable.
        """
        told = intent.request
        done: dict[str, Any] = {
            key: told[key] for key in ("plan_id", "number", "what", "target", "state", "external_id", "pull_request")
        }
        try:
            result = await self._shown(told, done)
        except LogUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not be tried for ever
            return self._broken(told, done, error)
        self._broke.pop(_named(told), None)
        return result

    def _broken(self, told: Json, done: dict[str, Any], error: Exception) -> dict[str, Any] | NotYet:
        """A fault of ours: it may pass (an answer that has an unknown form, once), else nothing more of the plan is told."""
        name = _named(told)
        tries = self._broke.pop(name, 0) + 1
        if tries >= MAX_TRIES or self._now() >= datetime.fromisoformat(told["give_up_at"]):
            log_.error("a plan is reported no more: %s", type(error).__name__, exc_info=error, extra={"report": name})
            # What an unforeseen error says may be anything; the log of this process has it.
            return {**done, "error": f"Showing it broke {tries} times by an error of this service ({type(error).__name__})."}
        if len(self._broke) >= MAX_KEPT:
            self._broke.clear()
        self._broke[name] = tries
        log_.warning(
            "a report of a plan broke and is tried again: %s", type(error).__name__, exc_info=error, extra={"report": name}
        )
        return NotYet(2.0 ** (tries - 1))

    async def _shown(self, told: Json, done: dict[str, Any]) -> dict[str, Any] | NotYet:
        plan = cast(PlanRequested, await self._documents.at(told["workspace_id"], told["plan"]))
        try:
            where = _where(plan)
            repository = await self._repository(where)
            if told["what"] == "comment":
                done |= await self._comment(told, plan, where, repository)
            else:
                done["external_id"] = await self._check(told, plan, where, repository)
        except Rejected as no:
            self._repositories.clear()  # the App may have been installed anew, under another number
            return {**done, "error": f"{no.message}{_hint(no.status)}"[:MAX_SAID]}
        except (KeyUnusable, _Unusable) as error:
            return {**done, "error": str(error)[:MAX_SAID]}
        except Held as held:
            if self._now() < datetime.fromisoformat(told["give_up_at"]):
                return NotYet(max(held.retry_after_s or 0.0, LOOK_AGAIN_S))
            return {**done, "error": f"GitHub could not be told in time: {held.message}"[:MAX_SAID]}
        return {**done, "error": None}

    async def _repository(self, where: _Where) -> Repository:
        app = self._api.own
        if app is None:
            raise _Unusable(
                "The plan is shown at no pull request, since this service has no GitHub App: set SIGNALBOX_GITHUB_APP_ID and "
                "SIGNALBOX_GITHUB_PRIVATE_KEY_FILE."
            )
        known = self._repositories.get((where.owner, where.repo))
        if known is None:
            try:
                known = await self._pulls.repository(app, where.owner, where.repo)
            except Rejected as no:
                hint = f" Install the App in {where.owner}/{where.repo}." if no.status == 404 else ""
                raise _Unusable(f"{no.message}{hint}") from None
            if len(self._repositories) >= MAX_KEPT:
                self._repositories.clear()
            self._repositories[where.owner, where.repo] = known
        return known

    # --- the comment -------------------------------------------------------------------------------------------------------------

    async def _comment(self, told: Json, plan: PlanRequested, where: _Where, repository: Repository) -> dict[str, Any]:
        number = told["pull_request"] or where.pull_request or await self._pulls.pull_request(repository, where.sha)
        if number is None:
            return {}
        deployment = told["deployment_id"]
        if told["deployment"] is not None:
            deployment = cast(DeploymentSaved, await self._documents.at(told["workspace_id"], told["deployment"])).name
        # Comments of one deployment begin alike; where the plan was asked for tells a newer one from an older one.
        begins = f"<!-- signalbox:plan {told['workspace_id']}/{told['deployment_id']}"
        body = plan_texts.comment(
            f"{begins} {told['plan']} -->",
            plan.version.tag,
            deployment,
            told["targets"],
            Tally(**told["tally"]),
            self._link(told),
            done=told["state"] == "done",
        )
        key = (where.owner, where.repo, number, told["deployment_id"])
        lock = self._commenting.setdefault(key, asyncio.Lock())
        async with lock:
            known = await self._pulls.own_comment(repository, number, begins + " ")
            if known is not None and (at := _AT.search(known.body)) and int(at[1]) > told["plan"]:
                comment_id = known.id  # a newer plan is shown there
            else:
                comment_id = await self._pulls.comment(repository, number, body, known.id if known is not None else None)
        return {"external_id": comment_id, "pull_request": number}

    # --- checks ------------------------------------------------------------------------------------------------------------------

    async def _check(self, told: Json, plan: PlanRequested, where: _Where, repository: Repository) -> str:
        tally = Tally(**told["tally"])
        results = [await self._result(told["workspace_id"], started, recorded) for started, recorded in told["results"]]
        output = await asyncio.to_thread(plan_texts.output_of, tally, plan.version.tag, results)
        name = await self._name(told)
        external_id = f"{told['plan_id']}/{told['target']}"
        body: Json = {
            "name": name,
            "head_sha": where.sha,
            "external_id": external_id,
            "output": {"title": output.title, "summary": output.summary},
        }
        if link := self._link(told):
            body["details_url"] = link
        if told["state"] == "running":
            body |= {"status": "in_progress", "started_at": stamp(plan.created_at)}
        else:
            body |= {
                "status": "completed",
                "conclusion": plan_texts.conclusion_of(tally),
                "completed_at": stamp(self._now()),
            }
        check_id = told["external_id"] or await self._pulls.own_check(repository, where.sha, name, external_id)
        if check_id is not None:
            del body["head_sha"]
        return await self._pulls.check(repository, body, check_id)

    async def _name(self, told: Json) -> str:
        """As things were called when the plan was made: the check is found again by it."""
        workspace_id, target = told["workspace_id"], told["target"]
        fact = cast(PlanResultsStarted, await self._documents.at(workspace_id, told["first"]))
        item = next(one for one in fact.results if target in (REST, target_of(one)))
        deployment = cast(DeploymentSaved, await self._documents.at(workspace_id, item.deployment))
        if target == REST:
            return plan_texts.rest_name(deployment.name)
        environment = cast(EnvironmentSaved, await self._documents.at(workspace_id, item.environment))
        resource = cast(ResourceSaved, await self._documents.at(workspace_id, item.resource))
        return plan_texts.check_name(environment.name, resource.name, deployment.name)

    async def _result(self, workspace_id: str, started: int, position: int) -> Told:
        # Results are large and needed once or twice: they are not kept beside the documents.
        (recorded,) = await self._log.read(workspace_id, position - 1, 1)
        result = cast(PlanResultRecorded, recorded.fact)
        fact = cast(PlanResultsStarted, await self._documents.at(workspace_id, started))
        item = next(one for one in fact.results if one.result_id == result.result_id)
        environment = cast(EnvironmentSaved, await self._documents.at(workspace_id, item.environment))
        resource = cast(ResourceSaved, await self._documents.at(workspace_id, item.resource))
        agent = cast(JobAgentSaved, await self._documents.at(workspace_id, item.agent))
        return Told(environment.name, resource.name, agent.name, agent.type, result)

    def _link(self, told: Json) -> str:
        if not self._public_url:
            return ""
        return f"{self._public_url}/api/v1/workspaces/{told['workspace_id']}/deployments/{told['deployment_id']}/plan/{told['plan_id']}"


def _where(plan: PlanRequested) -> _Where:
    metadata = plan.version.metadata
    owner, repo, sha = (metadata[key].strip() for key in ("github/owner", "github/repo", "git/sha"))
    for key, value, pattern in (("github/owner", owner, _NAME), ("github/repo", repo, _NAME), ("git/sha", sha, _SHA)):
        if pattern.fullmatch(value) is None:
            raise _Unusable(
                f"The plan is shown at no pull request: the version's metadata {key} is {value[:100]!r}, which can be none."
            )
    number = metadata.get("github/pr", "").strip().removeprefix("#")
    return _Where(owner, repo, sha, int(number) if _NUMBER.fullmatch(number) else None)


def _hint(status: int) -> str:
    match status:
        case 403:
            return " The App needs to read and write checks, issues and pull requests there."
        case 404 | 422:
            return " Check that the commit and the pull request in the version's metadata are there."
        case _:
            return ""
