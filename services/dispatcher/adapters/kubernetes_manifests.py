"""What is to be applied to a cluster: the manifests of a rendered template, and the names under which a job's own objects are made; pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from contracts.shapes import Json
from services.dispatcher.adapters.yaml_documents import BadYaml, documents

JOB_LABEL: Final = "signalbox.dev/job-id"
"""Label of every object that was applied: the job that did it last; of a run: the job that it is."""
WORKSPACE_ANNOTATION: Final = "signalbox.dev/workspace-id"
OURS: Final = (JOB_LABEL, WORKSPACE_ANNOTATION)

MAX_MANIFESTS: Final = 100
MAX_NAME: Final = 63
"""The names of Jobs end up in labels of their Pods, which have no more characters; others may be as long without harm."""

KEPT_S: Final = 3600
"""A Job that would delete itself sooner after its end is kept for so long: who did not see it end must not take it for not begun."""

_API_VERSION: Final = re.compile(r"(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?/)?v[a-z0-9]+")
_KIND: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{0,100}")
# Names go into paths: nothing that a path takes for more than a name.
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9._:]{0,251}[A-Za-z0-9])?")
_PREFIX: Final = re.compile(r"[A-Za-z0-9][-A-Za-z0-9.]{0,251}")
_NAMESPACE: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")


class BadManifest(Exception):
    """The template renders to something that can not be applied; the message says what and where."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class Manifest:
    """An object that is to be there.

    Attributes:
        name: empty where one is to be made from `prefix`.
        prefix: `generateName`; empty where there is a name.
        namespace: None where the manifest names none.
        document: the whole of it.
    """

    api_version: str
    kind: str
    name: str
    prefix: str
    namespace: str | None
    document: Json

    @property
    def is_run(self) -> bool:
        """Whether it does its work once and ends: it is made anew for each job, and never changed."""
        if self.kind == "Job" and self.api_version == "batch/v1":
            return True
        return (
            self.kind == "Pod"
            and self.api_version == "v1"
            and _map(self.document, "spec").get("restartPolicy") in ("Never", "OnFailure")
        )

    def own_name(self, job_id: str) -> str:
        """A name that only this job's object has."""
        mark = hashlib.sha256(
            f"{job_id}/{self.api_version}/{self.kind}/{self.namespace}/{self.name or self.prefix}".encode()
        ).hexdigest()[:10]
        stem = (self.name or self.prefix).rstrip("-.")[: MAX_NAME - 11].rstrip("-.")
        return f"{stem}-{mark}"

    def as_sent(self, name: str, namespace: str | None, job_id: str, workspace_id: str) -> Json:
        """The object as it is sent: under a name, in a namespace, with the job on it."""
        metadata = {key: value for key, value in _map(self.document, "metadata").items() if key not in _NOT_SENT}
        metadata["name"] = name
        if namespace is not None:
            metadata["namespace"] = namespace
        if job_id:
            metadata["labels"] = {**_map(metadata, "labels"), JOB_LABEL: job_id}
            metadata["annotations"] = {**_map(metadata, "annotations"), WORKSPACE_ANNOTATION: workspace_id}
        sent = {**{key: value for key, value in self.document.items() if key != "status"}, "metadata": metadata}
        if self.kind == "Job":
            spec = _map(self.document, "spec")
            kept_s = spec.get("ttlSecondsAfterFinished")
            if isinstance(kept_s, int) and not isinstance(kept_s, bool) and kept_s < KEPT_S:
                sent["spec"] = {**spec, "ttlSecondsAfterFinished": KEPT_S}
        return sent

    def __str__(self) -> str:
        return f"{self.kind} {self.name or self.prefix + '…'}"


_NOT_SENT: Final = frozenset(
    {"creationTimestamp", "generateName", "generation", "managedFields", "namespace", "resourceVersion", "selfLink", "uid"}
)
"""What only the API server writes, and what is written anew."""


def manifests(text: str) -> list[Manifest]:
    """The manifests of a text of YAML or JSON, at least one; the items of a `List` are manifests of their own.

    Raises: BadManifest.
    """
    try:
        whole = documents(text)
    except BadYaml as error:
        raise BadManifest(f"What the template renders to can not be applied: {error.message}.") from None
    found = [_manifest(number, one) for number, one in enumerate(_items(whole), 1)]
    if not found:
        raise BadManifest("The template renders to no manifest: there is nothing to apply.")
    if len(found) > MAX_MANIFESTS:
        raise BadManifest(f"The template renders to {len(found)} manifests; at most {MAX_MANIFESTS} can be applied at once.")
    keys: set[tuple[str, str, str, str | None]] = set()
    for one in found:
        key = (one.api_version, one.kind, one.name or one.prefix, one.namespace)
        if key in keys:
            raise BadManifest(f"The template renders to {one} twice.")
        keys.add(key)
    return found


def defined_kinds(found: list[Manifest]) -> frozenset[tuple[str, str]]:
    """(apiVersion, kind) of what the CustomResourceDefinitions among the manifests define."""
    return frozenset(_definitions(found))


def _definitions(found: list[Manifest]) -> Iterator[tuple[str, str]]:
    for one in found:
        if one.kind == "CustomResourceDefinition":
            spec = _map(one.document, "spec")
            versions = spec.get("versions")
            for version in versions if isinstance(versions, list) else ():
                if isinstance(version, dict):
                    yield f"{spec.get('group')}/{version.get('name')}", str(_map(spec, "names").get("kind"))


def _items(whole: list[Any]) -> Iterator[Any]:
    for one in whole:
        if (
            isinstance(one, dict)
            and one.get("kind") == "List"
            and one.get("apiVersion") == "v1"
            and isinstance(one.get("items"), list)
        ):
            yield from one["items"]
        else:
            yield one


def _manifest(number: int, document: Any) -> Manifest:
    which = f"Manifest {number} of what the template renders to"
    if not isinstance(document, dict):
        raise BadManifest(f"{which} is no object: it needs apiVersion, kind and metadata.")
    api_version, kind = document.get("apiVersion"), document.get("kind")
    if not isinstance(api_version, str) or not _API_VERSION.fullmatch(api_version):
        raise BadManifest(f"{which} has no apiVersion such as v1 or apps/v1.")
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        raise BadManifest(f"{which} has no kind such as Deployment.")
    metadata = document.get("metadata")
    if not isinstance(metadata, dict):
        raise BadManifest(f"{which} ({kind}) has no metadata.")
    for part in ("labels", "annotations"):
        if not isinstance(metadata.get(part), dict | None):
            raise BadManifest(f"{which} ({kind}): metadata.{part} is no map.")
    name, prefix, namespace = (metadata.get(key) or "" for key in ("name", "generateName", "namespace"))
    if name and not (isinstance(name, str) and _NAME.fullmatch(name)):
        raise BadManifest(f"{which} ({kind}): metadata.name {str(name)[:80]!r} is no name.")
    if not name and not (isinstance(prefix, str) and _PREFIX.fullmatch(prefix)):
        raise BadManifest(f"{which} ({kind}) has neither metadata.name nor metadata.generateName.")
    if namespace and not (isinstance(namespace, str) and _NAMESPACE.fullmatch(namespace)):
        raise BadManifest(f"{which} ({kind}): metadata.namespace {str(namespace)[:80]!r} is no name of a namespace.")
    return Manifest(api_version, kind, name, "" if name else prefix, namespace or None, document)


def _map(document: Mapping[str, Any], key: str) -> Json:
    value = document.get(key)
    return cast(Json, value) if isinstance(value, dict) else {}
