"""A cluster's API server: where it is, who we are there, which path a kind has, and the few calls that are made.

https://kubernetes.io/docs/reference/using-api/api-concepts/
https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from contracts.agents import KubernetesConfig
from contracts.shapes import Json
from libs.outbound.answer import Answer
from libs.outbound.asking import Outbound
from libs.outbound.failures import NotJson
from libs.runtime.clock import now
from libs.secrets.references import MASK
from services.dispatcher.adapters.outcome import Held, Rejected, asked

MANAGER: Final = "signalbox"
"""Who owns the fields that we apply."""
SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a Pod finds who it is in its cluster."""
IN_CLUSTER: Final = ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT")

KNOWN_FOR: Final = timedelta(minutes=10)
"""So long the kinds of an API version are known before they are asked for again."""
ASKED_AGAIN_AFTER: Final = timedelta(seconds=2)
"""A kind that is not there is asked for again after so long: it may have been defined just now."""
_MISFITS: Final = ("failed to create typed patch object", "failed to convert new object")
"""How API servers begin what they say of fields that a kind does not have, or that are of another type."""
MAX_KNOWN: Final = 1_000
MAX_ANSWER_BYTES: Final = 8 * 1024 * 1024
"""An object has at most 1.5 MB in etcd; a list of kinds is smaller."""


class Unusable(Exception):
    """The cluster can not be called as it is configured; the message says what to mend."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NoSuchKind(Exception):
    """The cluster does not serve this kind (yet)."""

    def __init__(self, api_version: str, kind: str) -> None:
        super().__init__(f"The cluster serves no {kind} of {api_version}: check apiVersion and kind, or define it first.")
        self.message = str(self)


@dataclass(frozen=True, slots=True)
class Cluster:
    """An API server and who we are there.

    Attributes:
        url: without a slash at the end.
        ca: certificates (PEM) of which one signed the server's; None: a public one.
    """

    url: str
    token: str = field(default="", repr=False)
    ca: str | None = None
    insecure: bool = False


@dataclass(frozen=True, slots=True)
class Served:
    """A kind as a cluster serves it: its name in paths, and whether it lives in namespaces."""

    plural: str
    namespaced: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object is, or is to be."""

    api_version: str
    kind: str
    plural: str
    namespace: str | None
    name: str

    @property
    def collection(self) -> str:
        """The path of all objects beside it."""
        root = f"/api/{self.api_version}" if "/" not in self.api_version else f"/apis/{self.api_version}"
        space = f"/namespaces/{quote(self.namespace, safe='')}" if self.namespace is not None else ""
        return f"{root}{space}/{quote(self.plural, safe='')}"

    @property
    def path(self) -> str:
        return f"{self.collection}/{quote(self.name, safe=':')}"

    def __str__(self) -> str:
        return f"{self.kind} {f'{self.namespace}/' if self.namespace is not None else ''}{self.name}"


