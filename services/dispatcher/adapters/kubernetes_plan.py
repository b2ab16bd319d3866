"""What manifests would change in a cluster: each is applied without effect (`dryRun=All`), and compared with what is there.

https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

import yaml

from contracts.shapes import Json
from services.dispatcher.adapters.kubernetes_api import Cluster, KubernetesApi, NoSuchKind, Place
from services.dispatcher.adapters.kubernetes_manifests import OURS, Manifest, defined_kinds
from services.dispatcher.adapters.port import PlanAnswer

_SERVERS: Final = frozenset({"creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"})
"""Metadata that the API server writes: it differs without anything being changed."""
_NOTES: Final = frozenset({*OURS, "kubectl.kubernetes.io/last-applied-configuration", "deployment.kubernetes.io/revision"})
_CONTROLLERS: Final = frozenset(
    {"controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"}
)
"""Labels that a Job and its Pods get with each making; those of a dry run are made up."""

MAX_NAMED: Final = 5


async def dry_run(api: KubernetesApi, cluster: Cluster, namespace: str, wanted: Sequence[Manifest], key: str) -> PlanAnswer:
    """Compare what is there with what would be there.

    Args:
        namespace: of manifests that name none.
        key: names the dry run.

    Raises: Held, Rejected, NoSuchKind.
    """
    coming = defined_kinds(list(wanted))
    spaces = {one.name for one in wanted if one.kind == "Namespace" and one.api_version == "v1"}
    current: list[str] = []
    proposed: list[str] = []
    changed: list[str] = []
    for one in wanted:
        before, after = await _compared(api, cluster, namespace, one, key, coming, spaces)
        shown = [_text(side) for side in _hidden(before, after)]
        if before is not None:
            current.append(shown[0])
        proposed.append(shown[1])
        if shown[0] != shown[1]:
            changed.append(str(one))
    return PlanAnswer(
        status="completed",
        has_changes=bool(changed),
        current="---\n".join(current),
        proposed="---\n".join(proposed),
        message=_said(changed, len(wanted)),
    )


async def _compared(
    api: KubernetesApi,
    cluster: Cluster,
    namespace: str,
    wanted: Manifest,
    key: str,
    coming: frozenset[tuple[str, str]],
    spaces: set[str],
) -> tuple[Json | None, Json]:
    """An object as it is and as it would be."""
    try:
        served = await api.served(cluster, wanted.api_version, wanted.kind)
    except NoSuchKind:
        if (wanted.api_version, wanted.kind) not in coming:
            raise
        # Its definition is part of the same change: nobody can say yet what the cluster would make of it.
        return None, _plain(wanted.document)
    space = (wanted.namespace or namespace) if served.namespaced else None
    lasting = bool(wanted.name) and not wanted.is_run
    name = wanted.name if lasting else wanted.own_name(key)
    place = Place(wanted.api_version, wanted.kind, served.plural, space, name)
    before = await api.get(cluster, place) if lasting else None
    sent = wanted.as_sent(name, space, "", "")
    # A namespace that is part of the same change is not there to try anything in.
    after = await api.apply(cluster, place, sent, dry_run=True, lone=space not in spaces)
    if after is None:
        return None, _plain(sent)
    shown = _plain(after)
    if not lasting:
        cast(Json, shown["metadata"])["name"] = wanted.name or f"{wanted.prefix}…"
    return (_plain(before) if before is not None else None), shown


def _plain(document: Json) -> Json:
    """An object without what nobody wished."""
    shown = {key: value for key, value in document.items() if key != "status"}
    metadata = {key: value for key, value in dict(document.get("metadata") or {}).items() if key not in _SERVERS}
    for part in ("labels", "annotations"):
        kept = {key: value for key, value in dict(metadata.pop(part, None) or {}).items() if key not in _NOTES}
        if kept:
            metadata[part] = kept
    shown["metadata"] = metadata
    return cast(Json, _without_controllers(shown)) if document.get("kind") == "Job" else shown


def _without_controllers(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_controllers(one) for one in value]
    if not isinstance(value, dict):
        return value
    shown = {}
    for key, one in value.items():
        if key in ("labels", "matchLabels") and isinstance(one, dict):
            if not (kept := {label: text for label, text in one.items() if label not in _CONTROLLERS}):
                continue
            shown[key] = kept
        else:
            shown[key] = _without_controllers(one)
    if not shown.get("selector", True):
        del shown["selector"]
    return shown


def _hidden(before: Json | None, after: Json) -> tuple[Json | None, Json]:
    """The two, with the values of a Secret replaced by a word on whether they are the same."""
    if after.get("kind") != "Secret" or after.get("apiVersion") != "v1":
        return before, after
    old, new = (_values(side) for side in (before, after))
    return (
        _with_values(before, {key: _mask(old, new, key, " (before)") for key in old}) if before is not None else None,
        _with_values(after, {key: _mask(new, old, key, " (after)") for key in new}),
    )


def _values(secret: Json | None) -> Json:
    return {**((secret or {}).get("data") or {}), **((secret or {}).get("stringData") or {})}


def _with_values(secret: Json, values: Json) -> Json:
    shown = {key: value for key, value in secret.items() if key not in ("data", "stringData")}
    return {**shown, "data": values} if values else shown


def _mask(mine: Json, others: Json, key: str, when: str) -> str:
    return "***" if key not in others or others[key] == mine[key] else f"***{when}"


def _text(document: Json | None) -> str:
    if document is None:
        return ""
    return str(yaml.safe_dump(document, sort_keys=True, default_flow_style=False, allow_unicode=True, width=1_000))


def _said(changed: Sequence[str], all_: int) -> str:
    if not changed:
        return f"Nothing would change: {all_} objects are as they are wished." if all_ > 1 else "Nothing would change."
    more = f" and {len(changed) - MAX_NAMED} more" if len(changed) > MAX_NAMED else ""
    return f"{len(changed)} of {all_} objects would change: {', '.join(changed[:MAX_NAMED])}{more}."
