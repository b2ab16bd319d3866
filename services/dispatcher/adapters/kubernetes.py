"""`kubernetes`: applies manifests, and waits until they are there, or until the job's own Jobs are through.

What runs once (a Job, a Pod that is not restarted) is made under a name that tells whether this job has made it already; everything else
is applied on the server's side. Both may be done twice with the effect of once, so whatever is in doubt is simply done again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple, cast

from contracts.agents import KubernetesConfig
from contracts.shapes import JobStatus, Json
from libs.runtime.clock import now
from libs.webhooks.told import moment
from services.dispatcher.adapters.kubernetes_api import Cluster, KubernetesApi, NoSuchKind, Place, Served, Unusable
from services.dispatcher.adapters.kubernetes_manifests import JOB_LABEL, BadManifest, Manifest, defined_kinds, manifests
from services.dispatcher.adapters.kubernetes_plan import dry_run
from services.dispatcher.adapters.kubernetes_seen import APPLIED_AT, WATCHING, Seen, noted, told, watched
from services.dispatcher.adapters.outcome import Held, Rejected
from services.dispatcher.adapters.port import AgentAnswer, AgentRequest, CancelAnswer, Delayed, PlanAnswer, PlanRequest
from services.dispatcher.adapters.rendering import Unrenderable, rendered

MAX_RENDERED: Final = 256 * 1024
SOONEST_S: Final = 3.0
LATEST_S: Final = 30.0
REFUSED_S: Final = 60.0
"""Before an object is asked for again where the cluster refused to show it."""
DEFINED_S: Final = 2.0
"""Until a kind that was defined a moment ago is served."""

IN_FLIGHT: Final = timedelta(seconds=60)
"""A request that nobody waits for any more may still have its effect within so long: the API server ends it then."""
MAX_STOPPING: Final = 10_000


class _Wish(NamedTuple):
    """What a job is to have applied, and where."""

    cluster: Cluster
    namespace: str
    manifests: list[Manifest]
    job_id: str
    workspace_id: str

    @property
    def lasting(self) -> list[Manifest]:
        return [one for one in self.manifests if not one.is_run]

    @property
    def runs(self) -> list[Manifest]:
        return [one for one in self.manifests if one.is_run]

    def sent(self, manifest: Manifest, place: Place) -> Json:
        return manifest.as_sent(place.name, place.namespace, self.job_id, self.workspace_id)


class Kubernetes:
    """Applies, follows, stops.

    Args:
        api: the clusters.
        clock: tells the time, in UTC.
    """

    def __init__(self, api: KubernetesApi, *, clock: Callable[[], datetime] = now) -> None:
        self._api = api
        self._clock = clock
        self._stopping: OrderedDict[str, datetime] = OrderedDict()

    async def dispatch(self, request: AgentRequest) -> AgentAnswer | Delayed:
        """Apply what the template renders to, in its order; what runs once comes last, when all that it may need is there."""
        seen: list[Seen] = []
        try:
            wish = self._wish(request)
            return await self._apply(wish, seen)
        except (Unusable, Unrenderable, BadManifest, NoSuchKind) as why:
            return AgentAnswer(status="failure", message=f"{why.message}{_before(seen)}", metadata=noted(seen, self._clock()))
        except Held as held:
            return Delayed(message=held.message, retry_after_s=held.retry_after_s)
        except Rejected as no:
            # A job that has failed must not go on in the cluster beside the next one.
            held_up = await self._stop_of_failed(request, seen)
            status: JobStatus = "invalidIntegration" if no.status in (401, 403) else "failure"
            said = f"{no.message}{_hint(no.status)}{_before(seen)}"
            return held_up or AgentAnswer(status=status, message=said, metadata=noted(seen, self._clock()))

    async def observe(self, request: AgentRequest) -> AgentAnswer | Delayed:
        """Look at everything that takes its time."""
        seen = []
        try:
            cluster = self._api.cluster(KubernetesConfig.model_validate(request.config))
            for place, uid in watched(request.metadata.get(WATCHING)):
                found = await self._get(cluster, place)
                if found is None or found.uid != uid:
                    said = f"{place} is gone: somebody deleted it before it was through."
                    return AgentAnswer(status="externalRunNotFound", message=said)
                seen.append(found)
        except Held as held:
            return Delayed(message=held.message, retry_after_s=held.retry_after_s)
        except (Rejected, Unusable) as why:
            # What runs does not end because we may no longer look; the job's deadline does it, or whoever mends this.
            return Delayed(message=why.message, retry_after_s=REFUSED_S)
        if not seen:
            said = (
                f"The job's metadata {WATCHING} no longer says what was applied: "
                f"look into the cluster for the label {JOB_LABEL}={request.job_id}."
            )
            return AgentAnswer(status="externalRunNotFound", message=said)
        if any(one.standing.state == "failed" for one in seen) and (held_up := await self._stop_of_failed(request, seen)):
            return held_up
        return self._stands(seen, moment(request.metadata.get(APPLIED_AT)))

    async def cancel(self, request: AgentRequest) -> CancelAnswer | Delayed:
        """Delete the Jobs and Pods that the job made, if they still run; what else was applied stays."""
        known = watched(request.metadata.get(WATCHING))
        try:
            cluster = self._api.cluster(KubernetesConfig.model_validate(request.config))
            runs = [one for one in known if one[0].kind in ("Job", "Pod")] if known else await self._own(self._wish(request))
            stopped = await self._stop_all(cluster, runs, request.job_id)
        except (Unrenderable, BadManifest, NoSuchKind):
            return CancelAnswer(stopped=True, message="Nothing was applied: the template renders to nothing that can be.")
        except Held as held:
            return Delayed(message=held.message, retry_after_s=held.retry_after_s)
        except (Rejected, Unusable) as why:
            return CancelAnswer(stopped=False, message=why.message)
        if stopped:
            return CancelAnswer(stopped=True, message=f"{told(stopped)}.")
        if known:
            return CancelAnswer(
                stopped=False, message=f"What was applied stays, and goes on: {told(place for place, _ in known)}."
            )
        return self._nothing_there(request.job_id)

    async def plan(self, request: PlanRequest) -> PlanAnswer | Delayed:
        """What applying would change, as the API server itself says."""
        try:
            wish = self._wish(request)
            return await dry_run(self._api, wish.cluster, wish.namespace, wish.manifests, request.result_id)
        except Held as held:
            return Delayed(message=held.message, retry_after_s=held.retry_after_s)
        except (Unusable, Unrenderable, BadManifest, NoSuchKind, Rejected) as why:
            return PlanAnswer(status="errored", message=why.message)

    def _wish(self, request: AgentRequest | PlanRequest) -> _Wish:
        """Raises: Unusable, Unrenderable, BadManifest."""
        config = KubernetesConfig.model_validate(request.config)
        found = manifests(rendered("template", config.template, request.context, longest=MAX_RENDERED))
        job_id = request.job_id if isinstance(request, AgentRequest) else ""
        return _Wish(self._api.cluster(config), config.namespace, found, job_id, request.workspace_id)

    async def _apply(self, wish: _Wish, seen: list[Seen]) -> AgentAnswer:
        """Apply everything; `seen` grows with it. Raises: NoSuchKind, Held, Rejected."""
        coming = defined_kinds(wish.manifests)
        for one in wish.manifests:
            if (one.api_version, one.kind) not in coming:
                await self._served(wish, one, coming)  # before anything is applied
        for one in wish.lasting:
            seen.append(await self._lasting(wish, one, await self._served(wish, one, coming)))
        places = [self._places(wish, one, await self._served(wish, one, coming)) for one in wish.runs]
        if len(places) > 1:
            # None begins if one of them can not: what began would have to be stopped, and begin a second time.
            for one, where in zip(wish.runs, places, strict=True):
                await self._api.create(wish.cluster, where[-1], wish.sent(one, where[-1]), dry_run=True)
        for one, where in zip(wish.runs, places, strict=True):
            seen.append(await self._run(wish, one, where))
        main = next((one for one in seen if one.is_run), next((one for one in seen if one.is_watched), seen[0]))
        answer = self._stands(seen, self._clock())
        return answer.model_copy(update={"external_id": main.uid, "metadata": noted(seen, self._clock())})

    async def _served(self, wish: _Wish, one: Manifest, coming: frozenset[tuple[str, str]]) -> Served:
        try:
            return await self._api.served(wish.cluster, one.api_version, one.kind)
        except NoSuchKind as unknown:
            if (one.api_version, one.kind) not in coming:
                raise
            raise Held(f"{unknown.message} It was defined a moment ago.", DEFINED_S) from None

    async def _lasting(self, wish: _Wish, one: Manifest, served: Served) -> Seen:
        place = self._places(wish, one, served)[0]
        seen = Seen(place, cast(Json, await self._api.apply(wish.cluster, place, wish.sent(one, place))))
        if seen.standing.state == "gone":
            raise Held(f"{place} is being deleted; it is applied once that is over.")
        return seen

    async def _run(self, wish: _Wish, one: Manifest, places: Sequence[Place]) -> Seen:
        """Make what runs once, unless this job has made it: under the name that was wished if that is free, else under one of its own."""
        for place in places:
            found = await self._get(wish.cluster, place)
            if found is not None and found.is_of(wish.job_id):
                return found
        for place in places:
            made = await self._api.create(wish.cluster, place, wish.sent(one, place))
            if made is not None:
                return Seen(place, made)
        # Its own name is taken: by an earlier request of ours that came late, or by nobody who means well.
        found = await self._get(wish.cluster, places[-1])
        if found is not None and found.is_of(wish.job_id):
            return found
        raise Held(f"{places[-1]} can not be made: another object has its name.")

    async def _own(self, wish: _Wish) -> list[tuple[Place, str]]:
        """The job's own runs that are there, by their names. Raises: NoSuchKind, Held, Rejected."""
        own = []
        for one in wish.runs:
            for place in self._places(wish, one, await self._api.served(wish.cluster, one.api_version, one.kind)):
                found = await self._get(wish.cluster, place)
                if found is not None and found.is_of(wish.job_id):
                    own.append((place, found.uid))
        return own

    def _places(self, wish: _Wish, one: Manifest, served: Served) -> list[Place]:
        """Where an object may be, the place that is wished first; only what runs once may be elsewhere."""
        namespace = (one.namespace or wish.namespace) if served.namespaced else None
        own = [one.own_name(wish.job_id)] if one.is_run or not one.name else []
        names = [one.name, *own] if one.name else own
        return [Place(one.api_version, one.kind, served.plural, namespace, name) for name in names]

    async def _get(self, cluster: Cluster, place: Place) -> Seen | None:
        document = await self._api.get(cluster, place)
        return Seen(place, document) if document is not None else None

    async def _stop_of_failed(self, request: AgentRequest, seen: Sequence[Seen]) -> Delayed | None:
        """Stop what still runs of a job that has failed; where that has to wait, so has the failure."""
        try:
            cluster = self._api.cluster(KubernetesConfig.model_validate(request.config))
            await self._stop_all(cluster, [(one.place, one.uid) for one in seen if one.is_run], request.job_id)
        except Held as held:
            return Delayed(message=held.message, retry_after_s=held.retry_after_s)
        except (Rejected, Unusable):
            return None  # it can not be stopped, and the failure says what was applied
        return None

    async def _stop_all(self, cluster: Cluster, runs: Sequence[tuple[Place, str]], job_id: str) -> list[str]:
        """Delete what still runs; what became of each, for people. Raises: Held, Rejected."""
        return [f"{place} {await self._stop(cluster, place, uid, job_id)}" for place, uid in runs]

    async def _stop(self, cluster: Cluster, place: Place, uid: str, job_id: str) -> str:
        found = await self._get(cluster, place)
        # People may write anything into a job's metadata: only what says itself that it is this job's is deleted.
        if found is None or found.uid != uid or not found.is_of(job_id):
            return "is gone"
        if found.standing.state != "running":
            return found.standing.said
        return "is deleted" if await self._api.delete(cluster, place, uid) else "is gone"

    def _nothing_there(self, job_id: str) -> CancelAnswer | Delayed:
        """Nothing was found. What was sent and never answered may still come, so it is looked for twice."""
        since = self._stopping.setdefault(job_id, self._clock())
        if len(self._stopping) > MAX_STOPPING:
            self._stopping.popitem(last=False)
        left_s = (since + IN_FLIGHT - self._clock()).total_seconds()
        said = "Nothing of the job runs in the cluster."
        if left_s > 0:
            return Delayed(
                message=f"{said} It is looked for once more, in case a request is still on its way.", retry_after_s=left_s
            )
        self._stopping.pop(job_id, None)
        return CancelAnswer(stopped=True, message=said)

    def _stands(self, seen: Sequence[Seen], applied_at: datetime | None) -> AgentAnswer:
        failed = [one for one in seen if one.standing.state == "failed"]
        if failed:
            return AgentAnswer(status="failure", message=f"{told(failed)}.")
        gone = [one for one in seen if one.standing.state == "gone"]
        if gone:
            return AgentAnswer(status="externalRunNotFound", message=f"{told(gone)}.")
        open_ = [one for one in seen if one.standing.state == "running"]
        if not open_:
            return AgentAnswer(status="successful", message=f"{told(seen)}.")
        age_s = (self._clock() - applied_at).total_seconds() if applied_at is not None else LATEST_S
        later_s = min(max(age_s / 10, SOONEST_S), LATEST_S)
        return AgentAnswer(status="inProgress", message=f"{told(open_)}.", look_again_s=later_s)


def _before(seen: Sequence[Seen]) -> str:
    return f" Applied before it: {told(one.place for one in seen)}." if seen else ""


def _hint(status: int) -> str:
    match status:
        case 401:
            return " Check the token: it may have ended."
        case 403:
            return " Check what the token's account may do there: it must get, create, patch and delete what the template names."
        case 404:
            return " Check the namespace: it must be there, or come first in the template."
        case _:
            return ""
