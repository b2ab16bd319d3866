"""`kubernetes`: looks whether workloads of a cluster are rolled out.

https://kubernetes.io/docs/reference/using-api/api-concepts/
https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, Self, TypeAlias
from urllib.parse import quote, urlencode

from pydantic import Field, model_validator

from contracts.shapes import Json
from libs.kubernetes import label_selectors
from libs.kubernetes.rollouts import MISSING, Kind, Rollout, rollout
from libs.metric_providers.addresses import base_of, with_scheme
from libs.metric_providers.answers import heed_limits
from libs.metric_providers.http import party_of
from libs.metric_providers.literals import Certificates, HeaderValue, ServerAddress, literal
from libs.metric_providers.port import SECRET, Asking, NoResult, Provider, ProviderConfig
from libs.outbound.failures import NotJson
from libs.outbound.wire import MAX_URL

if TYPE_CHECKING:
    from libs.outbound.answer import Answer

COLLECTIONS: Final[Mapping[Kind, str]] = {
    "Deployment": "apis/apps/v1/namespaces/{}/deployments",
    "StatefulSet": "apis/apps/v1/namespaces/{}/statefulsets",
    "DaemonSet": "apis/apps/v1/namespaces/{}/daemonsets",
    "Job": "apis/batch/v1/namespaces/{}/jobs",
}
MAX_NAMED: Final = 50
MAX_SELECTED: Final = 100
"""As many as a measurement can record."""
TIMEOUT_S: Final = 30.0
"""For all calls of a measurement together."""
MAX_ANSWER_BYTES: Final = 8 * 1024 * 1024
"""An object has at most 1.5 MB in etcd; that many at once are seldom."""
PAGE: Final = 25
MAX_SAID: Final = 500

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_NAMESPACE: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def _checked(text: str, pattern: re.Pattern[str], what: str) -> str:
    """A part of a path. Raises: NoResult: it can not be one, as when a template found nothing."""
    if pattern.fullmatch(text.strip()) is None:
        raise NoResult(f"{text[:100]!r} is no {what}: lower case letters, digits and hyphens are allowed")
    return quote(text.strip(), safe="")


def _name(text: str) -> str:
    return _checked(text, _NAME, "name of a workload")


def _namespace(text: str) -> str:
    return _checked(text, _NAMESPACE, "namespace")


def _check_selector(text: str) -> None:
    if len(text) > MAX_URL:
        raise NoResult(f"the selector has {len(text)} characters, and it is asked in an address, which has at most {MAX_URL}")
    # To the API server no selector is every workload.
    said = label_selectors.problem_of(text) if text.strip() else "it is empty; write for example app=shop"
    if said is not None:
        raise NoResult(said)


Selector: TypeAlias = Annotated[str | None, literal(lambda text: _check_selector(text) if text else None)]


class Workload(ProviderConfig):
    """A workload by its name."""

    kind: Kind
    name: Annotated[str, literal(_name)] = Field(min_length=1)
    namespace: Annotated[str | None, literal(lambda text: _namespace(text) if text else None)] = None


class KubernetesConfig(ProviderConfig):
    """Which workloads, where: either `workloads`, or all that a selector finds.

    Attributes:
        server_url, token, ca_certificate, insecure: the cluster's API server, as for the agent; PEM.
        namespace: of workloads that name none, and the one that a selector looks in.
        label_selector: as for kubectl: `app=shop,tier in (web, api)`.
        kinds: what a selector looks for.
    """

    server_url: ServerAddress = Field(min_length=1)
    token: HeaderValue = Field(min_length=1, json_schema_extra=SECRET)
    ca_certificate: Certificates = None
    insecure: bool = False
    namespace: Annotated[str, literal(_namespace)] = Field("default", min_length=1)
    workloads: tuple[Workload, ...] = Field((), max_length=MAX_NAMED)
    label_selector: Selector = None
    kinds: tuple[Kind, ...] = ("Deployment", "StatefulSet", "DaemonSet")

    @model_validator(mode="after")
    def _one_way(self) -> Self:  # noqa: N804  # after the fields, it is handed the model itself
        if bool(self.workloads) == bool(self.label_selector):
            raise ValueError("give workloads, a list of kind and name, or labelSelector, and not both")
        if not self.kinds:
            raise ValueError("kinds is empty; leave it away, or name some")
        return self


class Seen(NamedTuple):
    """A workload and how far it is."""

    kind: Kind
    name: str
    namespace: str
    rollout: Rollout

    def told(self) -> Json:
        """As a result has it."""
        about = {"kind": self.kind, "name": self.name, "namespace": self.namespace}
        return {**about, "status": self.rollout.status, "message": self.rollout.message, **self.rollout.counts}


async def measure(config: KubernetesConfig, asking: Asking) -> Json:
    """Gives the workloads and what they are together:

    - `workloads`: a list of `kind`, `name`, `namespace`, `status` (`complete`, `progressing`, `failed` or `missing`), `message`, and where it
      is there the pods that are `desired`, `updated`, `ready` and `available` (of a Job: `desired`, `ready`, `succeeded`, `failed`);
    - `complete`, and the same as `ok`: all are complete, so that a condition `result.ok` lets nothing pass that is not rolled out;
    - `failed`: at least one has failed;
    - `value`: the share that is complete, 0 to 1;
    - `noData: true` and no `value` where none is there;
    - `duration` of the calls in milliseconds.

    Raises: NoResult: the cluster does not show them, which says nothing about them. CallFailed: nothing usable came back.
    """
    cluster = _Cluster(config, asking)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            seen = [one async for one in (cluster.named() if config.workloads else cluster.selected())]
    except TimeoutError:
        raise NoResult(f"the cluster did not show all workloads within {TIMEOUT_S:g} s") from None
    return {**result_of(seen), "duration": round(cluster.elapsed_s * 1000)}


def result_of(seen: list[Seen]) -> Json:
    """What workloads are together; all but `duration`."""
    told = [one.told() for one in seen]
    statuses = [one.rollout.status for one in seen]
    complete = statuses.count("complete")
    is_complete = bool(seen) and complete == len(seen)
    result: Json = {"ok": is_complete, "workloads": told, "complete": is_complete, "failed": "failed" in statuses}
    if all(one == "missing" for one in statuses):
        return {**result, "noData": True}
    return {**result, "value": complete / len(seen)}


class _Cluster:
    """The calls of one measurement.

    Attributes:
        elapsed_s: what they took together.
    """

    def __init__(self, config: KubernetesConfig, asking: Asking) -> None:
        self._config = config
        self._asking = asking
        self._base = base_of(config.server_url, "serverUrl")
        self.elapsed_s = 0.0

    async def named(self) -> AsyncIterator[Seen]:
        """The workloads that the configuration names, in its order."""
        for one in self._config.workloads:
            name = _name(one.name)
            namespace = _namespace(one.namespace or self._config.namespace)
            answer = await self._get(f"{COLLECTIONS[one.kind].format(namespace)}/{name}")
            document = _document(answer, (one.kind, "Status"))
            if document["kind"] != "Status":
                yield Seen(one.kind, name, namespace, rollout(one.kind, document))
            elif document.get("reason") in ("NotFound", "Gone"):
                yield Seen(one.kind, name, namespace, MISSING)
            else:
                raise _not_shown(answer)

    async def selected(self) -> AsyncIterator[Seen]:
        """The workloads that the selector finds, kind by kind, by name."""
        selector = (self._config.label_selector or "").strip()
        if not selector:
            # To the API server no selector is every workload.
            raise NoResult("labelSelector is empty; write for example app=shop")
        namespace = _namespace(self._config.namespace)
        count = 0
        for kind in dict.fromkeys(self._config.kinds):
            query = {"labelSelector": selector, "limit": str(PAGE)}
            while True:
                answer = await self._get(f"{COLLECTIONS[kind].format(namespace)}?{urlencode(query)}")
                document = _document(answer, (f"{kind}List", "Status"))
                if document["kind"] == "Status":
                    raise _not_shown(answer)
                items = document.get("items")
                for one in items if isinstance(items, list) else ():
                    if isinstance(one, dict) and isinstance(metadata := one.get("metadata"), dict):
                        count += 1
                        yield Seen(kind, str(metadata.get("name")), namespace, rollout(kind, one))
                if count > MAX_SELECTED:
                    raise NoResult(f"the selector finds more than {MAX_SELECTED} workloads; select fewer, or fewer kinds")
                listed = document.get("metadata")
                token = listed.get("continue") if isinstance(listed, dict) else None
                if not isinstance(token, str) or not token:
                    break
                query["continue"] = token

    async def _get(self, path: str) -> Answer:
        config = self._config
        answer = await self._asking.outbound.ask(
            "GET",
            f"{self._base}/{path}",
            headers={"Authorization": f"Bearer {config.token}", "Accept": "application/json"},
            timeout_s=TIMEOUT_S,
            max_bytes=MAX_ANSWER_BYTES,
            insecure=config.insecure,
            ca=config.ca_certificate or None,
        )
        self.elapsed_s += answer.elapsed_s
        heed_limits(answer, "The cluster", self._asking.now())
        return answer


def _document(answer: Answer, kinds: tuple[str, ...]) -> dict[str, Any]:
    """The object of one of these kinds that an answer is. Raises: NoResult."""
    try:
        told = answer.json()
    except NotJson as error:
        raise NoResult(f"the cluster gave no answer that can be read: {error}") from None
    if not isinstance(told, dict) or told.get("kind") not in kinds or answer.ok == (told["kind"] == "Status"):
        raise NoResult(f"what was answered with {answer.status} is none of a Kubernetes API: is serverUrl right?")
    return told


def _not_shown(answer: Answer) -> NoResult:
    """An API server that does not show a workload says nothing about it: neither good nor bad."""
    said = str(answer.json().get("message") or "").rstrip(".")[:MAX_SAID]
    return NoResult(f"the cluster answered {answer.status}{f': {said}' if said else ''}")


PROVIDER = Provider("kubernetes", KubernetesConfig, measure, party=lambda config: party_of(with_scheme(config.server_url)))
