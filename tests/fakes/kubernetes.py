"""A Kubernetes API server as far as applying, following and deleting objects needs it. It runs nothing: tests play the controllers.

- Paths, kinds of an API version, `Status` as the answer to what can not be done, `resourceVersion`, `generation` and `uid`:
  https://kubernetes.io/docs/reference/using-api/api-concepts/
- Applying on the server's side: fields that a manager no longer applies are removed, `managedFields` say whose they are, another
  manager's fields conflict unless forced: https://kubernetes.io/docs/reference/using-api/server-side-apply/
- What does not fit the kind is a 500 when it is applied (as a real one of version 1.35 says it), and a 400 when it is created strictly:
  https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation
- `dryRun=All` answers as if, and keeps nothing: https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run
- A Job's Pod template can not be changed (422): https://kubernetes.io/docs/concepts/workloads/controllers/job/
- An object deleted in the foreground stays, marked, until what it made is gone; preconditions name the very object (409):
  https://kubernetes.io/docs/concepts/architecture/garbage-collection/#foreground-deletion
- A list holds objects without kind and API version, as many as its limit, and a token for the others; it is empty where the namespace is
  not there; a selector that can not be read is a 400: https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
  and https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#api
"""

from __future__ import annotations

import copy
import json
import re
from typing import Any, cast
from uuid import uuid4

from tests.fakes.serving import Asked, Clock, Fake, Reply

Doc = dict[str, Any]
TOKEN = "token-of-the-cluster"

KINDS: dict[str, dict[str, tuple[str, bool]]] = {
    "v1": {
        "Namespace": ("namespaces", False),
        "ConfigMap": ("configmaps", True),
        "Secret": ("secrets", True),
        "Pod": ("pods", True),
        "Service": ("services", True),
    },
    "apps/v1": {
        "Deployment": ("deployments", True),
        "StatefulSet": ("statefulsets", True),
        "DaemonSet": ("daemonsets", True),
    },
    "batch/v1": {"Job": ("jobs", True), "CronJob": ("cronjobs", True)},
    "apiextensions.k8s.io/v1": {"CustomResourceDefinition": ("customresourcedefinitions", False)},
}
METADATA = {
    "name",
    "namespace",
    "labels",
    "annotations",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "managedFields",
}
JOB_SPEC = {"template", "completions", "parallelism", "backoffLimit", "ttlSecondsAfterFinished", "selector"}
WITH_STATUS = ("Job", "Pod", "Deployment", "StatefulSet", "DaemonSet")