class KubernetesApi:
    """Calls to API servers.

    Args:
        outbound: makes the calls.
        service_account: the folder that tells a Pod who it is.
        environ: the environment, which tells a Pod where its cluster is.
        clock: tells the time, in UTC.
    """

    def __init__(
        self,
        outbound: Outbound,
        *,
        service_account: Path = SERVICE_ACCOUNT,
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._outbound = outbound
        self._service_account = service_account
        self._environ = environ
        self._clock = clock
        self._kinds: OrderedDict[tuple[str, str], tuple[datetime, dict[str, Served]]] = OrderedDict()

    def cluster(self, config: KubernetesConfig) -> Cluster:
        """The cluster of a configuration. Raises: Unusable."""
        if config.server_url is not None:
            # Our own token is for our own cluster: whoever may write a configuration must not have it sent elsewhere.
            return Cluster(config.server_url, config.token or "", config.ca_certificate, config.insecure)
        host, port = (self._environ.get(name, "") for name in IN_CLUSTER)
        if not host:
            raise Unusable(
                "The configuration has no serverUrl, and this service does not run in a cluster: say which API server is meant."
            )
        try:
            # Read each time: the token is replaced about every hour.
            token = config.token or (self._service_account / "token").read_text().strip()
            ca = config.ca_certificate or (self._service_account / "ca.crt").read_text()
        except OSError as error:
            raise Unusable(
                f"This service runs in a cluster, but can not read its service account: {error.strerror}. "
                "Mount its token, or write serverUrl and token into the configuration."
            ) from None
        return Cluster(f"https://{f'[{host}]' if ':' in host else host}:{port or 443}", token, ca, config.insecure)

    async def served(self, cluster: Cluster, api_version: str, kind: str) -> Served:
        """How a kind is served. Raises: NoSuchKind, Held, Rejected."""
        key = (cluster.url, api_version)
        known = self._kinds.get(key)
        age = self._clock() - known[0] if known is not None else KNOWN_FOR
        if known is None or age >= KNOWN_FOR or (kind not in known[1] and age >= ASKED_AGAIN_AFTER):
            known = self._kinds[key] = (self._clock(), await self._kinds_of(cluster, api_version))
            self._kinds.move_to_end(key)
            if len(self._kinds) > MAX_KNOWN:
                self._kinds.popitem(last=False)
        try:
            return known[1][kind]
        except KeyError:
            raise NoSuchKind(api_version, kind) from None

    async def _kinds_of(self, cluster: Cluster, api_version: str) -> dict[str, Served]:
        path = f"/api/{api_version}" if "/" not in api_version else f"/apis/{api_version}"
        answer = await self._call(cluster, "GET", path, also=frozenset({404}))
        if answer.status == 404:
            return {}
        listed = object_of(answer).get("resources")
        found: dict[str, Served] = {}
        for one in listed if isinstance(listed, list) else ():
            # A name with a slash is a part of an object, such as its status.
            if isinstance(one, dict) and isinstance(name := one.get("name"), str) and "/" not in name:
                found.setdefault(str(one.get("kind")), Served(name, one.get("namespaced") is True))
        return found

    async def get(self, cluster: Cluster, place: Place) -> Json | None:
        """An object; None where there is none. Raises: Held, Rejected."""
        answer = await self._call(cluster, "GET", place.path, also=frozenset({404, 410}))
        return object_of(answer) if answer.ok else None

    async def create(self, cluster: Cluster, place: Place, document: Json, *, dry_run: bool = False) -> Json | None:
        """Make an object that is not there; None where there is one of its name. Raises: Held, Rejected."""
        answer = await self._call(cluster, "POST", f"{place.collection}?{_query(dry_run)}", json=document, also=frozenset({409}))
        if answer.ok:
            return object_of(answer)
        if _said(answer).get("reason") == "AlreadyExists":
            return None
        # A namespace that is ending, or two who write at once: it can be tried again.
        raise Held(f"{place} can not be made now: {_words(answer)}.")

    async def apply(
        self, cluster: Cluster, place: Place, document: Json, *, dry_run: bool = False, lone: bool = True
    ) -> Json | None:
        """Apply an object on the server's side; doing it twice is doing it once.

        Args:
            lone: that there is no place for it (404) is an error; else the answer is None.

        Raises: Held, Rejected.
        """
        answer = await self._call(
            cluster,
            "PATCH",
            f"{place.path}?{_query(dry_run, force='true')}",
            json=document,
            # JSON is YAML as well.
            kind="application/apply-patch+yaml",
            also=frozenset({409, 500} if lone else {404, 409, 500}),
        )
        if answer.status == 500:
            # What does not fit the kind is answered as if the server were at fault; trying again would not help.
            said = _words(answer)
            told = f"{place} can not be applied: {said or answer.status}."
            raise Rejected(told, 422) if said.startswith(_MISFITS) else Held(told)
        if answer.status == 409:
            raise Held(f"{place} can not be applied now: {_words(answer)}.")
        return object_of(answer) if answer.ok else None

    async def delete(self, cluster: Cluster, place: Place, uid: str) -> bool:
        """Delete this very object, and what it made before it; False where it is gone. Raises: Held, Rejected."""
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Foreground",
            "preconditions": {"uid": uid},
        }
        answer = await self._call(cluster, "DELETE", place.path, json=options, also=frozenset({404, 409, 410}))
        return answer.ok

    async def _call(
        self,
        cluster: Cluster,
        method: str,
        path: str,
        *,
        json: Any = None,
        kind: str = "application/json",
        also: frozenset[int] = frozenset(),
    ) -> Answer:
        headers = {"Accept": "application/json"}
        if cluster.token:
            headers["Authorization"] = f"Bearer {cluster.token}"
        if json is not None:
            headers["Content-Type"] = kind
        return await asked(
            self._outbound,
            method,
            f"{cluster.url}{path}",
            headers=headers,
            json=json,
            clock=self._clock,
            words=lambda answer: _words(answer).replace(cluster.token or MASK, MASK),
            max_bytes=MAX_ANSWER_BYTES,
            insecure=cluster.insecure,
            ca=cluster.ca,
            also=also,
        )


def object_of(answer: Answer) -> Json:
    """The object that an answer is. Raises: Held: it is none, which a proxy in between may have done."""
    try:
        told = answer.json()
    except NotJson as error:
        raise Held(f"The cluster gave no answer that can be read: {error}.") from None
    if not isinstance(told, dict):
        raise Held("The cluster gave no answer that can be read: no object.")
    return told


def _query(dry_run: bool, **more: str) -> str:
    """A field that the kind does not have is refused, as kubectl does it: unheard, it would be a wish that nobody grants."""
    return urlencode({"fieldManager": MANAGER, "fieldValidation": "Strict", **more, **({"dryRun": "All"} if dry_run else {})})


def _said(answer: Answer) -> Json:
    try:
        told = answer.json()
    except NotJson:
        return {}
    return told if isinstance(told, dict) else {}


def _words(answer: Answer) -> str:
    """What the API server says is wrong: the message of its `Status`."""
    return str(_said(answer).get("message") or "").rstrip(".")
