"""Dry runs of Argo CD: a temporary Application renders what the proposed one would, and is removed again.

Each round begins with looking for the temporary Application of the dry run by its label. So nothing is kept in memory, nobody waits inside
of a round, and what a process that died left behind is used and removed by the next one.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

import yaml

from contracts.shapes import Json
from libs.webhooks.told import moment
from services.dispatcher.adapters.argo_api import part
from services.dispatcher.adapters.argo_cd_applications import Applications, read_manifest
from services.dispatcher.adapters.outcome import Held, Rejected
from services.dispatcher.adapters.port import Delayed, PlanAnswer

PLAN: Final = "ctrlplane.dev/plan"
RESULT: Final = "ctrlplane.dev/plan-result"
CREATED_AT: Final = "ctrlplane.dev/plan-created-at"

PATIENCE: Final = timedelta(seconds=60)
"""So long may Argo CD take to render."""
LOOK_AGAIN_S: Final = 5.0

MAX_NAME: Final = 53
"""Helm allows no longer names of releases, and takes the Application's for it."""

_PASSING_ANNOTATIONS: Final = ("argocd.argoproj.io/refresh", "kubectl.kubernetes.io/last-applied-configuration")
_Dumper: Final[Any] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


async def dry_run(applications: Applications, application: Json, result_id: str, now: datetime) -> PlanAnswer | Delayed:
    """What putting an Application would change; `Delayed` while Argo CD is not through.

    Args:
        application: as it would be put.
        result_id: the key of the dry run.
    """
    try:
        before = await applications.labelled(RESULT, result_id)
    except (Held, Rejected) as why:
        return _held(why) if isinstance(why, Held) else _errored(why.message)
    began = moment(part(before[0], "metadata", "annotations", CREATED_AT)) if before else None
    answer: PlanAnswer | Delayed
    try:
        answer = await _compared(applications, application, before, result_id, now)
    except Rejected as no:
        answer = _errored(no.message)
    except Held as held:
        if now - (began or now) < PATIENCE:
            return _held(held)
        answer = _errored(f"It was not known within {PATIENCE.total_seconds():g} s what would change: {held.message}")
    return await _cleaned(applications, result_id, answer)


async def _compared(
    applications: Applications, application: Json, before: list[Json], result_id: str, now: datetime
) -> PlanAnswer:
    metadata = application["metadata"]
    name, namespace = metadata["name"], metadata.get("namespace") or ""
    temporary = temporary_of(application, result_id, now)
    temporary_name = temporary["metadata"]["name"]
    same = [one for one in before if part(one, "metadata", "name") == temporary_name]
    saved = same[0] if same else await applications.put(temporary)
    rendered = await applications.manifests(temporary_name, namespace)
    if not rendered:
        raise Held("Argo CD has not rendered the manifests yet, or there are none.", LOOK_AGAIN_S)
    live = await applications.get(name, namespace, str(part(saved, "spec", "project") or "default"))
    proposed = [_proposed(application, saved, live), *_read(one.replace(temporary_name, name) for one in rendered)]
    current = [] if live is None else [_known(live), *_read(await applications.manifests(name, namespace))]
    # Large manifests take a while to be written: nobody else is to wait for it.
    texts = await asyncio.gather(asyncio.to_thread(_text, current), asyncio.to_thread(_text, proposed))
    changes = texts[0] != texts[1]
    said = "create" if live is None else "change" if changes else "change nothing of"
    return PlanAnswer(
        status="completed",
        has_changes=changes,
        current=texts[0],
        proposed=texts[1],
        message=f"Argo CD would {said} Application {name}.",
        content_hash=hashlib.sha256("".join(texts).encode()).hexdigest(),
    )


def temporary_of(application: Json, result_id: str, now: datetime) -> Json:
    """The Application that renders as the proposed one and does nothing: it is never synced, and takes nothing along when it goes."""
    metadata = application["metadata"]
    tail = f"-plan-{hashlib.sha256(result_id.encode()).hexdigest()[:8]}"
    annotations = metadata.get("annotations") or {}
    return {
        **application,
        "metadata": {
            "name": metadata["name"][: MAX_NAME - len(tail)].rstrip("-") + tail,
            **({"namespace": metadata["namespace"]} if metadata.get("namespace") else {}),
            "labels": {**metadata["labels"], PLAN: "true", RESULT: result_id},
            "annotations": {
                **{key: value for key, value in annotations.items() if not key.startswith("notifications.argoproj.io/")},
                CREATED_AT: now.isoformat(),
            },
        },
        "spec": {**application["spec"], "syncPolicy": _without_automation(application["spec"].get("syncPolicy"))},
    }


def _without_automation(policy: Any) -> Json:
    return {key: value for key, value in policy.items() if key != "automated"} if isinstance(policy, dict) else {}


async def _cleaned(applications: Applications, result_id: str, answer: PlanAnswer) -> PlanAnswer | Delayed:
    """The answer, once nothing of the dry run is left."""
    try:
        for one in await applications.labelled(RESULT, result_id):
            await applications.remove(one)
    except Held as held:
        return _held(held)
    except Rejected as no:
        said = f"The temporary Application could not be removed, remove it by hand: {no.message}"
        return answer.model_copy(update={"message": f"{answer.message} {said}"})
    return answer


def _proposed(application: Json, saved: Json, live: Json | None) -> Json:
    """The Application as it would be: with the defaults that Argo CD sets, and the labels and annotations that it keeps."""
    metadata = application["metadata"]
    known = part(live, "metadata")
    merged = {field: {**(part(known, field) or {}), **(metadata.get(field) or {})} for field in ("labels", "annotations")}
    spec = {**(saved.get("spec") or {}), "syncPolicy": application["spec"].get("syncPolicy")}
    namespace = metadata.get("namespace") or part(saved, "metadata", "namespace")
    return _known({**application, "metadata": {**metadata, **merged, "namespace": namespace}, "spec": spec})


def _known(application: Json) -> Json:
    """What people write of an Application, without what Argo CD and Kubernetes add."""
    metadata = application.get("metadata") or {}
    annotations = metadata.get("annotations") or {}
    kept = {
        "name": metadata.get("name"),
        "namespace": metadata.get("namespace"),
        "labels": metadata.get("labels"),
        "annotations": {key: value for key, value in annotations.items() if key not in _PASSING_ANNOTATIONS},
        "finalizers": metadata.get("finalizers"),
    }
    spec = {key: value for key, value in (application.get("spec") or {}).items() if value not in (None, {}, [])}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {key: value for key, value in kept.items() if value},
        "spec": spec,
    }


def _read(texts: Iterable[str]) -> list[Json]:
    return sorted(map(read_manifest, texts), key=_place)


def _place(manifest: Json) -> tuple[str, ...]:
    metadata = ("metadata", "namespace"), ("metadata", "name")
    return tuple(str(part(manifest, *keys) or "") for keys in (("kind",), *metadata, ("apiVersion",)))


def _text(manifests: list[Json]) -> str:
    return "---\n".join(yaml.dump(one, Dumper=_Dumper, allow_unicode=True, width=2**20) for one in manifests)


def _held(held: Held) -> Delayed:
    return Delayed(message=held.message, retry_after_s=held.retry_after_s)


def _errored(message: str) -> PlanAnswer:
    return PlanAnswer(status="errored", message=message)