class FakeKubernetes(Fake):
    """One cluster with the namespaces `default` and `shop`.

    Attributes:
        objects: by API version, plural, namespace (empty for none) and name.
        forbidden: `METHOD /path` patterns that the token may not.
        made: how many objects were created of each kind, dry runs not counted.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.kinds = copy.deepcopy(KINDS)
        self.objects: dict[tuple[str, str, str, str], Doc] = {}
        self.forbidden: list[str] = []
        self.made: list[str] = []
        self._version = 100
        for name in ("default", "shop"):
            self._keep(("v1", "namespaces", "", name), {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def handle(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return no(401, "Unauthorized", "Unauthorized")
        if any(re.search(pattern, str(asked)) for pattern in self.forbidden):
            return no(403, "Forbidden", f'User "deployer" cannot {asked.method.lower()} {asked.path}')
        found = re.fullmatch(r"/(?:api/(v1)|apis/([^/]+/[^/]+))(?:/(.+))?", asked.path)
        if found is None:
            return no(404, "NotFound", "the server could not find the requested resource")
        api_version = found[1] or found[2]
        if found[3] is None:
            return self._listed_kinds(api_version)
        parts = found[3].split("/")
        space = ""
        if parts[0] == "namespaces" and len(parts) > 2:
            space, parts = parts[1], parts[2:]
        plural, name, part = (*parts, "", "")[:3]
        kind = next((kind for kind, (one, _) in self.kinds.get(api_version, {}).items() if one == plural), None)
        if kind is None:
            return no(404, "NotFound", "the server could not find the requested resource")
        key = (api_version, plural, space, name)
        match asked.method:
            case "GET" if not name:
                return self._listed(asked, api_version, plural, space, kind)
            case "GET":
                return Reply(json=self.objects[key]) if key in self.objects else missing(plural, name)
            case "POST":
                return self._create(asked, key, kind)
            case "PATCH" if part == "status":
                return self._patch_status(asked, key)
            case "PATCH":
                return self._apply(asked, key, kind)
            case "DELETE":
                return self._delete(asked, key)
        return no(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")

    def _listed_kinds(self, api_version: str) -> Reply:
        if api_version not in self.kinds:
            return no(404, "NotFound", "the server could not find the requested resource")
        resources = []
        for kind, (plural, namespaced) in self.kinds[api_version].items():
            resources += [
                {"name": plural, "namespaced": namespaced, "kind": kind},
                {"name": f"{plural}/status", "namespaced": namespaced, "kind": kind},
            ]
        return Reply(json={"kind": "APIResourceList", "groupVersion": api_version, "resources": resources})

    def _listed(self, asked: Asked, api_version: str, plural: str, space: str, kind: str) -> Reply:
        selector = asked.query.get("labelSelector", "")
        wanted = [
            re.fullmatch(r"([\w./-]+)(?:==?([\w.-]*)| in \(([\w., -]+)\))", one) for one in re.split(r",(?![^(]*\))", selector)
        ]
        if selector and not all(wanted):
            return no(400, "BadRequest", "found '=', expected: ',' or 'end of string'")
        allowed = {one[1]: one[3].replace(" ", "").split(",") if one[3] else [one[2]] for one in wanted if one}
        after = asked.query.get("continue", "")
        found = [
            {part: value for part, value in self.objects[key].items() if part not in ("kind", "apiVersion")}
            for key in sorted(self.objects)
            if key[:3] == (api_version, plural, space) and key[3] > after and _is_labelled(self.objects[key], allowed)
        ]
        limit = int(asked.query.get("limit", "0")) or len(found)
        more = (
            {"continue": found[limit - 1]["metadata"]["name"], "remainingItemCount": len(found) - limit} if found[limit:] else {}
        )
        metadata = {"resourceVersion": str(self._version), **more}
        return Reply(json={"kind": f"{kind}List", "apiVersion": api_version, "metadata": metadata, "items": found[:limit]})

    def _create(self, asked: Asked, key: tuple[str, str, str, str], kind: str) -> Reply:
        document = copy.deepcopy(cast(Doc, asked.json))
        name = document["metadata"].get("name", "")
        key = (*key[:3], name)
        if (misfit := _misfit(document)) and asked.query.get("fieldValidation") == "Strict":
            return no(400, "BadRequest", f'{kind} cannot be handled as a {kind}: strict decoding error: unknown field "{misfit}"')
        if (wrong := self._wrong(key, document, kind)) is not None:
            return wrong
        if key in self.objects:
            return no(409, "AlreadyExists", f'{key[1]} "{name}" already exists')
        return self._stored(asked, key, document, 201)

    def _apply(self, asked: Asked, key: tuple[str, str, str, str], kind: str) -> Reply:
        if asked.headers.get("content-type") != "application/apply-patch+yaml":
            return no(415, "UnsupportedMediaType", "the body of the request was in an unknown format")
        manager = asked.query.get("fieldManager", "")
        if not manager:
            return no(
                400,
                "BadRequest",
                "PatchOptions.meta.k8s.io is invalid: fieldManager: Required value: is required for apply patch",
            )
        applied = cast(Doc, asked.json)
        if applied.get("metadata", {}).get("managedFields") is not None:
            return no(400, "BadRequest", "metadata.managedFields must be nil")
        if misfit := _misfit(applied):
            return no(
                500, "", f"failed to create typed patch object ({key[2]}/{key[3]}): .{misfit}: field not declared in schema"
            )
        if applied["metadata"].get("name") != key[3]:
            return no(400, "BadRequest", "the name of the object does not match the name on the URL")
        if (wrong := self._wrong(key, applied, kind)) is not None:
            return wrong
        known = self.objects.get(key)
        owned = {one["manager"]: one["fieldsV1"] for one in known["metadata"].get("managedFields", [])} if known else {}
        mine = _fields(applied)
        others = {path for who, fields in owned.items() if who != manager for path in _paths(fields)}
        conflicts = sorted(path for path in _paths(mine) & others if known is not None and _at(known, path) != _at(applied, path))
        if conflicts and asked.query.get("force") != "true":
            return no(409, "Conflict", f"Apply failed with {len(conflicts)} conflict: {conflicts[0]}")
        document = _merged(known or {}, applied)
        for path in _paths(owned.get(manager, {})) - _paths(mine) - others:
            _remove(document, path)
        managed = {who: fields for who, fields in owned.items() if who != manager} | {manager: mine}
        document["metadata"]["managedFields"] = [
            {"manager": who, "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": fields}
            for who, fields in managed.items()
        ]
        if known is not None and kind == "Job" and known["spec"].get("template") != document["spec"].get("template"):
            return no(422, "Invalid", f'Job.batch "{key[3]}" is invalid: spec.template: Invalid value: field is immutable')
        return self._stored(asked, key, document, 200 if known else 201)

    def _wrong(self, key: tuple[str, str, str, str], document: Doc, kind: str) -> Reply | None:
        if key[2] and ("v1", "namespaces", "", key[2]) not in self.objects:
            return missing("namespaces", key[2])
        if re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", key[3]) is None:
            return no(422, "Invalid", f'{kind} "{key[3]}" is invalid: metadata.name: Invalid value')
        if kind in ("Job", "Deployment") and not document.get("spec", {}).get("template"):
            return no(422, "Invalid", f'{kind} "{key[3]}" is invalid: spec.template.spec.containers: Required value')
        return None

    def _stored(self, asked: Asked, key: tuple[str, str, str, str], document: Doc, status: int) -> Reply:
        metadata = document["metadata"]
        if key[2]:
            metadata["namespace"] = key[2]
        known = self.objects.get(key)
        # Deleting is a matter of the stored object, not of what is applied.
        metadata["uid"] = known["metadata"]["uid"] if known else str(uuid4())
        metadata.setdefault("creationTimestamp", f"{self.clock():%Y-%m-%dT%H:%M:%SZ}")
        _default(document, metadata["uid"])
        if known is None or known.get("spec") != document.get("spec"):
            metadata["generation"] = (known["metadata"].get("generation", 0) if known else 0) + 1
        if known is not None and _without_version(known) == _without_version(document):
            return Reply(status, known)
        if asked.query.get("dryRun") == "All":
            metadata["resourceVersion"] = known["metadata"]["resourceVersion"] if known else ""
            return Reply(status, document)
        if known is None:
            self.made.append(f"{document['kind']} {key[3]}")
        self._keep(key, document)
        if document["kind"] == "CustomResourceDefinition":
            spec = document["spec"]
            served = self.kinds.setdefault(f"{spec['group']}/{spec['versions'][0]['name']}", {})
            served[spec["names"]["kind"]] = (spec["names"]["plural"], spec["scope"] == "Namespaced")
        return Reply(status, document)

    def _keep(self, key: tuple[str, str, str, str], document: Doc) -> None:
        self._version += 1
        document["metadata"].setdefault("uid", str(uuid4()))
        document["metadata"]["resourceVersion"] = str(self._version)
        self.objects[key] = document

    def _patch_status(self, asked: Asked, key: tuple[str, str, str, str]) -> Reply:
        if key not in self.objects:
            return missing(key[1], key[3])
        document = copy.deepcopy(self.objects[key])
        document["status"] = {**document.get("status", {}), **cast(Doc, asked.json)["status"]}
        self._keep(key, document)
        return Reply(json=document)

    def _delete(self, asked: Asked, key: tuple[str, str, str, str]) -> Reply:
        document = self.objects.get(key)
        if document is None:
            return missing(key[1], key[3])
        options = cast(Doc, asked.json or {})
        uid = options.get("preconditions", {}).get("uid")
        if uid is not None and uid != document["metadata"]["uid"]:
            return no(409, "Conflict", f"the UID in the precondition ({uid}) does not match the UID in record")
        if options.get("propagationPolicy") == "Foreground":
            document = copy.deepcopy(document)
            document["metadata"] |= {
                "deletionTimestamp": f"{self.clock():%Y-%m-%dT%H:%M:%SZ}",
                "finalizers": ["foregroundDeletion"],
            }
            self._keep(key, document)
            return Reply(json=document)
        del self.objects[key]
        return Reply(json={"kind": "Status", "apiVersion": "v1", "status": "Success"})


def no(status: int, reason: str, message: str, **headers: str) -> Reply:
    """How an API server says no."""
    told = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": reason, "code": status}
    return Reply(status, told, {name.replace("_", "-"): value for name, value in headers.items()})


def missing(plural: str, name: str) -> Reply:
    return no(404, "NotFound", f'{plural} "{name}" not found')


def _is_labelled(document: Doc, allowed: dict[str, list[str]]) -> bool:
    labels = document["metadata"].get("labels", {})
    return all(labels.get(key) in values for key, values in allowed.items())


def _misfit(document: Doc) -> str:
    """A field that the kind does not have; empty where all is well."""
    wrong = [f"metadata.{one}" for one in document["metadata"] if one not in METADATA]
    if document["kind"] == "Job":
        wrong += [f"spec.{one}" for one in document["spec"] if one not in JOB_SPEC]
    return next(iter(wrong), "")


def _default(document: Doc, uid: str) -> None:
    """What the API server fills in, as far as it matters here."""
    spec = document.get("spec", {})
    match document["kind"]:
        case "Deployment" | "StatefulSet":
            spec.setdefault("replicas", 1)
        case "Job":
            spec.setdefault("completions", 1)
            spec.setdefault("parallelism", 1)
            spec.setdefault("backoffLimit", 6)
            made = {"batch.kubernetes.io/controller-uid": uid, "batch.kubernetes.io/job-name": document["metadata"]["name"]}
            spec.setdefault("selector", {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}})
            template = spec["template"].setdefault("metadata", {})
            template["labels"] = {**template.get("labels", {}), **made}
        case "Pod":
            spec.setdefault("restartPolicy", "Always")
        case "Secret":
            document.setdefault("type", "Opaque")
    if document["kind"] in WITH_STATUS:
        document.setdefault("status", {})


def _fields(applied: Doc, top: bool = True) -> Doc:
    fields: Doc = {}
    for key, value in applied.items():
        if top and key in ("apiVersion", "kind"):
            continue
        if key in ("name", "namespace") and not top and "labels" in applied:
            continue
        fields[f"f:{key}"] = _fields(value, False) if isinstance(value, dict) and value else {}
    return fields


def _paths(fields: Doc, before: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """The leaves."""
    found: set[tuple[str, ...]] = set()
    for key, inner in fields.items():
        path = (*before, key.removeprefix("f:"))
        found |= _paths(inner, path) if inner else {path}
    return found - {("metadata", "name"), ("metadata", "namespace")}


def _at(document: Doc, path: tuple[str, ...]) -> Any:
    value: Any = document
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _remove(document: Doc, path: tuple[str, ...]) -> None:
    above = _at(document, path[:-1])
    if isinstance(above, dict):
        above.pop(path[-1], None)


def _merged(known: Doc, applied: Doc) -> Doc:
    merged = copy.deepcopy(known)
    for key, value in applied.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = _merged(merged[key], value)
        else:
            merged[key] = copy.deepcopy(value)
    return merged


def _without_version(document: Doc) -> str:
    return json.dumps({**document, "metadata": {**document["metadata"], "resourceVersion": ""}}, sort_keys=True)
